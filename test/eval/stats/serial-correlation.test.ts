import { describe, expect, it } from "vitest";
import { quantileRanks, quantiles } from "../../../src/eval/stats/quantile.js";
import { Random } from "../../../src/eval/stats/random.js";
import {
  correlationTime,
  effectiveSize,
  midRanks,
  rankCorrelations,
} from "../../../src/eval/stats/serial-correlation.js";
import { seriesInterval, seriesQuantiles } from "../../../src/eval/stats/series-quantile.js";
import type { Interval } from "../../../src/eval/types.js";

/** Log-normal times whose logarithms follow x(i) = phi x(i - 1) + noise; their median is 1. */
function times(random: Random, n: number, phi: number): Float64Array {
  let x = random.normal();
  return Float64Array.from({ length: n }, () => {
    x = phi * x + Math.sqrt(1 - phi * phi) * random.normal();
    return Math.exp(0.2 * x);
  });
}

describe("ranks and their correlation", () => {
  it("equal values share their mean rank", () => {
    expect([...midRanks([5, 1, 5, 9])]).toEqual([2.5, 1, 2.5, 4]);
  });

  it("is worked out by hand on a short series", () => {
    // Centred ranks -1.5, -0.5, 0.5, 1.5: products 0.75 - 0.25 + 0.75 over 5, and 1 / 4.
    expect(rankCorrelations([1, 2, 3, 4], 1)![0]).toBeCloseTo(1.25 / 5 + 0.25, 12);
    expect(rankCorrelations([3, 3, 3], 1)).toBeNull();
  });

  it("one spike neither makes nor hides a correlation", () => {
    const random = new Random("spike");
    const series = times(random, 300, 0.7);
    const before = correlationTime(series);
    series[150] = 1e6;
    expect(correlationTime(series)).toBeCloseTo(before, 0);
    expect(correlationTime(series)).toBeGreaterThan(3);
  });
});

describe("effective size", () => {
  it("of independent samples is near their number, and never above", () => {
    const random = new Random("independent");
    let sum = 0;
    for (let i = 0; i < 50; i++) {
      const size = effectiveSize(times(random, 400, 0));
      expect(size).toBeLessThanOrEqual(400);
      sum += size / 50;
    }
    expect(sum).toBeGreaterThan(330);
  });

  it("alternating times do not pass for more than there are", () => {
    expect(effectiveSize(Float64Array.from({ length: 100 }, (_, i) => i % 2))).toBe(100);
  });

  it("sees a slow wave under fast noise, which neighbours hardly show", () => {
    const random = new Random("wave");
    const slow = times(random, 1000, 0.97);
    const mixed = slow.map((s) => Math.log(s) / 0.2 + 1.5 * random.normal());
    expect(correlationTime(mixed)).toBeGreaterThan(6);
  });
});

describe("intervals of quantiles", () => {
  it.each([
    [100, 0],
    [100, 0.3],
    [100, 0.5],
    [100, 0.9],
    [400, 0.5],
    [400, 0.9],
    [1000, 0.9],
  ])("%i samples correlated by %f: its median is held, or has no interval", (n, phi) => {
    const random = new Random(`median ${n} ${phi}`);
    const draws = 1000;
    let [held, given, plainly] = [0, 0, 0];
    const ranks = quantileRanks(n, 0.5)!;
    for (let d = 0; d < draws; d++) {
      const series = times(random, n, phi);
      const found = seriesInterval(series, 0.5, 0.95);
      if (!("why" in found)) {
        given++;
        if (found.low <= 1 && 1 <= found.high) held++;
      }
      const sorted = series.slice().sort();
      if (sorted[ranks[0] - 1]! <= 1 && 1 <= sorted[ranks[1] - 1]!) plainly++;
    }
    // What is wrong among all runs, whether or not an interval was given.
    expect((given - held) / draws).toBeLessThan(0.05);
    if (given > draws / 2) expect(held / given).toBeGreaterThan(0.93);
    if (phi === 0) expect(given).toBe(draws);
    if (phi >= 0.5) expect(plainly / draws).toBeLessThan(0.85);
  });

  it("stand in the score with the number of samples that count, the quantile as it was", () => {
    const random = new Random("score");
    const series = times(random, 400, 0.5);
    const [median, high] = seriesQuantiles(series, [0.5, 0.9], 0.95);
    const [plain] = quantiles(series, [0.5], 0.95);
    expect(median).toMatchObject({ value: plain!.value, n: 400 });
    const { interval } = median as { interval: Interval };
    expect(interval.units).toBe(Math.floor(effectiveSize(series)));
    expect(interval.units).toBeLessThan(300);
    expect(interval.low).toBeLessThan((plain as { interval: Interval }).interval.low);
    expect(high!.value).toBeGreaterThan(median!.value!);
    expect(seriesQuantiles([], [0.5], 0.95)).toEqual([{ value: null, why: "no samples" }]);
  });

  it("says why there is none", () => {
    const steady = Float64Array.from({ length: 100 }, (_, i) => i);
    expect(seriesInterval(steady, 0.5, 0.95)).toMatchObject({
      why: expect.stringMatching(/100 of them tell no more than \d+ would/) as string,
    });
    expect(seriesInterval([1, 2, 3], 0.99, 0.95)).toHaveProperty("why");
  });
});
