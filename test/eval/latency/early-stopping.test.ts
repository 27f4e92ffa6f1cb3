import { describe, expect, test } from "vitest";
import {
  boundMet,
  boundMissed,
  earlyStoppingEstimate,
  minQueries,
} from "../../../src/eval/latency/early-stopping.js";
import { binomialPmf } from "../../../src/eval/stats/distributions.js";
import { Random } from "../../../src/eval/stats/random.js";

/** P(X <= t) by adding up. */
function tail(t: number, n: number, p: number): number {
  let sum = 0;
  for (let k = 0; k <= t; k++) sum += binomialPmf(k, n, p);
  return sum;
}

describe("LoadGen's numbers come out of the formula", () => {
  test(
    "SingleStream p90 needs 64 queries, p99 needs 662; " + "Server p99 with none over needs 459",
    () => {
      expect(minQueries(1, { percentile: 0.9 })).toBe(64);
      expect(minQueries(1, { percentile: 0.99 })).toBe(662);
      expect(minQueries(0, { percentile: 0.99 })).toBe(459); // ln 0.01 / ln 0.99 = 458.2
    },
  );

  test("the 64 by hand: at 63 the chance of one over or none is above 1%, at 64 below", () => {
    expect(0.9 ** 63 + 63 * 0.1 * 0.9 ** 62).toBeGreaterThan(0.01);
    expect(0.9 ** 64 + 64 * 0.1 * 0.9 ** 63).toBeLessThan(0.01);
  });

  test.each([
    [0.9, 0],
    [0.9, 5],
    [0.95, 3],
    [0.99, 10],
    [0.5, 2],
  ])("p = %d with %d over equals adding up", (percentile, over) => {
    let n = over + 1;
    while (tail(over, n, 1 - percentile) > 0.01) n++;
    expect(minQueries(over, { percentile })).toBe(n);
    expect(boundMet(n, over, { percentile })).toBe(true);
    expect(boundMet(n - 1, over, { percentile })).toBe(false);
  });
});

describe("the estimate", () => {
  test("with 64 queries it is the highest sample, with fewer there is none", () => {
    const samples = Array.from({ length: 64 }, (_, i) => i + 1);
    expect(earlyStoppingEstimate(samples, { percentile: 0.9 })).toEqual({
      value: 64,
      n: 64,
      interval: null,
      whyNoInterval: "LoadGen early stopping: an upper bound at 99% confidence",
    });
    expect(earlyStoppingEstimate(samples.slice(1), { percentile: 0.9 })).toEqual({
      value: null,
      why: "63 queries; early stopping needs 64 at least",
    });
  });

  test.each([100, 500, 1000, 5000])(
    "with %d queries it is the sample that LoadGen's loop finds",
    (n) => {
      // results.cc: raise i from 2 while i + h(i) queries were run; t is the last that fits.
      let t = 1;
      for (let i = 2; i <= n; i++) {
        if (n < minQueries(i, { percentile: 0.9 })) break;
        t = i;
      }
      const samples = new Random(n).shuffled(Array.from({ length: n }, (_, i) => i));
      const estimate = earlyStoppingEstimate(samples, { percentile: 0.9 });
      expect(estimate.value).toBe(n - t);
      expect(estimate.value).toBeGreaterThan(0.9 * n);
    },
  );

  test("lies above the true percentile in at least 99% of 2,000 draws, and not by much", () => {
    const truth = -Math.log(0.1); // p90 of the exponential
    const random = new Random("early stopping");
    let above = 0,
      sum = 0;
    for (let i = 0; i < 2000; i++) {
      const estimate = earlyStoppingEstimate(
        Float64Array.from({ length: 300 }, () => random.exponential()),
        { percentile: 0.9 },
      ).value!;
      if (estimate >= truth) above++;
      sum += estimate / 2000;
    }
    expect(above / 2000).toBeGreaterThan(0.985);
    expect(sum).toBeLessThan(1.5 * truth);
  });
});

test("met and missed exclude each other, and both keep their 1% on the border", () => {
  const random = new Random("bounds");
  let met = 0,
    missed = 0;
  for (let i = 0; i < 4000; i++) {
    let over = 0;
    for (let j = 0; j < 1000; j++) if (random.next() < 0.01) over++; // the true share is exactly 1%
    const outcome = [
      boundMet(1000, over, { percentile: 0.99 }),
      boundMissed(1000, over, { percentile: 0.99 }),
    ];
    expect(outcome).not.toEqual([true, true]);
    if (outcome[0]) met++;
    if (outcome[1]) missed++;
  }
  expect(met / 4000).toBeLessThan(0.016);
  expect(missed / 4000).toBeLessThan(0.016);
  expect(boundMissed(100, 0, { percentile: 0.99 })).toBe(false);
  expect(boundMissed(100, 20, { percentile: 0.99 })).toBe(true);
});
