import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  adviseThreshold,
  openSetCrops,
  openSetCurve,
  openSetQueries,
  type OpenSetQuery,
} from "../../../../src/eval/metrics/end-to-end/threshold.js";
import { Random } from "../../../../src/eval/stats/random.js";
import { at, example } from "./f1-cases.js";

const q = (kind: OpenSetQuery["kind"], ...scores: (number | null)[]): OpenSetQuery[] =>
  scores.map((score) => ({ score, kind }));

describe("the open-set curve by hand", () => {
  const queries = [
    ...q("correct", 0.9, 0.8, 0.6),
    ...q("incorrect", 0.7),
    ...q("distractor", 0.75, 0.5, 0.4, null),
  ];
  const curve = openSetCurve(queries, "higher");

  test("points", () => {
    expect(curve).toMatchObject({ known: 4, distractors: 4 });
    expect(curve.points.map((p) => [p.threshold, p.far, p.accepted, p.identified])).toEqual([
      [0.9, 0, 0.25, 0.25],
      [0.8, 0, 0.5, 0.5],
      [0.75, 0.25, 0.5, 0.5],
      [0.7, 0.25, 0.75, 0.5],
      [0.6, 0.25, 1, 0.75],
      [0.5, 0.5, 1, 0.75],
      [0.4, 0.75, 1, 0.75],
    ]);
  });

  test("auroc: of 12 pairs, 0.6 loses to 0.75 only", () => {
    expect(curve.auroc.value).toBeCloseTo(11 / 12, 15);
  });

  test("advice", () => {
    expect(adviseThreshold(curve, 0)).toMatchObject({
      threshold: 0.8,
      far: { value: 0, n: 4 },
      identified: { value: 0.5, n: 4 },
    });
    expect(adviseThreshold(curve, 0.3)).toMatchObject({
      threshold: 0.6,
      far: { value: 0.25 },
      identified: { value: 0.75 },
    });
    expect(adviseThreshold(curve, 0.3, "bound")).toMatchObject({
      threshold: null,
      why:
        "4 distractors cannot show a false-accept rate of 0.3: 9 distractors are needed " +
        "at least",
    });
  });
});

test("Hamming: the radius is the largest distance that keeps the promise", () => {
  const curve = openSetCurve(
    [...q("correct", 20, 60, 90), ...q("distractor", 85, 130, 140, 150, 160)],
    "lower",
  );
  expect(adviseThreshold(curve, 0)).toMatchObject({ threshold: 60, identified: { value: 2 / 3 } });
  expect(adviseThreshold(curve, 0.2)).toMatchObject({ threshold: 90, identified: { value: 1 } });
  expect(curve.auroc.value).toBeCloseTo(14 / 15, 15);
});

test("a bound needs distractors: 0.05^(1/n) says how many", () => {
  const distractors = Array.from({ length: 300 }, (_, i) => ({
    score: i / 1000,
    kind: "distractor" as const,
  }));
  const curve = openSetCurve([...distractors, ...q("correct", 0.9, 0.29)], "higher");
  // ln 0.05 / ln 0.99 = 298.07: 300 distractors without an accept just show 1%.
  expect(adviseThreshold(curve, 0.01, "bound")).toMatchObject({
    threshold: 0.9,
    far: { value: 0, n: 300 },
  });
  expect(adviseThreshold(curve, 0.009, "bound").why).toContain("332 distractors are needed");
  expect(adviseThreshold(curve, 0.01)).toMatchObject({ threshold: 0.297, far: { value: 0.01 } });
});

test("nothing to go by: says why", () => {
  expect(adviseThreshold(openSetCurve(q("correct", 0.9), "higher"), 0.1)).toMatchObject({
    threshold: null,
    why: "no distractor queries: the false-accept rate is unknown",
  });
  expect(adviseThreshold(openSetCurve(q("distractor", null), "higher"), 0.1)).toMatchObject({
    threshold: null,
    why: expect.stringContaining("no query was answered"),
  });
  expect(
    adviseThreshold(openSetCurve([...q("distractor", 0.9), ...q("correct", 0.8)], "higher"), 0.1),
  ).toMatchObject({ threshold: null, why: expect.stringContaining("strictest") });
  expect(openSetCurve(q("incorrect", 0.5), "higher").auroc).toEqual({
    value: null,
    why: "no known query was answered right",
  });
  expect(openSetCurve(q("correct", 0.5), "higher").auroc).toEqual({
    value: null,
    why: "no distractors",
  });
  expect(() => adviseThreshold(openSetCurve([], "higher"), 1)).toThrow(RangeError);
});

