import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactInterval, wilson, wilsonInterval } from "../../../src/eval/stats/proportion.js";
import { Random } from "../../../src/eval/stats/random.js";
import { golden } from "./golden.js";

describe("wilson", () => {
  test.each(golden.proportion)(
    "$k of $n at $level equals SciPy's binomtest",
    ({ k, n, level, wilson: w, exact }) => {
      const ours = wilsonInterval(k, n, level);
      const cp = exactInterval(k, n, level);
      for (const [i, side] of (["low", "high"] as const).entries()) {
        expect(ours[side]).toBeCloseTo(w[i]!, 12);
        expect(cp[side]).toBeCloseTo(exact[i]!, 9);
      }
    },
  );

  test("by hand: 81 of 263 is 0.3080, 0.2553 to 0.3662 (Newcombe 1998, table I)", () => {
    const score = wilson(81, 263);
    if (score.value === null) throw new Error(score.why);
    expect(score.n).toBe(263);
    expect(score.interval?.low.toFixed(4)).toBe("0.2553");
    expect(score.interval?.high.toFixed(4)).toBe("0.3662");
    expect(score.interval).toMatchObject({ level: 0.95, method: "wilson", units: 263 });
  });

  test("no items: no value, with the reason", () => {
    expect(wilson(0, 0)).toEqual({ value: null, why: "no items to take a share of" });
  });

  test("refuses counts that cannot be", () => {
    expect(() => wilson(3, 2)).toThrow(RangeError);
    expect(() => wilson(0.5, 2)).toThrow(RangeError);
  });

  test("holds its own estimate, mirrors, and narrows with n", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, share) => {
          const k = Math.round(share * n);
          const { low, high } = wilsonInterval(k, n);
          const { low: mirrorLow, high: mirrorHigh } = wilsonInterval(n - k, n);
          const wider = wilsonInterval(k, n, 0.99);
          const { low: l4, high: h4 } = wilsonInterval(4 * k, 4 * n);
          return (
            low <= k / n &&
            high >= k / n &&
            low >= 0 &&
            high <= 1 &&
            Math.abs(low - (1 - mirrorHigh)) < 1e-12 &&
            Math.abs(high - (1 - mirrorLow)) < 1e-12 &&
            wider.high - wider.low >= high - low &&
            h4 - l4 <= high - low
          );
        },
      ),
    );
  });
});

/** Share of `draws` in which the interval holds the truth. */
function coverage(draws: number, hold: (random: Random) => boolean): number {
  const random = new Random("wilson coverage");
  let held = 0;
  for (let i = 0; i < draws; i++) if (hold(random)) held++;
  return held / draws;
}

function successes(random: Random, n: number, p: number): number {
  let k = 0;
  for (let i = 0; i < n; i++) if (random.next() < p) k++;
  return k;
}

describe("coverage of Wilson's interval, 2,000 draws", () => {
  test.each([0.05, 0.2, 0.5, 0.8, 0.97])("p = %d, n = 200", (p) => {
    const share = coverage(2000, (random) => {
      const { low, high } = wilsonInterval(successes(random, 200, p), 200);
      return low <= p && p <= high;
    });
    expect(share).toBeGreaterThanOrEqual(0.93);
    expect(share).toBeLessThanOrEqual(0.97);
  });

  test("p and n drawn at random", () => {
    const share = coverage(2000, (random) => {
      const p = 0.02 + 0.96 * random.next();
      const n = 30 + random.below(400);
      const { low, high } = wilsonInterval(successes(random, n, p), n);
      return low <= p && p <= high;
    });
    expect(share).toBeGreaterThanOrEqual(0.93);
    expect(share).toBeLessThanOrEqual(0.97);
  });

  test(
    "the exact interval never falls below its level, worst of a fine grid computed " +
      "without chance",
    () => {
      // For each p the coverage is a sum of binomial probabilities: no simulation needed.
      const n = 30;
      const intervals = Array.from({ length: n + 1 }, (_, k) => exactInterval(k, n));
      for (let p = 0.005; p < 1; p += 0.005) {
        let pmf = (1 - p) ** n;
        let held = 0;
        for (let k = 0; k <= n; k++) {
          if (intervals[k]!.low <= p && p <= intervals[k]!.high) held += pmf;
          pmf *= ((n - k) / (k + 1)) * (p / (1 - p));
        }
        expect(held).toBeGreaterThanOrEqual(0.95);
      }
    },
  );
});
