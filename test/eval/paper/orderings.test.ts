import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareTable } from "../../../src/eval/paper/paper-comparison.js";
import { summarize } from "../../../src/eval/paper/paper-summary.js";
import { readPaper } from "../../../src/eval/paper/paper-tables.js";
import type { Case, CaseFound } from "../../../src/eval/record/case.js";
import type { Cell, Finding, RunRecord } from "../../../src/eval/record/record.js";
import { projectRoot } from "../../../src/pipeline/root.js";

const paper = await readPaper(join(projectRoot, "configs", "paper", "tables.yaml"));
type Completed = Extract<Cell, { state: "completed" }>;

interface Made {
  readonly cell: Completed;
  readonly cases: readonly Case[];
}

function compared(n: number, made: readonly Made[]) {
  const record = { cells: made.map((m) => m.cell) } as unknown as RunRecord;
  const cases = (): Case[] => made.flatMap((m) => m.cases);
  return compareTable(
    paper.tables.find((t) => t.table === n)!,
    [{ key: "r", record, cases }],
  );
}

function cellOf(id: string, labels: Record<string, string>, more: Partial<Completed>): Completed {
  const rest = { versions: {}, errors: [], notes: [], scores: [] };
  return { id, kind: "k", labels, ...rest, ...more, state: "completed" } as Completed;
}

const row = (cell: string, item: string, more: Partial<Case>): Case => ({
  ...{ cell, item, image: item, outcome: "none", truth: null, prediction: null, score: null },
  ...{ rank: null, neighbours: null, boxes: null, width: 9, height: 9, lostAt: null },
  ...{ stageMs: null },
  ...more,
});

/** A model of Table 8 on Aliproduct; `right` of a hundred queries are hits. */
function recall(model: string, right: (i: number) => boolean, labels = 100): Made {
  const cases = Array.from({ length: 100 }, (_, i) =>
    row(model, `q${i}`, { outcome: right(i) ? "hit" : "miss", truth: `t${i % labels}` }),
  );
  const value = cases.filter((c) => c.outcome === "hit").length / 100;
  const interval = { low: value - 0.09, high: value + 0.09, level: 0.95, method: "w", units: 100 };
  const score = { metric: "recall@1", unit: "ratio", better: "higher", value, n: 100, interval };
  const paperLabels = { paperTable: "8", paperModel: model, paperDataset: "Aliproduct" };
  return { cell: cellOf(model, paperLabels, { scores: [score] as Completed["scores"] }), cases };
}

const [plain, dml, udml] = ["PP-LCNet-2.5x", "PP-LCNet-2.5x + DML", "PP-LCNet-2.5x + U-DML"];

describe("orderings of the paper's models", () => {
  it("are decided on shared queries where unpaired intervals overlap", () => {
    // The paper: DML .841, plain .839. Ours .60 and .70, intervals of 0.18: ten queries differ.
    const { orderings } = compared(8, [recall(plain, (i) => i < 60), recall(dml, (i) => i < 70)]);
    expect(orderings).toMatchObject([
      { better: dml, worse: plain, column: "Aliproduct", verdict: "kept", by: "McNemar" },
    ]);
    // Ten of ten discordant: 2 x 2^-10, of which mid-p counts half.
    expect(orderings[0]!.p).toBeCloseTo(2 ** -10, 6);
  });

  it("are reversed where the test says the opposite, undecided where it says nothing", () => {
    const of = (a: number, b: number) =>
      compared(8, [recall(plain, (i) => i < a), recall(dml, (i) => i < b)]).orderings[0]!;
    expect(of(70, 60).verdict).toBe("reversed");
    expect(of(60, 62)).toMatchObject({ verdict: "undecided", by: "McNemar", p: 0.25 });
    expect(of(60, 60).verdict).toBe("undecided");
  });

  it("take queries of one label together", () => {
    const made = (labels: number) =>
      compared(8, [
        recall(plain, (i) => i % 10 < 6, labels),
        recall(dml, (i) => i % 10 < 7, labels),
      ]).orderings[0]!;
    expect(made(100).verdict).toBe("kept");
    // All that differ are of one label: one unit, which tells nothing.
    expect(made(10).verdict).toBe("undecided");
  });

  it("are corrected after Holm over the table", () => {
    const two = [recall(plain, (i) => i < 60), recall(dml, (i) => i < 66)];
    // 2^-6 = .0156 alone; as the surest of six tests it is six times as much.
    expect(compared(8, two).orderings[0]).toMatchObject({ verdict: "kept" });
    const wide = (model: string, set: string): Made => {
      const { cell, cases } = recall(model, (i) => i < 60);
      const id = `${model} ${set}`;
      const labels = { ...cell.labels, paperDataset: set };
      return { cell: { ...cell, id, labels }, cases: cases.map((c) => ({ ...c, cell: id })) };
    };
    const sets = ["VeRI-Wild", "LogoDet-3K", "iCartoonFace", "SOP", "Inshop"];
    const more = [...two, ...sets.flatMap((set) => [wide(plain!, set), wide(dml!, set)])];
    const [first] = compared(8, more).orderings;
    expect(first).toMatchObject({ column: "Aliproduct", verdict: "undecided" });
    expect(first!.p).toBeCloseTo(6 * 2 ** -6, 6);
  });

  it("say why nothing could be tested", () => {
    const a = recall(plain, (i) => i < 60);
    const b = recall(dml, (i) => i < 90);
    const by = (made: readonly Made[]) => compared(8, made).orderings[0];
    expect(by([a, { ...b, cases: [] }])).toMatchObject({
      verdict: "undecided",
      by: "no cases of it are there",
      p: null,
    });
    expect(by([a, { ...b, cases: b.cases.slice(1) }])!.by).toMatch(
      /not measured on the same items/,
    );
    expect(summarize(compared(8, [a, b, recall(udml, (i) => i < 60)]))).toMatchObject({
      kept: 1,
      reversed: 0,
      undecided: 1, // plain and U-DML, which are equal here; the paper tells no two others apart
    });
  });

  it("are those of exact figures as they stand", () => {
    const size = (model: string, value: number): Made => {
      const score = { metric: "model-size", unit: "bytes", better: "lower", value, n: 1 };
      const scores = [{ ...score, interval: null }] as Completed["scores"];
      return { cell: cellOf(model, { paperTable: "3", paperModel: model }, { scores }), cases: [] };
    };
    const { orderings } = compared(3, [size("PP-YOLOv2", 219e6), size("PP-PicoDet", 29e6)]);
    expect(orderings).toMatchObject([
      { better: "PP-PicoDet", worse: "PP-YOLOv2", verdict: "kept", by: "exact figures", p: null },
    ]);
  });
});

