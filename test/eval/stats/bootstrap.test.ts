import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bootstrap,
  clusterNumbers,
  pairedBootstrap,
  type BootstrapOptions,
} from "../../../src/eval/stats/bootstrap.js";
import { Random } from "../../../src/eval/stats/random.js";
import {
  meanStatistic,
  ratioStatistic,
  sumsStatistic,
  type ResampledStatistic,
} from "../../../src/eval/stats/resampled-statistic.js";
import { bootstrapScenarios, simulate } from "./coverage-scenarios.js";
import { golden } from "./golden.js";

function defined<T extends { value: number | null }>(result: T): Extract<T, { value: number }> {
  if (result.value === null) throw new Error("undefined statistic");
  return result as Extract<T, { value: number }>;
}

/** Standard deviation over mean, population form. */
function variation(values: readonly number[]): ResampledStatistic {
  return sumsStatistic(
    [values, values.map((v) => v * v), values.map(() => 1)],
    ([s, s2, n]) => Math.sqrt(s2! / n! - (s! / n!) ** 2) / (s! / n!),
  );
}

describe("bootstrap against SciPy on a skewed sample", () => {
  const sample = golden.bootstrapSample;
  test.each([
    ["percentile", "percentile", meanStatistic(sample)],
    ["bca", "BCa", meanStatistic(sample)],
    ["percentile", "percentile of the coefficient of variation", variation(sample)],
    ["bca", "BCa of the coefficient of variation", variation(sample)],
  ] as const)("%s, %s", (method, name, statistic) => {
    const [low, high, standardError] = golden.bootstrap[name]!;
    const result = defined(bootstrap(statistic, { method, resamples: 50_000, seed: 5 }));
    // Both ends carry Monte Carlo error: 0.5% of the interval's width is several standard errors of
    // it.
    expect(Math.abs(result.interval!.low - low)).toBeLessThan(0.015 * (high - low));
    expect(Math.abs(result.interval!.high - high)).toBeLessThan(0.015 * (high - low));
    expect(result.standardError / standardError).toBeCloseTo(1, 1);
    expect(result.interval!.method).toBe(
      method === "bca" ? "bootstrap-bca" : "bootstrap-percentile",
    );
  });
});

