import { describe, expect, it } from "vitest";
import { relativeClockStep, totalRatio } from "../../../src/eval/latency/round-ratios.js";
import { Random } from "../../../src/eval/stats/random.js";

describe("the clock's step", () => {
  it("is the smallest difference of two times, over their median", () => {
    expect(relativeClockStep([1, 2, 2, 4], [2, 2])).toBe(0.5);
    expect(relativeClockStep([1, 1.25, 1, 1], [1.25])).toBe(0.25);
  });

  it("is taken for as long as the times where none differs, and not for rounding", () => {
    expect(relativeClockStep([3, 3], [3])).toBe(1);
    expect(relativeClockStep([3, 3 + 4e-16], [3])).toBe(1);
  });
});

describe("the ratio of totals", () => {
  it("holds what spikes cost, which the median of ratios does not show", () => {
    const first = Float64Array.from({ length: 200 }, () => 10);
    const second = Float64Array.from({ length: 200 }, (_, i) => ((7 * i) % 20 === 0 ? 50 : 9));
    const total = totalRatio(first, second, 0.95);
    expect(total.value).toBeCloseTo((9 * 19 + 50) / 200, 12);
    expect(total.value).toBeGreaterThan(1);
  });

  it.each([0, 0.5])("holds the truth nearly always, rounds correlated by %f", (phi) => {
    const random = new Random(`total ${phi}`);
    const noise = (): (() => number) => {
      let x = random.normal();
      return () => {
        x = phi * x + Math.sqrt(1 - phi * phi) * random.normal();
        return Math.exp(0.2 * x);
      };
    };
    let [held, given] = [0, 0];
    for (let d = 0; d < 600; d++) {
      const [a, b] = [noise(), noise()];
      const first = Float64Array.from({ length: 200 }, a);
      const second = Float64Array.from({ length: 200 }, () => 1.3 * b());
      const total = totalRatio(first, second, 0.95);
      if ("why" in total) continue;
      given++;
      if (total.low <= 1.3 && 1.3 <= total.high) held++;
    }
    expect(given).toBeGreaterThan(500);
    expect(held / given).toBeGreaterThan(0.93);
  });

  it("says why there is no interval", () => {
    const rising = Float64Array.from({ length: 100 }, (_, i) => 10 + i);
    expect(
      totalRatio(
        Float64Array.from(rising, () => 10),
        rising,
        0.95,
      ),
    ).toHaveProperty("why");
  });
});
