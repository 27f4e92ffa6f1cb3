import { defaultIntervals } from "../../../src/eval/stats/interval-plan.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Case } from "../../../src/eval/record/case.js";
import { compareRecords, type LoadedRecord } from "../../../src/eval/compare/compare-records.js";
import type { RunRecord } from "../../../src/eval/record/record.js";

const empty = {
  image: null,
  truth: "t",
  prediction: null,
  score: null,
  rank: null,
  neighbours: null,
  boxes: null,
  width: null,
  height: null,
  lostAt: null,
  stageMs: null,
};

let made = 0;
function loaded(
  cells: {
    kind?: string;
    labels: Record<string, string>;
    rows: (Partial<Case> & { outcome: Case["outcome"] })[];
  }[],
): LoadedRecord {
  const record: RunRecord = {
    schema: 2,
    id: `r${made++}`,
    state: "completed",
    experiment: {
      name: "t",
      title: "t",
      version: 1,
      protocol: "standard",
      config: {},
      configHash: "0",
      intervals: { ...defaultIntervals },
    },
    provenance: {
      startedAt: "2026-01-01T00:00:00Z",
      finishedAt: "2026-01-01T00:00:00Z",
      tool: "t",
      commit: null,
      machine: {},
      versions: {},
    },
    cells: cells.map(({ kind = "retrieval", labels }, i) => ({
      id: `c${i}`,
      kind,
      labels,
      versions: {},
      state: "completed",
      scores: [],
      errors: [],
      notes: [],
    })),
  };
  return {
    record,
    cases: cells.flatMap(({ rows }, i) =>
      rows.map((row, j) => ({ ...empty, item: `${j}.jpg`, truth: `t${j}`, ...row, cell: `c${i}` })),
    ),
  };
}
const outcomes = (text: string): { outcome: Case["outcome"] }[] =>
  [...text].map((c) => ({
    outcome: ({ "+": "hit", "-": "miss", "!": "error", "0": "none" } as const)[c]!,
  }));
const one = (text: string, labels: Record<string, string> = { model: "m" }): LoadedRecord =>
  loaded([{ labels, rows: outcomes(text) }]);

