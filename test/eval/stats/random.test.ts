import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random, hashFraction } from "../../../src/eval/stats/random.js";

describe("Random", () => {
  test("gives the published sequence of xoshiro128** from state 1, 2, 3, 4", () => {
    // The first ten outputs, of the authors' xoshiro128starstar.c (version 1.1).
    const random = Random.fromState([1, 2, 3, 4]);
    const expected = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ];
    expect(expected.map(() => random.uint32())).toEqual(expected);
  });

  test("the same seed repeats, another seed differs", () => {
    const draw = (seed: number | string): number[] => {
      const r = new Random(seed);
      return [r.next(), r.next(), r.next()];
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test("a split depends on the name, not on what was drawn before", () => {
    const a = new Random(1);
    const before = a.split("x").next();
    a.next();
    expect(a.split("x").next()).toBe(before);
    expect(a.split("y").next()).not.toBe(before);
    expect(new Random(1).split("x").split("y").next()).not.toBe(
      new Random(1).split("y").split("x").next(),
    );
  });

  test(
    "below(n) is uniform: chi-square over 12 cells of 120,000 draws stays under the 0.1% " +
      "point (31.26 at 11 degrees)",
    () => {
      const random = new Random("uniform");
      const counts = new Array<number>(12).fill(0);
      for (let i = 0; i < 120_000; i++) counts[random.below(12)]!++;
      expect(counts.reduce((s, c) => s + (c - 10_000) ** 2 / 10_000, 0)).toBeLessThan(31.26);
    },
  );

  test("below(n) stays within 0..n-1, small and large", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.integer(), (n, seed) => {
        const x = new Random(seed).below(n);
        return Number.isInteger(x) && x >= 0 && x < n;
      }),
    );
  });

  test("resample draws what below draws", () => {
    // The largest draws a thousand words that would bias it and must be passed over.
    for (const n of [1, 2, 7, 100, 4096, 1_500_001]) {
      const a = new Random(n);
      const b = new Random(n);
      const counts = new Uint32Array(n).fill(9);
      for (let round = 0; round < (n > 1e6 ? 1 : 20); round++) {
        a.resample(counts);
        const expected = new Uint32Array(n);
        for (let i = 0; i < n; i++) expected[b.below(n)]!++;
        expect(counts.every((c, i) => c === expected[i])).toBe(true);
      }
      expect(a.uint32()).toBe(b.uint32());
    }
  });

  test("moments of uniform, normal and exponential draws", () => {
    const random = new Random("moments");
    const n = 100_000;
    let u = 0,
      z = 0,
      z2 = 0,
      e = 0;
    for (let i = 0; i < n; i++) {
      u += random.next();
      const normal = random.normal();
      z += normal;
      z2 += normal * normal;
      e += random.exponential();
    }
    // Five standard errors each.
    expect(Math.abs(u / n - 0.5)).toBeLessThan((5 * Math.sqrt(1 / 12)) / Math.sqrt(n));
    expect(Math.abs(z / n)).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(z2 / n - 1)).toBeLessThan((5 * Math.SQRT2) / Math.sqrt(n));
    expect(Math.abs(e / n - 1)).toBeLessThan(5 / Math.sqrt(n));
  });

  test("shuffled keeps the items and is seeded", () => {
    const items = Array.from({ length: 50 }, (_, i) => i);
    const once = new Random(3).shuffled(items);
    expect(once).not.toEqual(items);
    expect([...once].sort((a, b) => a - b)).toEqual(items);
    expect(new Random(3).shuffled(items)).toEqual(once);
  });

  test("hashFraction lies in [0, 1) and spreads names evenly", () => {
    const fractions = Array.from({ length: 4000 }, (_, i) => hashFraction(0, `image-${i}.jpg`));
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...fractions)).toBeLessThan(1);
    const firstHalf = fractions.filter((f) => f < 0.5).length;
    expect(Math.abs(firstHalf - 2000)).toBeLessThan(5 * Math.sqrt(1000));
  });
});
