import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rulesOf } from "../../../../src/pipeline/protocol.js";
import { scoresOf } from "../../../../src/eval/metrics/retrieval/retrieval-metric.js";
import { retrievalMetrics } from "../../../../src/eval/metrics/retrieval/retrieval-metrics.js";
import {
  expectedFirstRank,
  extremeRanks,
  isTied,
  positiveCount,
  type TieGroups,
} from "../../../../src/eval/metrics/retrieval/tied-ranks.js";

/** What one ranking is worth: each score by its name, and the rank of the first positive. */
type QueryValue = Readonly<Record<string, number>>;
const rules = rulesOf("standard");

function valueOfRanks(ranks: ArrayLike<number>, atKs: readonly number[]): QueryValue {
  const count = ranks.length;
  const entries = scoresOf(retrievalMetrics, atKs).map(
    ({ name, metric, k }) => [name, metric.ofRanks(ranks, { k, count, rules })] as const,
  );
  return Object.fromEntries([...entries, ["first", ranks[0]!]]);
}

function expectedValue(g: TieGroups, atKs: readonly number[]): QueryValue {
  const count = positiveCount(g);
  const entries = scoresOf(retrievalMetrics, atKs).map(
    ({ name, metric, k }) => [name, metric.ofTies(g, { k, count, rules })] as const,
  );
  return Object.fromEntries([...entries, ["first", expectedFirstRank(g)]]);
}

const groups = (...g: [before: number, size: number, positives: number][]): TieGroups => ({
  before: g.map((x) => x[0]),
  size: g.map((x) => x[1]),
  positives: g.map((x) => x[2]),
});
const ks = [1, 2, 3, 5, 8];

/** All ways to choose the positives' places within a group. */
function choices(size: number, positives: number): number[][] {
  if (positives === 0) return [[]];
  if (size < positives) return [];
  return [
    ...choices(size - 1, positives),
    ...choices(size - 1, positives - 1).map((c) => [...c, size]),
  ];
}

/** The mean over every order, by trying them all. */
function byEnumeration({ before, size, positives }: TieGroups): QueryValue {
  let ranks: number[][] = [[]];
  for (let g = 0; g < before.length; g++)
    ranks = ranks.flatMap((head) =>
      choices(size[g]!, positives[g]!).map((c) => [
        ...head,
        ...c.map((place) => before[g]! + place),
      ]),
    );
  const values = ranks.map((r) => valueOfRanks(r, ks));
  return Object.fromEntries(
    Object.keys(values[0]!).map((name) => [
      name,
      values.reduce((sum, value) => sum + value[name]!, 0) / values.length,
    ]),
  );
}

const flat = (v: QueryValue): number[] => Object.values(v);
const close = (a: QueryValue, b: QueryValue) => {
  flat(a).forEach((x, i) => {
    expect(x).toBeCloseTo(flat(b)[i]!, 12);
  });
};

