import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allNodes, quantisation } from "../../src/pipeline/onnx/weights.js";
import { parseOnnx } from "../../src/pipeline/onnx/read-model.js";
import { concatBytes } from "../../src/pipeline/onnx/wire.js";
import { shared, sharedData } from "../shared-data.js";
import { npyTensor } from "./npy-tensor.js";
import { importFolder, relativeDifference, runImported } from "./run-imported.js";

const folder = (...path: string[]): string => shared("paddle-small", ...path);

describe.skipIf(!sharedData)("small Paddle models made elsewhere", () => {
  describe.each(["old", "pir"])("%s format", (format) => {
    it.each(["tiny_lcnet", "opzoo"])("%s gives Paddle's output", async (name) => {
      const imported = await importFolder(folder(name, format));
      const [found] = await runImported(imported, [npyTensor(folder(name, "x.npy"))]);
      expect(relativeDifference(found!, npyTensor(folder(name, "y.npy")))).toBeLessThan(1e-5);
    });

    it("a quantised model becomes QDQ with integer weights and gives Paddle's output", async () => {
      const imported = await importFolder(folder("tiny_lcnet_ptq", format));
      const [found] = await runImported(imported, [npyTensor(folder("tiny_lcnet", "x.npy"))]);
      const reference = npyTensor(folder("tiny_lcnet_ptq", `y_${format}.npy`));
      expect(relativeDifference(found!, reference)).toBeLessThan(1e-5);
      const model = parseOnnx(concatBytes(imported.parts), "imported");
      expect(quantisation(model)).toBe("qdq");
      const weights = [...model.graph.initializers.values()].filter((t) => t.dtype === "int8");
      expect(weights.filter((t) => t.dims.length > 1)).toHaveLength(33);
    });
  });

  it("batch norms fold into convolutions unless they are to be kept", async () => {
    const folded = await importFolder(folder("tiny_lcnet", "old"));
    const kept = await importFolder(folder("tiny_lcnet", "old"), { keepNorms: true });
    expect(folded.report.onnxOperators["BatchNormalization"]).toBeUndefined();
    expect(kept.report.onnxOperators["BatchNormalization"]).toBe(27);
    const x = [npyTensor(folder("tiny_lcnet", "x.npy"))];
    const [a] = await runImported(folded, x);
    const [b] = await runImported(kept, x);
    expect(relativeDifference(a!, b!)).toBeLessThan(1e-6);
  });
});

describe.skipIf(!sharedData)("the official graphs, parameters drawn", () => {
  const official = (name: string): string => join(shared("models", "paddle"), name);

  it("the recogniser: 512 numbers, PP-LCNet's operators, open batch", async () => {
    const { report } = await importFolder(official("general_PPLCNet_x2_5_lite_v1.0_infer"), {
      drawSeed: 1,
    });
    expect(report.parameters).toEqual({ tensors: 146, elements: 8_419_792 });
    expect(report.inputs[0]?.shape).toEqual(["N", 3, 224, 224]);
    expect(report.outputs[0]?.shape).toEqual(["N", 512]);
    expect(report.onnxOperators).toMatchObject({ Conv: 32, HardSwish: 28, MatMul: 1 });
  });

  const detector = official("picodet_PPLCNet_x2_5_mainbody_lite_v1.0_infer");

  it("the detector: its loop over the batch is run at import, suppression is inside", async () => {
    const { model, report, card } = await importFolder(detector, { drawSeed: 1 });
    expect(report.form).toBe("nms-inside");
    expect(report.parameters.elements).toBe(6_633_116);
    expect(report.outputs[0]?.shape?.[1]).toBe(6);
    expect(model.graph.nodes.filter((n) => ["Loop", "If"].includes(n.op))).toEqual([]);
    expect(card).toContain("interpolation: cubic # infer_cfg.yml: Preprocess[0] Resize");
    expect(card).toContain('- "foreground"');
  });

  it("the detector cut before its suppression: boxes and scores of every place", async () => {
    const { report, parts } = await importFolder(detector, { drawSeed: 1, form: "decoded" });
    expect(report.outputs.map((o) => o.shape)).toEqual([
      [1, 2500, 4],
      [1, 1, 2500],
    ]);
    expect(report.inputs.map((i) => i.name)).toEqual(["image"]);
    const model = parseOnnx(concatBytes(parts), "imported");
    expect(allNodes(model.graph).some((n) => n.op === "NonMaxSuppression")).toBe(false);
  });
});
