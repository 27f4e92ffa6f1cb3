import { describe, expect, it } from "vitest";
import {
  clusteredPair,
  clusteredShare,
  signFlips,
  studentQuantile,
} from "../../../src/eval/stats/clusters.js";
import { mcnemar, pairOutcomes } from "../../../src/eval/stats/mcnemar.js";
import { wilsonInterval } from "../../../src/eval/stats/proportion.js";
import { Random } from "../../../src/eval/stats/random.js";

const apart = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
const groups = (n: number, size: number) =>
  Int32Array.from({ length: n }, (_, i) => Math.floor(i / size));

/** Hits of probability p, each taken over from its cluster with probability root(alike). */
function alikeHits(random: Random, n: number, size: number, p: number, alike: number) {
  let shared = 0;
  return Float64Array.from({ length: n }, (_, i) => {
    if (i % size === 0) shared = random.next() < p ? 1 : 0;
    const own = random.next() < p ? 1 : 0;
    return random.next() < Math.sqrt(alike) ? shared : own;
  });
}

describe("by hand", () => {
  it("Student's quantiles are those of the tables", () => {
    expect(studentQuantile(0.975, 1)).toBeCloseTo(12.706, 3);
    expect(studentQuantile(0.975, 9)).toBeCloseTo(2.262, 3);
    expect(studentQuantile(0.95, 30)).toBeCloseTo(1.697, 3);
  });

  it("with one item a cluster, the share has Wilson's interval", () => {
    const values = Float64Array.from({ length: 30 }, (_, i) => (i < 21 ? 1 : 0));
    expect(clusteredShare(values, apart(30), 0.95)).toEqual({
      ...wilsonInterval(21, 30),
      designEffect: 1,
    });
  });

  it("where a cluster's items always agree, the design effect is its size", () => {
    const values = Float64Array.from({ length: 400 }, (_, i) => (Math.floor(i / 4) % 2 ? 1 : 0));
    const found = clusteredShare(values, groups(400, 4), 0.95)!;
    expect(found.units).toBe(100);
    expect(found.designEffect).toBeCloseTo((4 * 100) / 99, 10);
    const none = clusteredShare(new Float64Array(400).fill(1), groups(400, 4), 0.95)!;
    expect(none.designEffect).toBe(4);
    expect(none.high).toBe(1);
    expect(none.low).toBeLessThan(wilsonInterval(100, 100).low);
    expect(clusteredShare(values, new Int32Array(400), 0.95)).toBeNull();
  });

  it("sign changes of three and of one: 2 of 4 are as far out", () => {
    // Sums: 4, 2, -2, -4. Observed 4: P(4) = 1/4, two-sided mid-p = 2 * (1/4) / 2.
    expect(signFlips(Float64Array.of(3, 1))).toBe(0.25);
    expect(signFlips(Float64Array.of(3, -1))).toBe(2 * 0.25 + 0.25);
    expect(signFlips(Float64Array.of(0, 0))).toBe(1);
    expect(signFlips(Float64Array.of(0.5, 0.5))).toBe(0.25);
  });

  it("with one item a cluster, the pair has McNemar's p and Bonett and Price's interval", () => {
    const random = new Random("pairs");
    for (let round = 0; round < 20; round++) {
      const [a, b] = [0.6, 0.7].map((p) =>
        Array.from({ length: 60 }, () => (random.next() < p ? 1 : 0)),
      );
      const found = clusteredPair(a!, b!, apart(60), 0.95)!;
      const plain = mcnemar(pairOutcomes(a!, b!))!;
      expect(found.p).toBeCloseTo(plain.p, 12);
      expect(found.difference).toBeCloseTo(plain.difference, 12);
      expect([found.interval.low, found.interval.high]).toEqual([
        expect.closeTo(plain.interval!.low, 12),
        expect.closeTo(plain.interval!.high, 12),
      ]);
    }
  });
});

describe("over many draws", () => {
  it.each([
    [200, 8, 0.5, 0.8],
    [200, 8, 0.9, 0.3],
    [200, 4, 0.99, 0.8],
    [400, 8, 0.9, 0.8],
  ])("%i items in clusters of %i at %f, alike by %f", (n, size, p, alike) => {
    const random = new Random(`share ${n} ${size} ${p} ${alike}`);
    let [held, plainly] = [0, 0];
    const draws = 1500;
    for (let d = 0; d < draws; d++) {
      const values = alikeHits(random, n, size, p, alike);
      const { low, high } = clusteredShare(values, groups(n, size), 0.95)!;
      if (low <= p && p <= high) held++;
      const plain = wilsonInterval(
        values.reduce((s, v) => s + v, 0),
        n,
      );
      if (plain.low <= p && p <= plain.high) plainly++;
    }
    expect(held / draws).toBeGreaterThan(0.93);
    expect(plainly / draws).toBeLessThan(0.9);
  });

  it.each([
    [20, 0.5],
    [200, 0.01],
    [200, 0.9],
    [200, 0.98],
  ])("%i average precisions, of which a share of %f is 1, have their mean held", (n, whole) => {
    const random = new Random(`precisions ${n} ${whole}`);
    const truth = whole + (1 - whole) / 4;
    let held = 0;
    for (let d = 0; d < 1500; d++) {
      const values = Float64Array.from({ length: n }, () =>
        random.next() < whole ? 1 : random.next() ** 3,
      );
      const { low, high } = clusteredShare(values, apart(n), 0.95)!;
      if (low <= truth && truth <= high) held++;
    }
    expect(held / 1500).toBeGreaterThan(0.93);
    expect(held / 1500).toBeLessThan(0.98);
  });

  it.each([1, 4, 8])("equal systems on clusters of %i rarely differ", (size) => {
    const random = new Random(`equal ${size}`);
    const [n, draws] = [200, 1000];
    let [alarms, held, plainly] = [0, 0, 0];
    for (let d = 0; d < draws; d++) {
      const a = alikeHits(random, n, size, 0.7, 0.8);
      const b = alikeHits(random, n, size, 0.7, 0.8);
      const found = clusteredPair(a, b, groups(n, size), 0.95)!;
      if (found.p < 0.05) alarms++;
      if (found.interval.low <= 0 && 0 <= found.interval.high) held++;
      if (mcnemar(pairOutcomes(a, b))!.p < 0.05) plainly++;
    }
    expect(alarms / draws).toBeLessThan(0.065);
    expect(held / draws).toBeGreaterThan(0.93);
    if (size > 1) expect(plainly / draws).toBeGreaterThan(0.1);
  });
});
