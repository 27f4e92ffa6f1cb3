import { describe, expect, it } from "vitest";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  inspectOnnx,
  type Inspection,
  type InspectOptions,
} from "../../../src/pipeline/onnx/inspect.js";
import { complaintOf } from "../../complaint.js";
import { shared, sharedData } from "../../shared-data.js";
import { bytesField, concatBytes, integerField } from "../../../src/pipeline/onnx/wire.js";
import { graph, model, node, tensor, value, weights, type GraphParts } from "./onnx-builder.js";

async function inspectBytes(bytes: Uint8Array, options: InspectOptions = {}): Promise<Inspection> {
  const folder = mkdtempSync(join(tmpdir(), "shitu-work-"));
  try {
    const file = join(folder, "model.onnx");
    writeFileSync(file, bytes);
    return await inspectOnnx(file, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const inspected = (
  parts: GraphParts,
  options: InspectOptions = {},
  opset = 13,
): Promise<Inspection> => inspectBytes(model(parts, opset), options);
const scalar = (name: string, x: number): Uint8Array => tensor(name, [], Float32Array.of(x));

describe("multiply-accumulates, counted by hand", () => {
  it("Conv: C out x H out x W out x C in x kernel, at a batch of 1 where it is open", async () => {
    const { work } = await inspected({
      inputs: [value("x", "float32", ["n", 3, 8, 8])],
      outputs: [value("y", "float32", ["n", 4, 3, 3])],
      nodes: [node("Conv", ["x", "w", "b"], ["y"], { strides: [2, 2] })],
      initializers: [weights("w", 4, 3, 3, 3), weights("b", 4)],
    });
    expect(work).toMatchObject({
      macs: 4 * 3 * 3 * 3 * 3 * 3,
      macsPerImage: 972,
      batch: 1,
      uncounted: [],
    });
  });

  it("Conv in groups: each output sees its group's inputs only", async () => {
    const { work } = await inspected({
      inputs: [value("x", "float32", [1, 6, 5, 5])],
      outputs: [value("y", "float32", [1, 6, 5, 5])],
      nodes: [node("Conv", ["x", "w"], ["y"], { group: 6, pads: [1, 1, 1, 1] })],
      initializers: [weights("w", 6, 1, 3, 3)],
    });
    expect(work.macs).toBe(6 * 5 * 5 * 9);
  });

  it("a fixed batch: for all pictures, and for one", async () => {
    const { work } = await inspected({
      inputs: [value("x", "float32", [4, 2, 5, 5])],
      outputs: [value("y", "float32", [4, 3, 5, 5])],
      nodes: [node("Conv", ["x", "w"], ["y"])],
      initializers: [weights("w", 3, 2, 1, 1)],
    });
    expect(work).toMatchObject({ macs: 4 * 150, batch: 4, macsPerImage: 150 });
  });

  it("ConvTranspose: every input is multiplied with its weights", async () => {
    const { work } = await inspected({
      inputs: [value("x", "float32", [1, 4, 5, 5])],
      outputs: [value("y", "float32", [1, 6, 10, 10])],
      nodes: [node("ConvTranspose", ["x", "w"], ["y"], { strides: [2, 2] })],
      initializers: [weights("w", 4, 6, 2, 2)],
    });
    expect(work.macs).toBe(4 * 5 * 5 * 6 * 2 * 2);
  });

  it("Gemm, transposed or not, and MatMul with a batch", async () => {
    const { work } = await inspected({
      inputs: [value("x", "float32", [2, 7])],
      outputs: [value("y", "float32", [2, 5]), value("z", "float32", [3, 2, 4])],
      nodes: [
        node("Gemm", ["x", "w", "b"], ["y"], { transB: 1 }), // 2 x 5 outputs of 7
        node("Gemm", ["a", "x"], ["u"], { transA: 1 }), // a is [2, 3]: 3 x 7 outputs of 2
        node("MatMul", ["m", "y"], ["v"]), // m is [3, 4, 2]: 3 x 4 x 5 outputs of 2
        node("Transpose", ["m"], ["z"], { perm: [0, 2, 1] }),
      ],
      initializers: [
        weights("w", 5, 7),
        weights("b", 5),
        weights("a", 2, 3),
        weights("m", 3, 4, 2),
      ],
    });
    expect(work).toMatchObject({ macs: 70 + 42 + 120, macsByOperator: { Gemm: 112, MatMul: 120 } });
  });

  it(
    "quantised: DequantizeLinear around Conv, " + "QLinearConv, ConvInteger and MatMulInteger",
    async () => {
      const bytes = (name: string, ...dims: number[]): Uint8Array =>
        tensor(name, dims, new Int8Array(dims.reduce((n, d) => n * d, 1)).fill(3));
      const { work, quantisation, parameters, integerParameters } = await inspected({
        inputs: [value("x", "float32", [1, 3, 4, 4])],
        outputs: [value("y", "float32"), value("p", "int32"), value("r", "int32")],
        nodes: [
          node("DequantizeLinear", ["wq", "s", "z"], ["w"]),
          node("Conv", ["x", "w"], ["c"]), // 2 x 4 x 4 x 3
          node("QuantizeLinear", ["c", "s", "z"], ["q"]),
          node("QLinearConv", ["q", "s", "z", "wq2", "s", "z", "s", "z"], ["q2"]), // 5 x 4 x 4 x 2
          node("DequantizeLinear", ["q2", "s", "z"], ["y"]),
          node("ConvInteger", ["q2", "wq3"], ["p"]), // 1 x 4 x 4 x 5
          node("MatMulInteger", ["q2", "wq4"], ["r"]), // 5 x 4 x 6 x 4
        ],
        initializers: [
          bytes("wq", 2, 3, 1, 1),
          bytes("wq2", 5, 2, 1, 1),
          bytes("wq3", 1, 5, 1, 1),
          bytes("wq4", 4, 6),
          scalar("s", 0.5),
          tensor("z", [], Int8Array.of(0)),
        ],
      });
      expect(work).toMatchObject({
        macsByOperator: { Conv: 96, QLinearConv: 160, ConvInteger: 80, MatMulInteger: 480 },
        macs: 816,
        uncounted: [],
      });
      expect(quantisation).toBe("integer-operators");
      expect([parameters, integerParameters]).toEqual([6 + 10 + 5 + 24, 45]);
    },
  );

  it("counts what can be reached where the model's end fails on a made-up picture", async () => {
    const { work, tracedOutputs } = await inspected({
      inputs: [value("x", "float32", [1, 3, 4, 4])],
      outputs: [value("y", "float32")],
      // A row that is not there: fails in every run, as suppression in some exports does when
      // nothing is found.
      nodes: [node("Conv", ["x", "w"], ["c"]), node("Gather", ["c", "row"], ["y"], { axis: 1 })],
      initializers: [weights("w", 2, 3, 1, 1), tensor("row", [1], BigInt64Array.of(9n))],
    });
    expect(work).toMatchObject({ macs: 96 });
    expect(tracedOutputs![0]!.shape).toBeNull();
  });

  it(
    "says what it leaves out: recurrent layers and " + "bodies that may run any number of times",
    async () => {
      const branch = (name: string): Uint8Array =>
        graph({ nodes: [node("Conv", ["x", "w"], [name])], outputs: [value(name, "float32")] });
      const { work, operators } = await inspected({
        inputs: [value("x", "float32", [1, 3, 4, 4])],
        outputs: [value("y", "float32")],
        nodes: [
          node("If", ["yes"], ["y"], {
            then_branch: { graph: branch("a") },
            else_branch: { graph: branch("b") },
          }),
        ],
        initializers: [weights("w", 2, 3, 1, 1), tensor("yes", [], Uint8Array.of(1))].map((t, i) =>
          i === 1 ? asBool(t) : t,
        ),
      });
      expect(operators).toEqual({ Conv: 2, If: 1 });
      expect(work).toMatchObject({ macs: 0 });
      expect(work.macs === null ? [] : work.uncounted).toEqual([
        expect.stringMatching(/2 operators inside If/),
      ]);
    },
  );

  it(
    "asks for sizes that the model leaves open, and " + "takes them from the picture or by name",
    async () => {
      const open: GraphParts = {
        inputs: [value("x", "float32", ["n", 3, "h", "w"])],
        outputs: [value("y", "float32")],
        nodes: [node("Conv", ["x", "w"], ["y"])],
        initializers: [weights("w", 2, 3, 1, 1)],
      };
      expect((await inspected(open)).work).toEqual({
        macs: null,
        why: expect.stringMatching(/"x" is open.*--shape x=/) as string,
      });
      expect(
        (await inspected(open, { picture: { width: 5, height: 4, layout: "nchw" } })).work.macs,
      ).toBe(2 * 20 * 3);
      expect((await inspected(open, { shapes: { x: [2, 3, 4, 5] } })).work).toMatchObject({
        macs: 240,
        macsPerImage: 120,
      });
    },
  );
});

/** The builder makes bytes uint8; a condition must be bool. */
function asBool(bytes: Uint8Array): Uint8Array {
  return concatBytes([bytes, integerField(2, 9)]); // the last of a repeated scalar field counts
}

describe("parameters, counted by hand", () => {
  const input = [value("x", "float32", [1, 3, 4, 4])];
  const outputs = [value("y", "float32")];

  it(
    "weights, biases, normalisation's scale and " + "shift; not its running mean and variance",
    async () => {
      const { parameters, constantElements, parameterBytes } = await inspected({
        inputs: input,
        outputs,
        nodes: [
          node("Conv", ["x", "w", "b"], ["c"]),
          node("BatchNormalization", ["c", "g", "h", "m", "v"], ["y"]),
        ],
        initializers: [
          weights("w", 2, 3, 1, 1),
          weights("b", 2),
          weights("g", 2),
          weights("h", 2),
          weights("m", 2),
          weights("v", 2),
        ],
      });
      expect([parameters, constantElements, parameterBytes]).toEqual([6 + 2 + 2 + 2, 16, 48]);
    },
  );

  it(
    "a bias that was exported on its own, but no " + "activation's constants and no clip bounds",
    async () => {
      const { parameters } = await inspected({
        inputs: input,
        outputs,
        nodes: [
          node("Conv", ["x", "w"], ["c"]),
          node("Add", ["c", "bias"], ["d"]),
          node("Add", ["c", "three"], ["e"]),
          node("Clip", ["e", "zero", "six"], ["f"]),
          node("Mul", ["d", "f"], ["g"]),
          node("Div", ["g", "six"], ["y"]),
        ],
        initializers: [
          weights("w", 2, 3, 1, 1),
          weights("bias", 1, 2, 1, 1),
          scalar("three", 3),
          scalar("zero", 0),
          scalar("six", 6),
        ],
      });
      expect(parameters).toBe(8);
    },
  );

  it("weights in Constant nodes and behind a transposition, and shared ones once", async () => {
    const { parameters } = await inspected({
      inputs: [value("x", "float32", [2, 3])],
      outputs,
      nodes: [
        node("Constant", [], ["w"], { value: { tensor: weights("", 4, 3) } }),
        node("Transpose", ["w"], ["t"]),
        node("MatMul", ["x", "t"], ["a"]),
        node("MatMul", ["x", "t"], ["b"]),
        node("Add", ["a", "b"], ["y"]),
      ],
    });
    expect(parameters).toBe(12);
  });

  it("an embedding table, but no list of numbers that Gather picks from", async () => {
    const { parameters } = await inspected({
      inputs: [value("x", "int64", [2])],
      outputs: [value("y", "float32"), value("z", "int64"), value("s", "float32")],
      nodes: [
        node("Gather", ["table", "x"], ["y"]),
        node("Gather", ["list", "x"], ["z"]),
        node("Gather", ["strides", "x"], ["s"]),
      ],
      initializers: [
        weights("table", 10, 4),
        tensor("list", [5], BigInt64Array.of(1n, 2n, 3n, 4n, 5n)),
        weights("strides", 4),
      ],
    });
    expect(parameters).toBe(40);
  });
});

describe("weights outside the file", () => {
  it("are refused, with the file that holds them and the fix", async () => {
    const external = concatBytes([
      integerField(1, 2),
      integerField(2, 1),
      bytesField(8, "w"),
      bytesField(13, [bytesField(1, "location"), bytesField(2, "weights.bin")]),
      integerField(14, 1),
    ]);
    const complaint = await complaintOf(
      inspected({
        inputs: [value("x", "float32", [2])],
        outputs: [value("y", "float32")],
        nodes: [node("Add", ["x", "w"], ["y"])],
        initializers: [external],
      }),
    );
    expect(complaint).toMatchObject({
      code: "onnx-external-data",
      path: "w",
      found: "no file weights.bin",
    });
    expect(complaint.fix).toMatch(/save_as_external_data=False/);
  });
});

describe.skipIf(!sharedData)("known networks", () => {
  it(
    "MobileNetV2 1.0-224 with 1001 classes: torchvision's 300,774,272 multiply-accumulates " +
      "and one class's 1280",
    async () => {
      const { work, parameters, quantisation } = await inspectOnnx(
        shared("models/mobilenet/mobilenet_v2_1.0_224_imagenet_fp32.onnx"),
      );
      expect(work.macs).toBe(300_774_272 + 1280);
      // torchvision's 3,504,872 less the 17,056 scales of batch normalisation, which are folded in,
      // and one class more.
      expect(parameters).toBe(3_504_872 - 17_056 + 1281);
      expect(quantisation).toBeNull();
    },
  );

  it("the same network in int8 has the same parameters and work", async () => {
    const { work, parameters, quantisation } = await inspectOnnx(
      shared("models/mobilenet/mobilenet_v2_1.0_224_imagenet_qdq_u8.onnx"),
    );
    expect([work.macs, parameters, quantisation]).toEqual([300_775_552, 3_489_097, "qdq"]);
  });

  it(
    "PicoDet-S at 320: PaddleDetection prints 0.99 M and 0.73 G operations with the layers " +
      "that are not counted here",
    async () => {
      const { work, parameters } = await inspectOnnx(
        shared("models/picodet/picodet_s_320_coco.onnx"),
      );
      expect(parameters / 1e6).toBeCloseTo(0.984, 3);
      expect((2 * work.macs!) / 1e9).toBeCloseTo(0.702, 3);
    },
  );
});