const someGroups = fc
  .array(
    fc.record({
      gap: fc.nat({ max: 4 }),
      positives: fc.integer({ min: 1, max: 4 }),
      negatives: fc.nat({ max: 4 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((list): TieGroups => {
    let before = 0;
    return groups(
      ...list.map(({ gap, positives, negatives }): [number, number, number] => {
        const at = before + gap;
        before = at + positives + negatives;
        return [at, positives + negatives, positives];
      }),
    );
  });

describe("one ranking", () => {
  it("by hand: positives at ranks 1, 3 and 6", () => {
    // precision there 1/1, 2/3, 3/6; R = 3, so rank 6 is cut from MAP@R and R-precision.
    const value = valueOfRanks([1, 3, 6], [1, 2, 3, 10]);
    expect(value.mAP).toBeCloseTo((1 + 2 / 3 + 3 / 6) / 3, 15);
    expect(value["MAP@R"]).toBeCloseTo((1 + 2 / 3) / 3, 15);
    expect(value["R-precision"]).toBe(2 / 3);
    expect(value.mINP).toBe(3 / 6);
    expect([1, 2, 3, 10].map((k) => value[`recall@${k}`])).toEqual([1, 1, 1, 1]);
    expect([1, 2, 3, 10].map((k) => value[`precision@${k}`])).toEqual([1, 1 / 2, 2 / 3, 3 / 10]);
    const fourth = valueOfRanks([4], [1, 3, 4]);
    expect([1, 3, 4].map((k) => fourth[`recall@${k}`])).toEqual([0, 0, 1]);
  });
});

describe("ties", () => {
  it("by hand: two positives and two negatives share the best score", () => {
    const tie = groups([0, 4, 2]);
    const expected = expectedValue(tie, [1, 2, 3]);
    // recall@1: 2 of the 4 best. recall@2: 1 - C(2,2)/C(4,2) = 5/6. recall@3: three of four cannot
    // all be negatives.
    expect(expected["recall@1"]).toBeCloseTo(2 / 4, 15);
    expect(expected["recall@2"]).toBeCloseTo(5 / 6, 15);
    expect(expected["recall@3"]).toBe(1);
    // The six placings of two positives in four ranks: {1,2} 1, {1,3} 5/6, {1,4} 3/4, {2,3} 7/12,
    // {2,4} 1/2, {3,4} 5/12.
    expect(expected.mAP).toBeCloseTo((1 + 5 / 6 + 3 / 4 + 7 / 12 + 1 / 2 + 5 / 12) / 6, 15);
    expect(expected["R-precision"]).toBeCloseTo(1 / 2, 15);
    // The last positive lies at rank 2, 3, 4 in 1, 2, 3 of six placings.
    expect(expected.mINP).toBeCloseTo((2 / 2 + 2 * (2 / 3) + 3 * (2 / 4)) / 6, 15);
    expect(expected.first).toBeCloseTo((3 * 1 + 2 * 2 + 3) / 6, 15);
    expect(Array.from(extremeRanks(tie, "optimistic"))).toEqual([1, 2]);
    expect(Array.from(extremeRanks(tie, "pessimistic"))).toEqual([3, 4]);
  });

  it("expected values equal the mean over all orders (property)", () => {
    fc.assert(
      fc.property(someGroups, (g) => {
        close(expectedValue(g, ks), byEnumeration(g));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it("pessimistic <= expected <= optimistic (property)", () => {
    fc.assert(
      fc.property(someGroups, (g) => {
        const [low, mid, high] = [
          flat(valueOfRanks(extremeRanks(g, "pessimistic"), ks)),
          flat(expectedValue(g, ks)),
          flat(valueOfRanks(extremeRanks(g, "optimistic"), ks)),
        ];
        mid.forEach((m, i) => {
          // of ranks the smaller is the better
          const [worse, better] = i === mid.length - 1 ? [high[i]!, low[i]!] : [low[i]!, high[i]!];
          expect(worse).toBeLessThanOrEqual(m + 1e-12);
          expect(m).toBeLessThanOrEqual(better + 1e-12);
        });
      }),
      { numRuns: 300, seed: 2 },
    );
  });

  it("without ties all three are one (property)", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
        (places) => {
          const ranks = places.sort((a, b) => a - b);
          const g = groups(...ranks.map((r): [number, number, number] => [r - 1, 1, 1]));
          expect(isTied(g)).toBe(false);
          expect(positiveCount(g)).toBe(ranks.length);
          expect(Array.from(extremeRanks(g, "pessimistic"))).toEqual(ranks);
          close(expectedValue(g, ks), valueOfRanks(ranks, ks));
        },
      ),
      { seed: 3 },
    );
  });

  it("stays exact in large groups: 20,000 tied items", () => {
    const value = expectedValue(groups([0, 20_000, 1]), [1, 100]);
    const harmonic = Array.from({ length: 20_000 }, (_, i) => 1 / (i + 1)).reduce(
      (a, b) => a + b,
      0,
    );
    // one positive, equally likely at each rank
    expect(value.mAP).toBeCloseTo(harmonic / 20_000, 15);
    expect(value.mINP).toBeCloseTo(harmonic / 20_000, 15);
    expect(value["recall@100"]).toBeCloseTo(100 / 20_000, 14);
  });
});
