import { describe, expect, it } from "vitest";
import { growthCurves, growthRows } from "../../reports/analysis/choice-view.js";
import {
  chosenRecall,
  familyOf,
  indexPoints,
  pickIndex,
  recallDomain,
  shownPoints,
  usablePoints,
} from "../../reports/analysis/index-choice.js";
import type { CompletedCell } from "../../reports/analysis/record-view.js";
import { choiceView } from "../../reports/build/choice.js";

type Scores = readonly (readonly [string, "ratio" | "ms" | "bytes", number])[];
const cell = (index: string, scores: Scores, labels = {}): CompletedCell => ({
  id: index,
  kind: "index",
  labels: { index, codes: "real", ...labels },
  versions: {},
  state: "completed",
  scores: scores.map(([metric, unit, value]) => ({
    ...{ metric, unit, value, better: "higher" as const, n: 100, interval: null },
  })),
  errors: [],
  notes: [],
});
const costs = (ms: number): Scores => [
  ["retrieval-time", "ms", ms],
  ["memory", "bytes", 2 ** 20],
];

describe("the points of an index sweep", () => {
  it("carry the parameters that their index does not name itself", () => {
    const [sweep, choice] = indexPoints([
      cell("IVF64,Flat", costs(1), { nprobe: "8" }),
      cell("IVF64,Flat nprobe 8", costs(1), { nprobe: "8" }),
    ]);
    expect([sweep!.name, choice!.name]).toEqual(["IVF64,Flat nprobe 8", "IVF64,Flat nprobe 8"]);
  });

  it("of a choice without labels are chosen by neighbour recall, at the fewest neighbours", () => {
    const points = indexPoints([
      cell("Flat", [["neighbour-recall@10", "ratio", 1], ...costs(9)]),
      cell("HNSW32", [
        ["neighbour-recall@10", "ratio", 0.9],
        ["neighbour-recall@1", "ratio", 0.97],
        ["neighbour-recall@10-after-deletes", "ratio", 0.5],
        ...costs(1),
      ]),
    ]);
    expect(points.map((p) => [p.neighbourRecall, p.neighbours])).toEqual([
      [1, 10],
      [0.97, 1],
    ]);
    expect(chosenRecall(points)).toBe("neighbourRecall");
    const open = { maximumMs: 100, maximumBytes: 1e9, mustDelete: false };
    expect(pickIndex(points, { ...open, minimumRecall: 0.95 }).pick?.name).toBe("HNSW32");
    expect(pickIndex(points, { ...open, minimumRecall: 0.98 }).pick?.name).toBe("Flat");
  });

  it("of codes beside real vectors go by the neighbours of these, or by none", () => {
    const sign = { codes: "sign" };
    const known = cell("BFlat", [["neighbour-recall@1", "ratio", 0.6], ...costs(1)], sign);
    const scores = known.scores.map((s) =>
      s.metric === "neighbour-recall@1" ? { ...s, of: { neighbours: "of the real vectors" } } : s,
    );
    const real = cell("Flat", [["neighbour-recall@1", "ratio", 1], ...costs(9)]);
    const recalls = (cells: CompletedCell[]) => indexPoints(cells).map((p) => p.neighbourRecall);
    expect(recalls([known, real])).toEqual([null, 1]);
    expect(recalls([{ ...known, scores }, real])).toEqual([0.6, 1]);
    expect(recalls([known])).toEqual([0.6]);
  });

  it("without a time or any recall are of no use; the rest is shown as it stands", () => {
    const usable = usablePoints(
      indexPoints([
        cell("Flat", [["label-recall@1", "ratio", 1], ...costs(9)]),
        cell("IVF8,Flat", [["label-recall@1", "ratio", 0.8], ...costs(1)]),
        cell("IVF9,Flat", [["label-recall@1", "ratio", 0.7], ...costs(2)]),
        cell("HNSW32", [["label-recall@1", "ratio", 0.9]]),
      ]),
    );
    expect(usable.map((p) => p.name)).toEqual(["Flat", "IVF8,Flat", "IVF9,Flat"]);
    const limits = { minimumRecall: 0.75, maximumMs: 5, maximumBytes: 1e9, mustDelete: false };
    const shown = shownPoints(usable, pickIndex(usable, limits));
    expect(shown.map((p) => [p.state, p.front, p.mib])).toEqual([
      ["out", true, 1],
      ["pick", true, 1],
      ["out", false, 1],
    ]);
  });

  it("belong to families, a shortlist to its own", () => {
    const of = ["two-stage Shortlist,BFlat shortlist 40", "HNSW32,SQ8", "IVF4,PQ8", "SQ8"];
    expect(of.map(familyOf)).toEqual(["two-stage", "HNSW", "IVF", "other"]);
  });

  it("leave room on an axis, never far above 1", () => {
    expect(recallDomain([0.99, 1])).toEqual([0.97, 1.01]);
    expect(recallDomain([0.5, 1])[0]).toBeCloseTo(0.47, 12);
  });
});

describe("growth", () => {
  const time = {
    figure: "buildMs",
    samples: [{ size: 4000, value: 2000 }],
    predictions: [{ size: 1000, value: 500, ci: [400, 600] as const, extrapolated: false }],
  };

  it("is told by size, in the unit of its axis", () => {
    expect(growthRows(time)).toEqual([
      { size: 1000, value: 0.5, low: 0.4, high: 0.6, kind: "extrapolated" },
      { size: 4000, value: 2, low: null, high: null, kind: "measured" },
    ]);
  });

  it("is a curve from two sizes on", () => {
    const answer = {
      schema: 1,
      gallery: { vectors: 3 },
      faiss: "f",
      pick: null,
      sure: false,
      families: [{ family: "Flat", because: "limits", why: "w", best: { name: "Flat" } }],
      growth: { figures: [{ ...time, predictions: [] }, time] },
      warnings: [{ code: "c", message: "m" }],
    };
    const view = choiceView(JSON.parse(JSON.stringify(answer)));
    expect(view).toMatchObject({ vectors: 3, pick: null, warnings: ["m"] });
    expect(view!.families).toEqual([{ family: "Flat", because: "limits", why: "w", best: "Flat" }]);
    expect(growthCurves(view).map((f) => f.predictions.length)).toEqual([1]);
    expect(choiceView({ ...answer, growth: { why: "one size" } })!.growth).toEqual([]);
    expect(choiceView({})).toBeNull();
    expect(() => choiceView({ schema: 2 })).toThrow();
    expect(growthCurves(null)).toEqual([]);
  });
});
