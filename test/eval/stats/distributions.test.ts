import { describe, expect, test } from "vitest";
import {
  betaQuantile,
  binomialCdf,
  binomialPmf,
  binomialQuantile,
  logGamma,
  normalCdf,
  normalQuantile,
  regularizedBeta,
} from "../../../src/eval/stats/distributions.js";
import { golden } from "./golden.js";

describe("distributions against SciPy", () => {
  test.each(golden.normalCdf)("normalCdf(%d)", (z, expected) => {
    expect(Math.abs(normalCdf(z) - expected)).toBeLessThan(1e-15);
    // In the far tail the value itself must be right, not only small.
    if (expected > 1e-300) expect(normalCdf(z) / expected).toBeCloseTo(1, 7);
  });

  test.each(golden.normalQuantile)("normalQuantile(%d)", (p, expected) => {
    expect(Math.abs(normalQuantile(p) - expected)).toBeLessThan(
      1e-13 * Math.max(1, Math.abs(expected)),
    );
  });

  test.each(golden.binomialCdf)("binomialCdf(%d, %d, %d)", (k, n, p, expected) => {
    expect(Math.abs(binomialCdf(k, n, p) - expected)).toBeLessThan(1e-9 * Math.max(expected, 1e-3));
  });

  test.each(golden.betaQuantile)("betaQuantile(%d, %d, %d)", (q, a, b, expected) => {
    expect(Math.abs(betaQuantile(q, a, b) - expected)).toBeLessThan(1e-12);
  });
});

describe("distributions by hand", () => {
  test("logGamma gives factorials and the root of pi", () => {
    expect(logGamma(11)).toBeCloseTo(Math.log(3628800), 12);
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 13);
  });

  test("binomialCdf is the sum of binomialPmf", () => {
    let sum = 0;
    for (let k = 0; k <= 40; k++) {
      sum += binomialPmf(k, 40, 0.3);
      expect(binomialCdf(k, 40, 0.3)).toBeCloseTo(sum, 12);
    }
    expect(binomialCdf(-1, 40, 0.3)).toBe(0);
  });

  test("binomialQuantile is the smallest count that reaches the probability", () => {
    expect(binomialQuantile(0.5, 2, 0.5)).toBe(1);
    expect(binomialQuantile(0.2, 2, 0.5)).toBe(0);
    expect(binomialQuantile(0.76, 2, 0.5)).toBe(2);
  });

  test("regularizedBeta has its symmetry", () => {
    expect(regularizedBeta(0.3, 2.5, 4)).toBeCloseTo(1 - regularizedBeta(0.7, 4, 2.5), 14);
    expect(regularizedBeta(0.25, 1, 1)).toBeCloseTo(0.25, 15);
  });
});