describe("orderings of detectors", () => {
  const truth = { x0: 0, y0: 0, x1: 9, y1: 9, label: null, stage: null };
  const box = (x: number): CaseFound => {
    const corners = { x0: x, y0: 0, x1: x + 9, y1: 9 };
    return { ...corners, score: 0.9, label: null, fate: "kept", neighbours: null };
  };
  /** Finds the object of every picture, one pixel aside in `blurred` of them. */
  const detector = (model: string, blurred: (i: number) => boolean): Made => {
    const cases = Array.from({ length: 60 }, (_, i) =>
      row(model, `p${i}`, { boxes: { truth: [truth], found: [box(blurred(i) ? 2 : 0)] } }),
    );
    const interval = { low: 0, high: 1, level: 0.95, method: "b", units: 60 };
    const score = { metric: "AP", unit: "ratio", better: "higher", value: 0.5, n: 60, interval };
    const labels = { paperTable: "4", paperModel: model, paperDataset: "RPC", classes: "agnostic" };
    return { cell: cellOf(model, labels, { scores: [score] as Completed["scores"] }), cases };
  };

  it("come from AP on the pictures drawn alike for both", () => {
    const [server, light] = ["PP-YOLO R50-vd-DCNv2", "PP-PicoDet"] as const;
    const of = (few: number) =>
      compared(4, [detector(server, () => true), detector(light, (i) => i >= few)]).orderings[0];
    // The paper on RPC: PP-PicoDet .570, PP-YOLO .312.
    expect(of(40)).toMatchObject({
      better: light,
      column: "RPC",
      verdict: "kept",
      by: "paired bootstrap of pictures",
    });
    expect(of(2)).toMatchObject({ verdict: "undecided" });
    expect(of(0)).toMatchObject({ verdict: "undecided", p: 1 });
  });
});

describe("orderings of times", () => {
  const [server, light] = ["Server Model", "PP-ShiTu"] as const;
  const system = (name: string): Made => {
    const interval = { low: 1, high: 2, level: 0.95, method: "o", units: 9 };
    const head = { metric: "latency", unit: "ms", better: "lower", of: { stage: "detect" } };
    const scores = [{ ...head, value: 1.5, n: 9, interval }] as Completed["scores"];
    return { cell: cellOf(name, { paperTable: "9", paperSystem: name }, { scores }), cases: [] };
  };
  const turns = (verdict: string, stage?: string): Made => {
    const of = { first: server, second: light, ...(stage && { stage }) };
    const finding: Finding = { about: "comparison", of, verdict, why: "w" };
    return { cell: cellOf("t", { systems: "s" }, { findings: [finding] }), cases: [] };
  };

  it.each([
    ["faster", "detect", "kept", "rounds in turns"],
    ["slower", "detect", "reversed", "rounds in turns"],
    ["cannot tell", "detect", "undecided", "cannot tell: w"],
    ["faster", "search", "undecided", "the two were not timed in turns"],
    ["faster", undefined, "undecided", "the two were not timed in turns"],
  ])("take the verdict of the stage's rounds: %s in %s", (said, stage, verdict, by) => {
    const { orderings } = compared(9, [system(server), system(light), turns(said, stage)]);
    expect(orderings.filter((o) => o.column === "Detection")).toMatchObject([
      { better: `${light}, Xeon Gold 6148`, verdict, by },
      { better: `${light}, Core i5-6300U`, verdict, by },
    ]);
  });
});