describe("comparing two records", () => {
  it("pairs hits and misses: by hand", () => {
    // 8 items, 1 lost, 5 gained: mid-p = 2 (P(X < 1) + P(X = 1) / 2) of Binomial(6, 1/2) = 2 (1/64
    // + 3/64) = 1/8.
    const { pairs } = compareRecords(one("+-----++"), one("-+++++++"));
    expect(pairs[0]).toMatchObject({
      metric: "recall@1",
      n: 8,
      first: 3 / 8,
      second: 7 / 8,
      difference: 4 / 8,
      p: expect.closeTo(0.125, 12) as number,
      verdict: "no difference shown",
    });
    expect(pairs[0]!.lost.map((f) => f.item)).toEqual(["0.jpg"]);
    expect(pairs[0]!.gained).toHaveLength(5);
  });

  it(
    "counts an item that could not be measured as a miss, and leaves out what has no right " +
      "answer in either",
    () => {
      const { pairs } = compareRecords(one("++00!"), one("+!00+"));
      expect(pairs[0]).toMatchObject({ n: 3, first: 2 / 3, second: 2 / 3 });
    },
  );

  it("corrects over the table: what is plain alone may not be among many", () => {
    const [before, after] = ["-".repeat(8), "+".repeat(6) + "--"];
    const lone = compareRecords(one(before), one(after)).pairs[0]!;
    expect(lone).toMatchObject({ verdict: "better", p: lone.pAdjusted });
    const many = (first: string): LoadedRecord =>
      loaded(
        ["a", "b", "c", "d"].map((model, i) => ({
          labels: { model },
          rows: outcomes(i === 0 ? first : before),
        })),
      );
    const first = compareRecords(many(before), many(after)).pairs[0]!;
    expect(first.p).toBe(lone.p);
    expect(first.pAdjusted).toBeCloseTo(4 * lone.p, 12);
    expect(first.verdict).toBe("no difference shown");
  });

  it("turns round with its arguments", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("+", "-"), minLength: 3, maxLength: 40 }),
        fc.infiniteStream(fc.boolean()),
        (a, flip) => {
          const b = [...a].map((c) => (flip.next().value ? (c === "+" ? "-" : "+") : c)).join("");
          const [there, back] = [
            compareRecords(one(a), one(b)).pairs[0]!,
            compareRecords(one(b), one(a)).pairs[0]!,
          ];
          expect(there.difference).toBeCloseTo(-back.difference, 12);
          expect(there.p).toBeCloseTo(back.p, 12);
          expect(there.lost.map((f) => f.item)).toEqual(back.gained.map((f) => f.item));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("compares shares of objects by a paired bootstrap", () => {
    const scenes = (scores: (number | null)[]): LoadedRecord =>
      loaded([
        {
          kind: "pipeline",
          labels: { system: "s" },
          rows: scores.map((score) => ({ score, outcome: score === 1 ? "hit" : "miss" })),
        },
      ]);
    const base = Array.from({ length: 40 }, (_, i) => (i % 5) / 5);
    const { pairs } = compareRecords(
      scenes([...base, null]),
      scenes([...base.map((s) => Math.min(1, s + 0.2)), null]),
    );
    expect(pairs[0]).toMatchObject({ n: 40, test: "paired bootstrap" });
    expect(pairs[0]!.difference).toBeCloseTo(0.2, 12);
    expect(compareRecords(scenes(base), scenes(base)).pairs[0]).toMatchObject({
      difference: 0,
      p: 1,
      verdict: "no difference shown",
    });
  });

  it("takes names that stand for each other, and then only those", () => {
    const both = loaded([
      { labels: { model: "a", dataset: "d" }, rows: outcomes("+-") },
      { labels: { model: "b", dataset: "d" }, rows: outcomes("++") },
    ]);
    const { pairs } = compareRecords(both, both, {
      maps: [{ label: "model", from: "a", to: "b" }],
    });
    expect(pairs.map((p) => [p.firstCell, p.secondCell, p.gained.length])).toEqual([
      ["c0", "c1", 1],
    ]);
    expect(() =>
      compareRecords(both, both, { maps: [{ label: "model", from: "z", to: "b" }] }),
    ).toThrow(/no cell of the first record has model "z" \(expected a, b/);
  });

  it("ignores labels of the join with the paper", () => {
    expect(
      compareRecords(
        one("+-", { model: "m" }),
        one("++", { model: "m", paperTable: "5", notComparable: "x" }),
      ).pairs,
    ).toHaveLength(1);
  });

  it.each([
    ["another number of items", one("+-"), one("+-+"), /2 items and 3/],
    [
      "other items",
      loaded([{ labels: { model: "m" }, rows: [{ item: "a", outcome: "hit" }] }]),
      loaded([{ labels: { model: "m" }, rows: [{ item: "b", outcome: "hit" }] }]),
      /a is in the first record only/,
    ],
    [
      "other truths",
      loaded([{ labels: { model: "m" }, rows: [{ truth: "x", outcome: "hit" }] }]),
      loaded([{ labels: { model: "m" }, rows: [{ truth: "y", outcome: "hit" }] }]),
      /"x" in the first record and "y"/,
    ],
    [
      "nothing in common",
      one("+", { model: "a" }),
      one("+", { model: "b" }),
      /no cell of the one record.*--map/,
    ],
  ])("refuses %s", (_, first, second, message) => {
    expect(() => compareRecords(first, second)).toThrow(message);
  });

  it("items of one label count as one where they all agree", () => {
    // Eight items of each of four labels, all gained: 2 * (1/16) / 2 by label, 2^-32 by item.
    const rows = (text: string) => outcomes(text).map((o, i) => ({ ...o, truth: `t${i % 4}` }));
    const record = (text: string): LoadedRecord =>
      loaded([{ labels: { model: "m" }, rows: rows(text) }]);
    const [before, after] = [record("-".repeat(32)), record("+".repeat(32))];
    expect(compareRecords(before, after).pairs[0]).toMatchObject({
      p: 1 / 16,
      verdict: "no difference shown",
      interval: { units: 4, designEffect: 8 },
    });
    const byItem = { intervals: { ...defaultIntervals, clusters: "item" as const } };
    expect(compareRecords(before, after, byItem).pairs[0]).toMatchObject({
      p: 2 ** -32,
      verdict: "better",
    });
  });

  it("pairs an item that is listed twice with itself, in order", () => {
    const twice = (a: Case["outcome"], b: Case["outcome"]): LoadedRecord =>
      loaded([
        {
          labels: { model: "m" },
          rows: [
            { item: "x", outcome: a },
            { item: "x", outcome: b },
          ],
        },
      ]);
    expect(compareRecords(twice("hit", "miss"), twice("miss", "hit")).pairs[0]).toMatchObject({
      n: 2,
      lost: [{ item: "x" }],
      gained: [{ item: "x" }],
    });
  });
});
