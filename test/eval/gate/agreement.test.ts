import { describe, expect, it } from "vitest";
import { matchDetections, matchedShare } from "../../../src/eval/gate/agreement/boxes.js";
import { bitFlips, rowHamming } from "../../../src/eval/gate/agreement/codes.js";
import { flipped, overlapAt, topClass } from "../../../src/eval/gate/agreement/ranks.js";
import {
  cosine,
  distributionOf,
  equalDb,
  rowCosines,
  snrDb,
} from "../../../src/eval/gate/agreement/vectors.js";
import { golden } from "./golden.js";

describe("cosine and signal to noise", () => {
  it("equal NumPy", () => {
    const { first, second, dim, cosines, snrDb: db } = golden.vectors;
    const [a, b] = [Float32Array.from(first), Float32Array.from(second)];
    rowCosines(a, b, dim).forEach((value, row) => {
      expect(value).toBeCloseTo(cosines[row]!, 12);
    });
    expect(snrDb(a, b)).toBeCloseTo(db, 10);
  });

  it("by hand: an error of a tenth is 20 dB, an error of the signal's size 0 dB", () => {
    expect(snrDb([1, 0], [1.1, 0])).toBeCloseTo(20, 10);
    expect(snrDb([3, 4], [0, 0])).toBeCloseTo(0, 12);
    expect(cosine([1, 0], [1, 1])).toBeCloseTo(Math.SQRT1_2, 12);
  });

  it("have a word for what is no number", () => {
    expect(snrDb([1, 2], [1, 2])).toBe(equalDb);
    expect(snrDb([1, 2], [1, Infinity])).toBe(-Infinity);
    expect(snrDb([1, 2], [NaN, 2])).toBe(-Infinity);
    expect(snrDb([0, 0], [0, 1])).toBeNull();
    expect(cosine([0, 0], [1, 1])).toBeNull();
    expect(cosine([NaN, 0], [1, 1])).toBeNull();
  });

  it("refuse rows that do not fit", () => {
    expect(() => rowCosines(new Float32Array(4), new Float32Array(6), 2)).toThrow(RangeError);
    expect(() => rowHamming(new Uint8Array(3), new Uint8Array(3), 16)).toThrow(RangeError);
    expect(() => flipped([1], [1, 2])).toThrow(RangeError);
  });

  it("are summed up with the worst side first", () => {
    const values = Array.from({ length: 200 }, (_, i) => (i + 1) / 200);
    expect(distributionOf(values)).toEqual({
      n: 200,
      mean: expect.closeTo(0.5025, 12) as number,
      p1: 0.01,
      p5: 0.05,
      median: 0.5,
      worst: 0.005,
    });
    expect(distributionOf([])).toBeNull();
  });
});

describe("codes", () => {
  it("differ as NumPy counts", () => {
    const { first, second, bits, distances, flips } = golden.codes;
    const [a, b] = [Uint8Array.from(first), Uint8Array.from(second)];
    expect([...rowHamming(a, b, bits)]).toEqual(distances);
    bitFlips(a, b, bits).forEach((share, bit) => {
      expect(share).toBeCloseTo(flips[bit]!, 12);
    });
  });
});

describe("boxes", () => {
  const box = (x0: number, score: number, classId = 0) => ({
    box: { x0, y0: 0, x1: x0 + 10, y1: 10 },
    score,
    classId,
  });

  it("pair by overlap, of one class, once each", () => {
    const found = matchDetections([box(0, 0.9), box(50, 0.8)], [box(1, 0.7), box(3, 0.9)]);
    // 9 x 10 of 11 x 10 pixels.
    expect(found).toEqual({
      baseline: 2,
      candidate: 2,
      matched: 1,
      overlaps: [expect.closeTo(9 / 11, 12)],
      scoreShifts: [expect.closeTo(-0.2, 12)],
    });
    expect(matchedShare([found])).toBe(0.5);
    expect(matchDetections([box(0, 0.9)], [box(0, 0.9, 1)]).matched).toBe(0);
  });

  it("pair across the threshold, but not far below it", () => {
    expect(matchDetections([box(0, 0.21)], [box(0, 0.19)])).toMatchObject({
      baseline: 1,
      candidate: 1,
      matched: 1,
    });
    expect(matchDetections([box(0, 0.21)], [box(0, 0.05)])).toMatchObject({
      baseline: 1,
      candidate: 0,
      matched: 0,
    });
    expect(matchDetections([box(0, 0.15)], [box(0, 0.15)])).toMatchObject({ matched: 0 });
  });

  it("agree where neither has any", () => {
    expect(matchedShare([matchDetections([], [])])).toBe(1);
  });
});

describe("ranks", () => {
  it("flip where the first answer differs", () => {
    expect(topClass([0.1, 0.7, 0.7])).toBe(1);
    expect(flipped([1, 2, 3], [1, 3, 3])).toEqual([false, true, false]);
  });

  it("overlap whatever their order", () => {
    expect(overlapAt(3, [1, 2, 3, 4], [3, 1, 9, 2])).toBeCloseTo(2 / 3, 12);
    expect(overlapAt(5, [1, 2], [2, 1])).toBe(1);
    expect(overlapAt(5, [], [])).toBeNull();
  });
});
