import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mcnemar, pairOutcomes } from "../../../src/eval/stats/mcnemar.js";
import { Random } from "../../../src/eval/stats/random.js";
import { golden } from "./golden.js";

describe("mcnemar", () => {
  test.each(golden.mcnemarExact)(
    "%d against %d equals SciPy's exact binomial test",
    (onlyFirst, onlySecond, expected) => {
      const p = mcnemar({ n: 2000, onlyFirst, onlySecond }, { test: "mcnemar-exact" })!.p;
      expect(Math.abs(p - expected)).toBeLessThan(1e-9);
    },
  );

  test("by hand: 5 against 1 of 6 discordant", () => {
    // P(X <= 1) = 7/64, so exact 14/64; mid-p takes off P(X = 1) = 6/64.
    const result = mcnemar({ n: 100, onlyFirst: 5, onlySecond: 1 })!;
    expect(result.p).toBeCloseTo(8 / 64, 14);
    expect(result.difference).toBeCloseTo(0.04, 15);
    // Bonett and Price: (6/102 - 2/102) +- 1.959964 sqrt((8/102 - (4/102)^2) / 102)
    const half = 1.959963984540054 * Math.sqrt((8 / 102 - (4 / 102) ** 2) / 102);
    expect(result.interval.low).toBeCloseTo(4 / 102 - half, 14);
    expect(result.interval.high).toBeCloseTo(4 / 102 + half, 14);
  });

  test("a published example, 1 against 7 of 21 pairs: exact 0.0703, mid-p 0.0391", () => {
    // Fagerland, Lydersen and Laake 2013: airway hyper-responsiveness before and after stem cell
    // transplantation.
    expect(
      mcnemar({ n: 21, onlyFirst: 1, onlySecond: 7 }, { test: "mcnemar-exact" })!.p.toFixed(4),
    ).toBe("0.0703");
    expect(mcnemar({ n: 21, onlyFirst: 1, onlySecond: 7 })!.p.toFixed(4)).toBe("0.0391");
  });

  test("no items: null; no disagreement: p = 1", () => {
    expect(mcnemar({ n: 0, onlyFirst: 0, onlySecond: 0 })).toBeNull();
    expect(mcnemar({ n: 9, onlyFirst: 0, onlySecond: 0 })!.p).toBe(1);
  });

  test("pairs up lists", () => {
    expect(pairOutcomes([1, 1, 0, 0, 1], [1, 0, 1, 0, 0])).toEqual({
      n: 5,
      onlyFirst: 2,
      onlySecond: 1,
    });
    expect(() => pairOutcomes([1], [1, 0])).toThrow(RangeError);
  });

  test("swapping the systems swaps the sign and keeps p", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), fc.nat(500), (b, c, rest) => {
        const n = b + c + rest;
        if (n === 0) return true;
        const one = mcnemar({ n, onlyFirst: b, onlySecond: c })!;
        const two = mcnemar({ n, onlyFirst: c, onlySecond: b })!;
        return (
          one.p === two.p &&
          Math.abs(one.difference + two.difference) < 1e-15 &&
          Math.abs(one.interval.low + two.interval.high) < 1e-12 &&
          mcnemar({ n, onlyFirst: b, onlySecond: c }, { test: "mcnemar-exact" })!.p >= one.p
        );
      }),
    );
  });

  test(
    "type I error over 2,000 draws of 300 items, equal systems: mid-p 3 to 7%, exact not " +
      "above, difference covered 93 to 97%",
    () => {
      const random = new Random("mcnemar");
      let mid = 0,
        exact = 0,
        held = 0;
      for (let i = 0; i < 2000; i++) {
        let onlyFirst = 0,
          onlySecond = 0;
        for (let j = 0; j < 300; j++) {
          const u = random.next();
          if (u < 0.1) onlyFirst++;
          else if (u < 0.2) onlySecond++;
        }
        const result = mcnemar({ n: 300, onlyFirst, onlySecond })!;
        if (result.p <= 0.05) mid++;
        if (mcnemar({ n: 300, onlyFirst, onlySecond }, { test: "mcnemar-exact" })!.p <= 0.05)
          exact++;
        if (result.interval.low <= 0 && 0 <= result.interval.high) held++;
      }
      expect(mid / 2000).toBeGreaterThanOrEqual(0.03);
      expect(mid / 2000).toBeLessThanOrEqual(0.07);
      expect(exact).toBeLessThanOrEqual(mid);
      expect(held / 2000).toBeGreaterThanOrEqual(0.93);
      expect(held / 2000).toBeLessThanOrEqual(0.97);
    },
  );

  test("a true difference of 15 points is found in nearly every draw", () => {
    const random = new Random("mcnemar power");
    let found = 0;
    for (let i = 0; i < 500; i++) {
      let onlyFirst = 0,
        onlySecond = 0;
      for (let j = 0; j < 300; j++) {
        const u = random.next();
        if (u < 0.2) onlyFirst++;
        else if (u < 0.25) onlySecond++;
      }
      if (mcnemar({ n: 300, onlyFirst, onlySecond })!.p <= 0.05) found++;
    }
    expect(found).toBeGreaterThan(490);
  });
});
