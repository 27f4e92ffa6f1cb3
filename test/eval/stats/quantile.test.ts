import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binomialCdf } from "../../../src/eval/stats/distributions.js";
import {
  quantileOfSorted,
  quantileRanks,
  quantiles,
  sampleQuantile,
} from "../../../src/eval/stats/quantile.js";
import { Random } from "../../../src/eval/stats/random.js";
import { golden } from "./golden.js";

describe("quantiles", () => {
  test.each(golden.quantileCi)(
    "q = $q equals NumPy's; the interval lies inside the equal-tailed ranks",
    ({ q, value, ranks }) => {
      const result = quantileOfSorted(golden.sample, q);
      if (result.value === null) throw new Error("defined");
      expect(result.value).toBeCloseTo(value, 10);
      const [l, u] = quantileRanks(golden.sample.length, q)!;
      expect(l).toBeGreaterThanOrEqual(ranks[0]);
      expect(u).toBeLessThanOrEqual(ranks[1]);
      expect(result.interval).toMatchObject({
        low: golden.sample[l - 1],
        high: golden.sample[u - 1],
      });
    },
  );

  test(
    "by hand: the median of 10 lies between the 2nd and the 9th (coverage 0.9785), as in " +
      "the tables",
    () => {
      expect(quantileRanks(10, 0.5)).toEqual([2, 9]);
      const [result] = quantiles([9, 1, 8, 2, 7, 3, 6, 4, 5, 10], [0.5]);
      expect(result).toEqual({
        value: 5.5,
        n: 10,
        interval: { low: 2, high: 9, level: 0.95, method: "order-statistics", units: 10 },
      });
    },
  );

  test("too few samples for a tail: a value, but no interval", () => {
    // The maximum lies above the 99th percentile with probability 1 - 0.99^n, which passes 0.95 at
    // n = 299.
    expect(quantileRanks(298, 0.99)).toBeNull();
    expect(quantileRanks(299, 0.99)).not.toBeNull();
    expect(quantileRanks(1, 0.5)).toBeNull();
    expect(quantiles([3], [0.5])[0]).toMatchObject({ value: 3, interval: null });
  });

  test("no samples, or no such quantile", () => {
    expect(quantiles([], [0.5])).toEqual([{ value: null, why: "no samples" }]);
    expect(() => quantileRanks(10, 1)).toThrow(RangeError);
  });

  test("ranks reach the level, and no neighbouring pair that is narrower does", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 600 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (n, q) => {
          const ranks = quantileRanks(n, q);
          const coverage = (l: number, u: number): number =>
            binomialCdf(u - 1, n, q) - binomialCdf(l - 1, n, q);
          if (ranks === null) return coverage(1, n) < 0.95;
          const [l, u] = ranks;
          return (
            l >= 1 &&
            u <= n &&
            l < u &&
            coverage(l, u) >= 0.95 &&
            (l + 1 === u || (coverage(l + 1, u) < 0.95 && coverage(l, u - 1) < 0.95))
          );
        },
      ),
    );
  });

  test("the order of samples does not matter, and quantiles rise with q", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 80 }),
        fc.integer(),
        (samples, seed) => {
          const qs = [0.1, 0.5, 0.9];
          const a = quantiles(samples, qs);
          const b = quantiles(new Random(seed).shuffled(samples), qs);
          expect(b).toEqual(a);
          return a[0]!.value! <= a[1]!.value! && a[1]!.value! <= a[2]!.value!;
        },
      ),
    );
  });

  test.each([
    [0.5, 200],
    [0.9, 400],
    [0.99, 1500],
  ])("coverage at q = %d, n = %d over 2,000 log-normal draws", (q, n) => {
    const truth = Math.exp({ 0.5: 0, 0.9: 1.2815515655446004, 0.99: 2.3263478740408408 }[q]!);
    const random = new Random(`quantile ${q}`);
    const ranks = quantileRanks(n, q)!;
    let held = 0;
    for (let i = 0; i < 2000; i++) {
      // Only the counts matter: x(l) <= truth <= x(u) where at least l and fewer than u samples lie
      // below the truth.
      let below = 0;
      for (let j = 0; j < n; j++) if (Math.exp(random.normal()) <= truth) below++;
      if (below >= ranks[0] && below < ranks[1]) held++;
    }
    expect(held / 2000).toBeGreaterThanOrEqual(0.93);
    expect(held / 2000).toBeLessThanOrEqual(0.97);
  });

  test("sampleQuantile at the ends is the minimum and the maximum", () => {
    expect(sampleQuantile([1, 2, 5], 0)).toBe(1);
    expect(sampleQuantile([1, 2, 5], 1)).toBe(5);
  });
});
