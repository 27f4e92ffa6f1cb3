import { mkdtempSync, openSync, closeSync, ftruncateSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../../src/pipeline/errors.js";
import { parseOnnx, readOnnx } from "../../../src/pipeline/onnx/read-model.js";
import { bytesField, concatBytes, integerField } from "../../../src/pipeline/onnx/wire.js";
import { complaintOf } from "../../complaint.js";
import { shared, sharedData } from "../../shared-data.js";
import { graph, model, node, tensor, value, weights } from "./onnx-builder.js";

const small = model({
  inputs: [value("x", "float32", ["batch", 3, 8, 8]), value("w", "float32", [4, 3, 3, 3])],
  outputs: [value("y", "float32", ["batch", 4, 6, 6])],
  nodes: [node("Conv", ["x", "w"], ["y"], { kernel_shape: [3, 3] })],
  initializers: [weights("w", 4, 3, 3, 3)],
});

describe("reading an ONNX file's structure", () => {
  it("finds nodes, attributes, initializers, inputs and outputs", () => {
    const { graph: g, opsets, producer, irVersion } = parseOnnx(small, "small.onnx");
    expect([producer, irVersion, opsets]).toEqual([
      "onnx-builder",
      8,
      [{ domain: "", version: 13 }],
    ]);
    expect(g.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual([
      { name: "x", dtype: "float32", shape: ["batch", 3, 8, 8] },
    ]); // w is no input
    expect(g.outputs[0]).toMatchObject({ name: "y", shape: ["batch", 4, 6, 6] });
    expect(g.nodes[0]).toMatchObject({ op: "Conv", inputs: ["x", "w"], outputs: ["y"] });
    expect(g.nodes[0]!.attributes.get("kernel_shape")!.ints).toEqual([3, 3]);
    expect(g.initializers.get("w")).toMatchObject({
      dtype: "float32",
      dims: [4, 3, 3, 3],
      elements: 108,
    });
  });

  it("takes weights as views into the file", () => {
    expect(parseOnnx(small, "small.onnx").graph.initializers.get("w")!.raw!.buffer).toBe(
      small.buffer,
    );
  });

  it("reads -1, 0 and nothing as open dimensions, as Paddle writes them", () => {
    const open = model({
      inputs: [value("x", "float32", [-1, 0, 2])],
      outputs: [value("y", "float32")],
      nodes: [node("Relu", ["x"], ["y"])],
    });
    const { inputs, outputs } = parseOnnx(open, "open.onnx").graph;
    expect(inputs[0]!.shape).toEqual([null, null, 2]);
    expect(outputs[0]!.shape).toBeNull();
  });

  it("merges a graph that comes in two parts, as Protocol Buffers does", () => {
    const more = bytesField(7, [
      bytesField(1, node("Relu", ["y"], ["z"])),
      bytesField(12, value("z", "float32")),
    ]);
    const { graph: g } = parseOnnx(concatBytes([small, more]), "two.onnx");
    expect(g.nodes.map((n) => n.op)).toEqual(["Conv", "Relu"]);
    expect(g.outputs.map((o) => o.name)).toEqual(["y", "z"]);
  });

  it("reads the bodies of control flow", () => {
    const body = (name: string): Uint8Array =>
      graph({ nodes: [node("Relu", ["x"], [name])], outputs: [value(name, "float32")] });
    const conditional = model({
      inputs: [value("x", "float32", [2]), value("c", "bool", [1])],
      outputs: [value("y", "float32", [2])],
      nodes: [
        node("If", ["c"], ["y"], {
          then_branch: { graph: body("a") },
          else_branch: { graph: body("b") },
        }),
      ],
    });
    const [branch] = parseOnnx(conditional, "if.onnx").graph.nodes[0]!.attributes.get(
      "then_branch",
    )!.graphs;
    expect(branch!.nodes[0]!.op).toBe("Relu");
  });
});

describe("files that are no whole ONNX model", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "shitu-onnx-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each<[string, Uint8Array | string, RegExp]>([
    ["an empty file", "", /empty/],
    ["a text file", "this is a text file, not a model\n", /text file/],
    [
      "a Git LFS pointer",
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
      /LFS/,
    ],
    ["a zip archive", Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), /zip/],
    [
      "a TensorFlow Lite model",
      Uint8Array.of(0x1c, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33, 0, 0),
      /TensorFlow Lite/,
    ],
    ["half a model", small.subarray(0, small.length / 2), /cut short/],
    ["another protobuf message", bytesField(2, "hello"), /no graph/],
    [
      "a tensor that is shorter than its shape",
      model({
        inputs: [value("x", "float32", [1])],
        outputs: [value("y", "float32", [1])],
        nodes: [node("Add", ["x", "w"], ["y"])],
        initializers: [
          concatBytes([
            integerField(1, 1000),
            integerField(2, 1),
            bytesField(8, "w"),
            bytesField(9, new Uint8Array(4)),
          ]),
        ],
      }),
      /1000 elements and holds 1/,
    ],
  ])("refuses %s and says what it found", async (name, contents, found) => {
    const file = join(folder, `${name}.onnx`);
    writeFileSync(file, contents);
    const complaint = await complaintOf(readOnnx(file));
    expect(complaint).toMatchObject({ code: "onnx-unreadable", file });
    expect(complaint.found).toMatch(found);
    expect(complaint.fix).toBeTruthy();
  });

  it("refuses a file of 3 GB by its size, without reading it", async () => {
    const file = join(folder, "huge.onnx");
    const handle = openSync(file, "w");
    ftruncateSync(handle, 3e9); // sparse: takes no room on disk
    closeSync(handle);
    expect(await complaintOf(readOnnx(file))).toMatchObject({
      code: "onnx-unreadable",
      found: "a file of 3000000000 bytes",
    });
  });

  it("refuses a missing file and a folder", async () => {
    expect(await complaintOf(readOnnx(join(folder, "none.onnx")))).toMatchObject({
      code: "file-unreadable",
    });
    expect(await complaintOf(readOnnx(folder))).toMatchObject({ code: "file-unreadable" });
  });

  it("refuses the model cut at any byte", () => {
    for (let length = 0; length < small.length; length++) {
      expect(() => parseOnnx(small.subarray(0, length), "cut.onnx"), `${length} bytes`).toThrow(
        UserError,
      );
    }
  });

  it("never fails in another way, whatever bytes are changed", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(small.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (changes) => {
          const bytes = small.slice();
          for (const [at, byte] of changes) bytes[at] = byte;
          try {
            parseOnnx(bytes, "changed.onnx");
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("refuses graphs that nest without end", () => {
    let body = graph({ nodes: [], outputs: [value("y", "float32")] });
    for (let depth = 0; depth < 40; depth++)
      body = graph({
        nodes: [node("If", ["c"], ["y"], { then_branch: { graph: body } })],
        outputs: [value("y", "float32")],
      });
    expect(() =>
      parseOnnx(
        concatBytes([integerField(1, 8), bytesField(7, body), bytesField(8, integerField(2, 13))]),
        "deep.onnx",
      ),
    ).toThrow(/nested/);
  });

  it("says which tensor claims an impossible shape", () => {
    const bad = model({
      inputs: [],
      outputs: [value("y", "float32")],
      nodes: [],
      initializers: [tensor("w", [-3], new Float32Array(0))],
    });
    expect(() => parseOnnx(bad, "bad.onnx")).toThrow(/"w" has the shape \[-3\]/);
  });
});

describe.skipIf(!sharedData)("real exports", () => {
  it("agree with python3-onnx 1.12 on the number of nodes and initializers", async () => {
    const counts = async (file: string): Promise<number[]> => {
      const { graph: g } = await readOnnx(shared("models", file));
      return [g.nodes.length, g.initializers.size, g.inputs.length, g.outputs.length];
    };
    expect(await counts("picodet/picodet_s_320_coco.onnx")).toEqual([662, 279, 1, 8]);
    expect(await counts("picodet/picodet_xs_320_lcnet_postprocessed.onnx")).toEqual([
      549, 225, 2, 2,
    ]);
    expect(await counts("mobilenet/mobilenet_v2_1.0_224_imagenet_qdq_u8.onnx")).toEqual([
      302, 448, 1, 2,
    ]);
  });
});
