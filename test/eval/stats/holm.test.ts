import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holm } from "../../../src/eval/stats/holm.js";
import { Random } from "../../../src/eval/stats/random.js";

describe("holm", () => {
  test("by hand: 0.01, 0.04, 0.03, 0.005", () => {
    // Sorted 0.005 x4 = 0.02, 0.01 x3 = 0.03, 0.03 x2 = 0.06, 0.04 x1 = 0.04 raised to 0.06; R's
    // p.adjust gives the same.
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
  });

  test("a test that was not possible stays null and does not count", () => {
    expect(holm([0.02, null, 0.5])).toEqual([0.04, null, 0.5]);
    expect(holm([null])).toEqual([null]);
    expect(holm([])).toEqual([]);
  });

  test("refuses what is not a probability", () => {
    expect(() => holm([1.2])).toThrow(RangeError);
    expect(() => holm([NaN])).toThrow(RangeError);
  });

  test("equals a step-down written as the paper has it", () => {
    const ps = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
    fc.assert(
      fc.property(ps, fc.double({ min: 0.001, max: 0.5, noNaN: true }), (p, level) => {
        // Reject in order of p while p(i) <= level / (m - i + 1); stop at the first that fails.
        const order = p.map((_, i) => i).sort((a, b) => p[a]! - p[b]!);
        const rejected = new Set<number>();
        for (const [rank, i] of order.entries()) {
          if (p[i]! * (p.length - rank) > level) break;
          rejected.add(i);
        }
        const adjusted = holm(p);
        return p.every((_, i) => adjusted[i]! <= level === rejected.has(i));
      }),
    );
  });

  test("never lowers a p value, and keeps the order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (p) => {
          const adjusted = holm(p) as number[];
          return p.every(
            (v, i) =>
              adjusted[i]! >= v &&
              adjusted[i]! <= 1 &&
              p.every((w, j) => v > w || adjusted[i]! <= adjusted[j]! || v === w),
          );
        },
      ),
    );
  });

  test("ten true null hypotheses at 5%: some false alarm in at most 7% of 2,000 tables", () => {
    const random = new Random("holm");
    let alarms = 0;
    for (let i = 0; i < 2000; i++) {
      const adjusted = holm(Array.from({ length: 10 }, () => random.next()));
      if (adjusted.some((p) => p! <= 0.05)) alarms++;
    }
    expect(alarms / 2000).toBeGreaterThanOrEqual(0.03);
    expect(alarms / 2000).toBeLessThanOrEqual(0.07);
  });
});
