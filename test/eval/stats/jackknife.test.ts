import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jackknife } from "../../../src/eval/stats/jackknife.js";
import { Random } from "../../../src/eval/stats/random.js";
import {
  meanStatistic,
  ratioStatistic,
  sumsStatistic,
} from "../../../src/eval/stats/resampled-statistic.js";

describe("jackknife", () => {
  test("of a mean it is the textbook's: no bias, standard error s / sqrt(n)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 3, maxLength: 40 }),
        (values) => {
          const result = jackknife(meanStatistic(values));
          if (!("interval" in result) || result.interval === null)
            return new Set(values).size === 1;
          const n = values.length;
          const mean = values.reduce((s, v) => s + v, 0) / n;
          const error = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / (n - 1) / n);
          return (
            Math.abs(result.bias) < 1e-9 &&
            Math.abs(result.standardError - error) < 1e-9 &&
            Math.abs((result.interval.low + result.interval.high) / 2 - mean) < 1e-9
          );
        },
      ),
    );
  });

  test("of the plug-in variance it finds the bias: corrected, it is the unbiased variance", () => {
    const values = [2, 4, 4, 5, 9];
    const variance = sumsStatistic(
      [values, values.map((v) => v * v), values.map(() => 1)],
      ([s, s2, n]) => s2! / n! - (s! / n!) ** 2,
    );
    const result = jackknife(variance);
    if (!("bias" in result)) throw new Error("defined");
    const mean = 4.8;
    const squares = values.reduce((s, v) => s + (v - mean) ** 2, 0);
    expect(result.value).toBeCloseTo(squares / 5, 12);
    expect(result.value! - result.bias).toBeCloseTo(squares / 4, 12);
  });

  test("stays within the statistic's own range", () => {
    const result = jackknife(meanStatistic([1, 1, 1, 1, 0]), { range: [0, 1] });
    if (!("interval" in result)) throw new Error("defined");
    expect(result.interval!.high).toBe(1);
    expect(result.interval!.low).toBeLessThan(0.8);
  });

  test("says why there is no value or no interval", () => {
    expect(jackknife(meanStatistic([]))).toEqual({ value: null, why: "no items" });
    expect(jackknife(ratioStatistic([0, 0], [0, 0]))).toEqual({
      value: null,
      why: "undefined on these items",
    });
    expect(jackknife(meanStatistic([3]))).toMatchObject({
      value: 3,
      interval: null,
      whyNoInterval: "one item only",
    });
    expect(jackknife(meanStatistic([3, 3, 3]))).toMatchObject({
      interval: null,
      whyNoInterval: "leaving out an item changes nothing",
    });
    expect(jackknife(ratioStatistic([1, 0], [1, 0]))).toMatchObject({
      value: 1,
      interval: null,
      whyNoInterval: "undefined without one of the items",
    });
  });

  test("covers a mean in 93 to 97% of 2,000 draws of 60", () => {
    const random = new Random("jackknife");
    let held = 0;
    for (let i = 0; i < 2000; i++) {
      const result = jackknife(
        meanStatistic(Float64Array.from({ length: 60 }, () => random.normal())),
      );
      if (
        "interval" in result &&
        result.interval &&
        result.interval.low <= 0 &&
        result.interval.high >= 0
      )
        held++;
    }
    expect(held / 2000).toBeGreaterThanOrEqual(0.93);
    expect(held / 2000).toBeLessThanOrEqual(0.97);
  });
});
