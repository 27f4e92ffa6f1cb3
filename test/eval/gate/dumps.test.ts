import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNpy } from "../../../datasets/formats/npy.js";
import { compareDumps, isDumpFolder } from "../../../src/eval/gate/dumps.js";
import { parseOnnx, type OnnxModel } from "../../../src/pipeline/onnx/read-model.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { complaintOf } from "../../complaint.js";
import { model, node, value } from "../../pipeline/onnx/onnx-builder.js";

const folders = { paddle: "" };
let small: OnnxModel;
beforeAll(async () => {
  folders.paddle = mkdtempSync(join(tmpdir(), "shitu-dumps-"));
  const bytes = model({
    inputs: [value("x", "float32", [1, 4])],
    outputs: [value("out", "float32", [1, 4])],
    nodes: [node("Relu", ["x"], ["inner/relu"]), node("Sqrt", ["inner/relu"], ["out"])],
  });
  small = parseOnnx(bytes, "small.onnx");
  await dump("x0", [1, 4, 9, -1]);
});
afterAll(() => {
  rmSync(folders.paddle, { recursive: true });
});

const dump = (name: string, values: number[]) =>
  writeNpy(join(folders.paddle, `${name}.npy`), Float32Array.from(values), [1, values.length]);

describe("tensors of another framework", () => {
  it("that agree prove an export, inner values too", async () => {
    await dump("y0", [1, 2, 3, 0]);
    await dump("inner%2Frelu", [1, 4, 9, 0]);
    await dump("elsewhere", [1]);
    const found = await compareDumps(folders.paddle, small, "same");
    expect(found).toMatchObject({ healthy: true, unknown: ["elsewhere.npy"] });
    expect(found.rows.map((r) => [r.value, r.relative])).toEqual([
      ["inner/relu", 0],
      ["out", 0],
    ]);
  });

  it("name the first value, in the order of computation, that does not", async () => {
    await dump("y0", [1, 2, 3, 0]);
    await dump("inner%2Frelu", [1, 4, 9.9, 0]);
    const found = await compareDumps(folders.paddle, small, "same");
    expect(found.healthy).toBe(false);
    // 10 log10((1 + 16 + 98.01) / 0.81), by hand: 21.5 dB.
    expect(found.sentence).toBe(
      "inner%2Frelu.npy: inner/relu agrees to 21.5 dB where 60 are usual",
    );
    expect(found.rows[0]!.relative).toBeCloseTo(0.9 / 9.9, 6);
  });

  it("of another size, or of nothing in the graph, never agree", async () => {
    await dump("inner%2Frelu", [1, 4, 9]);
    const found = await compareDumps(folders.paddle, small, "same");
    expect(found.sentence).toBe("inner%2Frelu.npy: inner/relu has another size");
    const bare = mkdtempSync(join(tmpdir(), "shitu-dumps-"));
    cpSync(join(folders.paddle, "x0.npy"), join(bare, "x0.npy"));
    expect(isDumpFolder(bare)).toBe(true);
    expect((await complaintOf(compareDumps(bare, small, "same"))).code).toBe("dump-empty");
    rmSync(join(bare, "x0.npy"));
    writeFileSync(join(bare, "y0.npy"), "not an array");
    expect((await complaintOf(compareDumps(bare, small, "same"))).code).toBe("dump-inputs");
    rmSync(bare, { recursive: true });
  });

  it("are no folder of a model", () => {
    expect(isDumpFolder(join(projectRoot, "models", "light-general"))).toBe(false);
  });
});
