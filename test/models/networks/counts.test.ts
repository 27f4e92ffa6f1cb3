import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { networkModel } from "../../../models/networks/build-network.js";
import { networkNamed } from "../../../models/networks/catalogue.js";
import { blankWeights } from "../../../models/networks/drawn-weights.js";
import { networkCost } from "../../../models/networks/network-cost.js";
import { countAsPaddle } from "../../../src/pipeline/onnx/paddle-counts.js";
import { parseOnnx, type OnnxModel } from "../../../src/pipeline/onnx/read-model.js";
import { probeFeeds, traceShapes, type Shapes } from "../../../src/pipeline/onnx/trace.js";
import { concatBytes } from "../../../src/pipeline/onnx/wire.js";
import { modelParts } from "../../../src/pipeline/onnx/write-model.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { complaintOf } from "../../complaint.js";
import { paddleReferences } from "./paddle-reference.js";

function blank(name: string, size?: number): { model: OnnxModel; shapes: Shapes } {
  const { model, shapes } = networkModel(networkNamed(name), blankWeights, size);
  return { model: parseOnnx(concatBytes(modelParts(model)), name), shapes };
}

/** Whether a printed number is the value, rounded or cut to its digits. */
function prints(printed: string, millions: number): boolean {
  const unit = 10 ** -(printed.split(".")[1]?.length ?? 0);
  const value = Number(printed);
  return Math.abs(value - millions) <= unit / 2 || (value <= millions && millions < value + unit);
}

describe("the paper's networks, counted", () => {
  it.each(paddleReferences)("$network has Paddle's numbers, to the last one", (reference) => {
    const { paddle, work, parameters } = networkCost(networkNamed(reference.network));
    expect(paddle.parameters).toBe(reference.all);
    expect(parameters).toBe(reference.trainable);
    expect(work.macs).toBe(reference.macs);
    const pools = reference.ownPool ? paddle.flopsByOperator.GlobalAveragePool! : 0;
    expect(paddle.flops - pools).toBe(reference.flops);
  });

  it("prints as Table 6 does, all 26 numbers", () => {
    const printed = paddleReferences.filter((r) => r.printed !== undefined);
    expect(printed).toHaveLength(13);
    for (const reference of printed) {
      const { paddle } = networkCost(networkNamed(reference.network));
      const found = [
        prints(reference.printed!.params, paddle.parameters / 1e6),
        prints(reference.printed!.flops, paddle.flops / 1e6),
      ];
      expect(found, reference.network).toEqual([true, true]);
    }
  });

  it("stands operator by operator in the audit where Paddle's count disagrees", () => {
    const audit = readFileSync(join(projectRoot, "docs/methodology/paper-audit.md"), "utf8");
    const { work, paddle } = networkCost(networkNamed("mobilenet-v3-small-0.35x"));
    const told = (n: number): string => n.toLocaleString("en-US");
    const row = (name: string, macs: number, flops: number): RegExp =>
      new RegExp(`\\| ${name} +\\| +${told(macs)} \\| +${told(flops)} \\|`);
    for (const [operator, flops] of Object.entries(paddle.flopsByOperator))
      expect(audit).toMatch(row(operator, work.macsByOperator[operator] ?? 0, flops));
    expect(audit).toMatch(row("all", work.macs, paddle.flops));
    const reference = paddleReferences.find((r) => r.network === "mobilenet-v3-small-0.35x")!;
    expect(audit).toContain(told(reference.flops));
  });

  it.each([
    // Released graph: 6,633,116 values, 8 of them the projection of the distances' distributions.
    ["picodet-lcnet-2.5x-mainbody", 6633116 - 8],
    // PaddleDetection's model: 7,126,676, 4 of them scales that its head makes and never uses.
    ["picodet-lcnet-2.5x", 7126676 - 4],
    ["rec-pp-lcnet-2.5x", 8419792],
  ])("%s has %d parameters", (name, parameters) => {
    expect(networkCost(networkNamed(name)).paddle.parameters).toBe(parameters);
  });

  it.each([
    "mobilenet-v3-small-0.35x",
    "shufflenet-v2-0.5x",
    "resnet50-last-stride-1",
    "pp-yolo-v2",
    "picodet-lcnet-2.5x",
  ])("%s: shapes are those of a run", async (name) => {
    const { model, shapes } = blank(name, 96);
    const traced = await traceShapes(model, probeFeeds(model.graph.inputs, name), []);
    expect(traced.size).toBeGreaterThan(150);
    for (const [value, dims] of traced) expect([value, shapes.get(value)]).toEqual([value, dims]);
  });

  it("says nothing where batch norms are folded away", () => {
    const { graph, ...model } = blank("pp-lcnet-0.25x").model;
    const nodes = graph.nodes.filter((n) => n.op !== "BatchNormalization");
    const folded = countAsPaddle({ ...model, graph: { ...graph, nodes } }, new Map());
    expect(folded).toMatchObject({ parameters: null });
  });
});

describe("names, widths and sizes", () => {
  it("takes any width of a family that has any", () => {
    expect(networkNamed("pp-lcnet-0.75x").title).toBe("PP-LCNet-0.75x");
  });

  it.each([
    ["shufflenet-v2-0.6x", "shufflenet-v2-0.5x is the nearest"],
    ["pp-lcnet-9x", "pp-lcnet-2.5x is the nearest"],
    ["pplcnet", "is near it"],
    ["picodet", "picodet-lcnet-2.5x"],
  ])("refuses %s and names the nearest", async (name, fix) => {
    const complaint = await complaintOf(() => networkNamed(name));
    expect(complaint.code).toBe("unknown-network");
    expect(complaint.fix).toContain(fix);
  });

  it.each([
    [225, "--size 224"],
    [0, "--size 64"],
    [1e9, "--size 2048"],
    [Number.NaN, "--size 224"],
  ])("refuses pictures of %d pixels", async (size, fix) => {
    const complaint = await complaintOf(() => blank("pp-lcnet-0.25x", size));
    expect(complaint).toMatchObject({
      code: "network-size",
      fix,
    });
  });
});