const anyQueries = fc.array(
  fc.record({
    score: fc.option(fc.integer({ min: 0, max: 9 })),
    kind: fc.constantFrom("correct" as const, "incorrect" as const, "distractor" as const),
  }),
  { minLength: 1, maxLength: 40 },
);

describe("properties", () => {
  test("each point equals a count from scratch; rates only grow; order does not matter", () => {
    fc.assert(
      fc.property(
        anyQueries,
        fc.constantFrom("higher" as const, "lower" as const),
        fc.integer(),
        (queries, better, seed) => {
          const curve = openSetCurve(queries, better);
          expect(openSetCurve(new Random(seed).shuffled(queries), better)).toEqual(curve);
          const share = (kinds: string[], of: string[], threshold: number): number | null => {
            const pool = queries.filter((x) => of.includes(x.kind));
            const hit = pool.filter(
              (x) =>
                kinds.includes(x.kind) &&
                x.score !== null &&
                (better === "higher" ? x.score >= threshold : x.score <= threshold),
            );
            return pool.length === 0 ? null : hit.length / pool.length;
          };
          for (const p of curve.points) {
            expect(p.far).toBe(share(["distractor"], ["distractor"], p.threshold));
            expect(p.accepted).toBe(
              share(["correct", "incorrect"], ["correct", "incorrect"], p.threshold),
            );
            expect(p.identified).toBe(share(["correct"], ["correct", "incorrect"], p.threshold));
          }
          return curve.points.every(
            (p, i) => i === 0 || (p.far ?? 0) >= (curve.points[i - 1]!.far ?? 0),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test("auroc equals the count over all pairs", () => {
    fc.assert(
      fc.property(
        anyQueries,
        fc.constantFrom("higher" as const, "lower" as const),
        (queries, better) => {
          const { auroc } = openSetCurve(queries, better);
          if (auroc.value === null) return true;
          const place = (s: number | null): number =>
            s === null ? -100 : better === "higher" ? s : -s;
          let wins = 0,
            pairs = 0;
          for (const c of queries.filter((x) => x.kind === "correct")) {
            for (const d of queries.filter((x) => x.kind === "distractor")) {
              pairs++;
              wins +=
                place(c.score) > place(d.score) ? 1 : place(c.score) === place(d.score) ? 0.5 : 0;
            }
          }
          return Math.abs(auroc.value - wins / pairs) < 1e-12;
        },
      ),
      { numRuns: 200 },
    );
  });

  test("advice keeps its promise, and the next looser score breaks it", () => {
    fc.assert(
      fc.property(
        anyQueries,
        fc.constantFrom("higher" as const, "lower" as const),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (queries, better, target) => {
          const curve = openSetCurve(queries, better);
          const advice = adviseThreshold(curve, target);
          if (advice.threshold === null)
            return (
              curve.points.length === 0 || curve.distractors === 0 || curve.points[0]!.far! > target
            );
          const i = curve.points.findIndex((p) => p.threshold === advice.threshold);
          return (
            curve.points[i]!.far! <= target &&
            (i + 1 === curve.points.length || curve.points[i + 1]!.far! > target)
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});

test("queries of pictures: the best crop of each", () => {
  expect(openSetQueries(example, "higher")).toEqual([
    { score: 0.9, kind: "correct" },
    { score: 0.8, kind: "correct" },
    { score: 0.75, kind: "incorrect" },
    { score: null, kind: "incorrect" },
    { score: 0.55, kind: "distractor" },
  ]);
});

test("queries of crops: known, unknown, background", () => {
  const image = {
    image: "mixed",
    truth: [{ label: "tea", box: at(0, 0, 100, 100) }],
    unknown: [at(300, 0, 100, 100)],
    recognitions: [
      { box: at(5, 0, 100, 100), label: "tea", score: 0.9 },
      { box: at(0, 5, 100, 100), label: "cola", score: 0.7 },
      { box: at(300, 10, 100, 100), label: "tea", score: 0.6 },
      { box: at(300, 0, 100, 100), label: null, score: 0 },
      { box: at(600, 0, 100, 100), label: "tea", score: 0.5 }, // background: left out
      { box: at(60, 0, 100, 100), label: "tea", score: 0.4 }, // IoU 1/4: of no object
    ],
  };
  expect(openSetCrops([image])).toEqual([
    { score: 0.9, kind: "correct" },
    { score: 0.7, kind: "incorrect" },
    { score: 0.6, kind: "distractor" },
    { score: null, kind: "distractor" },
  ]);
  expect(
    openSetCrops([{ image: "empty", truth: [], recognitions: image.recognitions.slice(0, 1) }]),
  ).toEqual([{ score: 0.9, kind: "distractor" }]);
});
