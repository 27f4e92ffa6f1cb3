import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterEach, describe, expect, it } from "vitest";
import { readOnnx } from "../../../src/pipeline/onnx/read-model.js";
import {
  floatTensor,
  intTensor,
  modelParts,
  writeOnnx,
  type DraftModel,
} from "../../../src/pipeline/onnx/write-model.js";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** y = reshape(leaky(x, 0.5), [4]) + b, and z = branch of an If. */
const model: DraftModel = {
  opset: 13,
  producer: "test",
  graph: {
    name: "g",
    inputs: [{ name: "x", dtype: "float32", shape: ["n", 2] }],
    outputs: [{ name: "y", dtype: "float32", shape: null }],
    initializers: [intTensor("shape", [4]), floatTensor("b", [4], Float32Array.of(1, 2, 3, 4))],
    nodes: [
      { op: "LeakyRelu", inputs: ["x"], outputs: ["l"], attributes: { alpha: { float: 0.5 } } },
      { op: "Reshape", inputs: ["l", "shape"], outputs: ["r"], name: "reshape" },
      { op: "Add", inputs: ["r", "b"], outputs: ["y"] },
    ],
  },
};

describe("writeOnnx", () => {
  it("writes what ONNX Runtime runs and the reader reads", async () => {
    const folder = mkdtempSync(join(tmpdir(), "shitu-write-onnx-"));
    folders.push(folder);
    const file = join(folder, "m.onnx");
    await writeOnnx(file, model);
    const session = await InferenceSession.create(file);
    const x = new Tensor("float32", Float32Array.of(-2, 2, -4, 4), [2, 2]);
    const { y } = await session.run({ x });
    expect([...(y!.data as Float32Array)]).toEqual([0, 4, 1, 8]);
    const read = await readOnnx(file);
    expect(read.graph.inputs[0]).toMatchObject({ dtype: "float32", shape: ["n", 2] });
    expect(read.graph.nodes.map((n) => [n.op, n.name])).toEqual([
      ["LeakyRelu", ""],
      ["Reshape", "reshape"],
      ["Add", ""],
    ]);
  });

  it("refuses a tensor whose contents do not fill its shape", () => {
    const short = { ...model.graph, initializers: [floatTensor("b", [5], new Float32Array(4))] };
    expect(() => modelParts({ ...model, graph: short })).toThrow(
      "tensor b: [5] of float32 is not 16 bytes",
    );
  });
});