describe("bootstrap", () => {
  test("by hand: two items of 0 and 1 give means 0, 1/2, 1 with chances 1/4, 1/2, 1/4", () => {
    const result = defined(bootstrap(meanStatistic([0, 1]), { resamples: 4000 }));
    expect(result.value).toBe(0.5);
    expect(result.interval).toMatchObject({ low: 0, high: 1, units: 2 });
    // The spread of that distribution is sqrt(1/8).
    expect(result.standardError).toBeCloseTo(Math.sqrt(1 / 8), 2);
  });

  test("the same seed gives the same interval, another seed another", () => {
    const statistic = meanStatistic(golden.bootstrapSample);
    expect(bootstrap(statistic, { seed: 1 })).toEqual(bootstrap(statistic, { seed: 1 }));
    expect(defined(bootstrap(statistic, { seed: 2 })).interval).not.toEqual(
      defined(bootstrap(statistic, { seed: 1 })).interval,
    );
  });

  test(
    "undefined on the items: no value; constant, single or often undefined: a value " +
      "without interval, and why",
    () => {
      expect(bootstrap(meanStatistic([]))).toEqual({ value: null, why: "no items" });
      expect(bootstrap(ratioStatistic([0, 0], [0, 0]))).toEqual({
        value: null,
        why: "undefined on these items",
      });
      expect(bootstrap(meanStatistic([1]))).toMatchObject({
        value: 1,
        interval: null,
        whyNoInterval: "one independent unit only",
      });
      expect(bootstrap(meanStatistic([0.1, 0.1, 0.1]))).toMatchObject({
        interval: null,
        whyNoInterval: "every resample gives the same value",
      });
      // Three of four items have no denominator: about a third of the resamples are undefined.
      expect(
        bootstrap(ratioStatistic([1, 0, 0, 0], [1, 0, 0, 0]), { resamples: 1000 }),
      ).toMatchObject({
        value: 1,
        interval: null,
        whyNoInterval: expect.stringMatching(/^undefined in 3\d\d of 1000 resamples$/),
      });
    },
  );

  test("the short cut for leave-one-out equals leaving out by weights, also by cluster", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 9 }), fc.nat(4)), {
          minLength: 6,
          maxLength: 40,
        }),
        (rows) => {
          const fast = ratioStatistic(
            rows.map((r) => r[0]),
            rows.map((r) => r[1]),
          );
          const slow: ResampledStatistic = { n: fast.n, evaluate: fast.evaluate };
          const clusters = clusterNumbers(rows.map((r) => String(r[2])));
          for (const options of [{}, { clusters }] as BootstrapOptions[]) {
            const a = bootstrap(fast, { ...options, method: "bca", resamples: 100 });
            const b = bootstrap(slow, { ...options, method: "bca", resamples: 100 });
            if (
              !("interval" in a) ||
              !("interval" in b) ||
              a.interval === null ||
              b.interval === null
            ) {
              expect(a).toEqual(b);
              continue;
            }
            expect(a.interval.low).toBeCloseTo(b.interval.low, 9);
            expect(a.interval.high).toBeCloseTo(b.interval.high, 9);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("the interval follows the scale of the data", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 5, maxLength: 30 }),
        (values) => {
          const a = bootstrap(meanStatistic(values), { method: "bca", resamples: 200 });
          const b = bootstrap(meanStatistic(values.map((v) => 4 * v)), {
            method: "bca",
            resamples: 200,
          });
          if (
            !("interval" in a) ||
            !("interval" in b) ||
            a.interval === null ||
            b.interval === null
          )
            return true;
          return (
            Math.abs(b.interval.low - 4 * a.interval.low) < 1e-9 &&
            Math.abs(b.interval.high - 4 * a.interval.high) < 1e-9
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  test("cluster numbers must have no gaps", () => {
    expect([...clusterNumbers(["a", "b", "a", "c"])]).toEqual([0, 1, 0, 2]);
    expect(() => bootstrap(meanStatistic([1, 2]), { clusters: Int32Array.from([0, 2]) })).toThrow(
      RangeError,
    );
    expect(() => bootstrap(meanStatistic([1, 2]), { clusters: Int32Array.from([0]) })).toThrow(
      RangeError,
    );
  });
});

describe("coverage of the bootstrap, 2,000 draws at a nominal 95%", () => {
  test.each(bootstrapScenarios)(
    "$name",
    ({ intervals, tooNarrow, alarms, draw }) => {
      const shares = simulate(2000, draw);
      for (const interval of intervals) {
        expect(shares[interval], interval).toBeGreaterThanOrEqual(0.93);
        expect(shares[interval], interval).toBeLessThanOrEqual(0.97);
      }
      for (const interval of tooNarrow ?? []) expect(shares[interval], interval).toBeLessThan(0.9);
      for (const alarm of alarms ?? []) {
        expect(shares[alarm], alarm).toBeGreaterThanOrEqual(0.03);
        expect(shares[alarm], alarm).toBeLessThanOrEqual(0.07);
      }
    },
    120_000,
  );
});

describe("pairedBootstrap", () => {
  test(
    "sees a small difference that unpaired intervals would miss, because what is common " +
      "cancels",
    () => {
      const random = new Random("pair");
      const common = Array.from({ length: 200 }, () => 10 * random.normal());
      const a = meanStatistic(common.map((c) => c + 0.3 + 0.5 * random.normal()));
      const b = meanStatistic(common.map((c) => c + 0.5 * random.normal()));
      const result = defined(pairedBootstrap(a, b));
      expect(result.interval!.low).toBeGreaterThan(0);
      expect(result.p).toBeLessThan(0.01);
      expect(result.first - result.second).toBeCloseTo(result.value, 12);
      expect(defined(bootstrap(a)).interval!.low).toBeLessThan(
        defined(bootstrap(b)).interval!.high,
      );
    },
  );

  test("needs the same items, and says which system is undefined", () => {
    expect(() => pairedBootstrap(meanStatistic([1]), meanStatistic([1, 2]))).toThrow(RangeError);
    expect(pairedBootstrap(ratioStatistic([1, 1], [1, 1]), ratioStatistic([0, 0], [0, 0]))).toEqual(
      { value: null, why: "undefined for the second system on these items" },
    );
  });

  test("BCa of a difference equals BCa of the per-item differences", () => {
    const random = new Random("difference");
    const x = Array.from({ length: 60 }, () => random.exponential());
    const y = Array.from({ length: 60 }, () => random.exponential());
    const paired = defined(pairedBootstrap(meanStatistic(x), meanStatistic(y), { method: "bca" }));
    const single = defined(bootstrap(meanStatistic(x.map((v, i) => v - y[i]!)), { method: "bca" }));
    expect(paired.interval!.low).toBeCloseTo(single.interval!.low, 10);
    expect(paired.interval!.high).toBeCloseTo(single.interval!.high, 10);
  });
});
