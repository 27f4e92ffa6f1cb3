import { describe, expect, it } from "vitest";
import { fillTo, fitMixture } from "../../../src/eval/choose/growth/drawn.js";
import { normRange } from "../../../src/eval/observe/feature-rows.js";
import { Random } from "../../../src/eval/stats/random.js";

const n = 1200;
/** Three clouds, one flat as a disc, of weights 1, 2 and 3. */
const random = new Random("drawn");
const places = [
  [10, 0, 0],
  [0, 10, 0],
  [0, 0, 10],
];
const data = new Float32Array(n * 3);
for (let row = 0; row < n; row++) {
  const cloud = row % 6 < 1 ? 0 : row % 6 < 3 ? 1 : 2;
  for (let d = 0; d < 3; d++) {
    const wide = cloud === 2 && d === 0 ? 0.01 : 0.5;
    data[row * 3 + d] = places[cloud]![d]! + wide * random.normal();
  }
}
const vectors = { data, dim: 3 };
const nearest = (x: Float32Array, row: number): number =>
  [0, 1, 2].reduce((best, d) => (x[row * 3 + d]! > x[row * 3 + best]! ? d : best), 0);

describe("vectors drawn from a model of others", () => {
  it("have their clouds, weights and scatter, and are none of them", async () => {
    const filled = (await fillTo(vectors, 2 * n, "s"))!;
    expect(filled.data.subarray(0, n * 3)).toEqual(data);
    const drawn = filled.data.subarray(n * 3);
    const clouds = Array.from({ length: n }, (_, row) => nearest(drawn, row));
    const share = (cloud: number) => clouds.filter((c) => c === cloud).length / n;
    expect(share(0)).toBeCloseTo(1 / 6, 1);
    expect(share(2)).toBeCloseTo(1 / 2, 1);
    const spread = (cloud: number, d: number): number => {
      const own = clouds.flatMap((c, row) => (c === cloud ? [drawn[row * 3 + d]!] : []));
      const mean = own.reduce((a, b) => a + b, 0) / own.length;
      return Math.sqrt(own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / own.length);
    };
    expect(spread(2, 0)).toBeLessThan(0.1);
    expect(spread(2, 1)).toBeGreaterThan(0.4);
    expect(spread(2, 1)).toBeLessThan(0.6);
    const texts = (x: Float32Array): string[] =>
      Array.from({ length: n }, (_, row) => x.slice(row * 3, row * 3 + 3).join());
    const seen = new Set(texts(data));
    expect(texts(drawn).filter((text) => seen.has(text))).toEqual([]);
  });

  it("scatter as much as the others, in many dimensions too", async () => {
    const dim = 32;
    const cloud = new Random("cloud");
    const flat = Float32Array.from({ length: n * dim }, () => cloud.normal());
    const filled = (await fillTo({ data: flat, dim }, 2 * n, "s"))!;
    const power = (x: Float32Array): number => x.reduce((sum, v) => sum + v * v, 0) / x.length;
    expect(power(filled.data.subarray(n * dim)) / power(flat)).toBeCloseTo(1, 1);
  });

  it("are of length 1 where the others are, the same for a seed; codes have none", async () => {
    const unit = data.slice();
    for (let row = 0; row < n; row++) {
      const norm = Math.hypot(...unit.subarray(row * 3, row * 3 + 3));
      for (let d = 0; d < 3; d++) unit[row * 3 + d]! /= norm;
    }
    const filled = (await fillTo({ data: unit, dim: 3 }, n + 50, "s"))!;
    const [low, high] = normRange(filled);
    expect(low).toBeCloseTo(1, 5);
    expect(high).toBeCloseTo(1, 5);
    expect(await fillTo({ data: unit, dim: 3 }, n + 50, "s")).toEqual(filled);
    expect(await fillTo({ data: new Uint8Array(8), bits: 8 }, 16, "s")).toBeNull();
  });

  it("come from middles that are the means of what belongs to them", async () => {
    const { middles, belongs, members } = await fitMixture(vectors, "s");
    expect(members.flat()).toHaveLength(n);
    const [own] = members.filter((m) => m.length > 20);
    const middle = belongs[own![0]!]!;
    const mean = own!.reduce((sum, row) => sum + data[row * 3]!, 0) / own!.length;
    expect(middles[middle * 3]).toBeCloseTo(mean, 4);
  });
});
