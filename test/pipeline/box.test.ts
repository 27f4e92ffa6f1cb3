import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { area, clip, intersection, iou, suppress } from "../../src/pipeline/box.js";
import type { Box } from "../../src/pipeline/types.js";

const box = (x0: number, y0: number, x1: number, y1: number): Box => ({ x0, y0, x1, y1 });
const length = fc.integer({ min: 0, max: 30 });
const boxes = fc
  .record({ x0: length, y0: length, w: length, h: length })
  .map(({ x0, y0, w, h }) => box(x0, y0, x0 + w, y0 + h));

/** Boxes reach 30 + 30, and 61 where they are counted one larger. */
const largest = 61;

/** Area shared, by counting unit squares: the definition rather than the formula. */
function countedIou(a: Box, b: Box): number {
  let shared = 0;
  let either = 0;
  for (let y = 0; y < largest; y++) {
    for (let x = 0; x < largest; x++) {
      const inA = x >= a.x0 && x < a.x1 && y >= a.y0 && y < a.y1;
      const inB = x >= b.x0 && x < b.x1 && y >= b.y0 && y < b.y1;
      if (inA && inB) shared++;
      if (inA || inB) either++;
    }
  }
  return either === 0 ? 0 : shared / either;
}

describe("area and overlap", () => {
  test("hand-worked", () => {
    expect(area(box(2, 3, 7, 5))).toBe(10);
    expect(area(box(2, 3, 7, 5), true)).toBe(18);
    expect(area(box(7, 3, 2, 5))).toBe(0);
    expect(area(box(4, 4, 4, 4))).toBe(0);
    expect(area(box(4, 4, 4, 4), true)).toBe(1);
    // Paddle's documented example of multiclass_nms: 4 / 11.
    expect(iou(box(2, 3, 7, 5), box(3, 4, 8, 5))).toBeCloseTo(4 / 11, 12);
    expect(iou(box(0, 0, 9, 9), box(5, 0, 14, 9), true)).toBeCloseTo(50 / 150, 12);
    expect(intersection(box(0, 0, 4, 4), box(2, 1, 9, 3))).toEqual(box(2, 1, 4, 3));
    expect(intersection(box(0, 0, 4, 4), box(4, 0, 8, 4))).toBeNull();
  });

  test("boxes side by side share nothing; with +1 they share a column", () => {
    expect(iou(box(0, 0, 4, 4), box(4, 0, 8, 4))).toBe(0);
    expect(iou(box(0, 0, 4, 4), box(4, 0, 8, 4), true)).toBeCloseTo(5 / 45, 12);
  });

  test("IoU is what counting squares gives, and +1 is the IoU of boxes one larger", () => {
    fc.assert(
      fc.property(boxes, boxes, (a, b) => {
        expect(iou(a, b)).toBeCloseTo(countedIou(a, b), 12);
        expect(iou(b, a)).toBe(iou(a, b));
        const grown = ({ x0, y0, x1, y1 }: Box): Box => box(x0, y0, x1 + 1, y1 + 1);
        expect(iou(a, b, true)).toBeCloseTo(countedIou(grown(a), grown(b)), 12);
        expect(area(intersection(a, b) ?? box(0, 0, 0, 0))).toBeLessThanOrEqual(
          Math.min(area(a), area(b)),
        );
      }),
      { numRuns: 60 },
    );
  });

  test("clip keeps what lies in the picture", () => {
    expect(clip(box(-3, -2, 50.5, 8), 40, 30)).toEqual(box(0, 0, 40, 8));
    expect(area(clip(box(50, 50, 60, 60), 40, 30))).toBe(0);
    fc.assert(
      fc.property(boxes, (a) => {
        const picture = box(0, 0, 17, 11);
        expect(area(clip(a, 17, 11))).toBe(area(intersection(a, picture) ?? box(0, 0, 0, 0)));
        expect(clip(clip(a, 17, 11), 17, 11)).toEqual(clip(a, 17, 11));
      }),
    );
  });
});

describe("suppress", () => {
  const three = [box(0, 0, 10, 10), box(1, 0, 11, 10), box(20, 20, 30, 30)];

  test("hand-worked: the lower of two overlapping boxes goes", () => {
    expect(suppress(three, [0.6, 0.9, 0.1], 0.5)).toEqual([1, 2]); // IoU 90 / 110
    expect(suppress(three, [0.6, 0.9, 0.1], 0.9)).toEqual([1, 0, 2]);
    expect(suppress(three, [0.6, 0.9, 0.1], 0.5, { order: "ascending" })).toEqual([2, 0]);
  });

  test("an IoU equal to the threshold stays", () => {
    const halves = [box(0, 0, 2, 1), box(0, 0, 1, 1)];
    expect(suppress(halves, [1, 0.5], 0.5)).toEqual([0, 1]);
    expect(suppress(halves, [1, 0.5], 0.499999)).toEqual([0]);
  });

  test("a dropped box drops nobody", () => {
    // A chain: 1 overlaps 0 and 2, which are apart.
    const chain = [box(0, 0, 10, 10), box(5, 0, 15, 10), box(10, 0, 20, 10)];
    expect(suppress(chain, [0.9, 0.8, 0.7], 0.3)).toEqual([0, 2]);
  });

  test("equal scores: the first or the last goes first", () => {
    expect(suppress(three, [0.5, 0.5, 0.5], 0.5)).toEqual([0, 2]);
    expect(suppress(three, [0.5, 0.5, 0.5], 0.5, { ties: "last" })).toEqual([2, 1]);
  });

  test("the +1 of PaddleClas can drop a box that is otherwise kept", () => {
    const pair = [box(0, 0, 4, 4), box(4, 0, 8, 4)];
    expect(suppress(pair, [0.9, 0.8], 0.05)).toEqual([0, 1]);
    expect(suppress(pair, [0.9, 0.8], 0.05, { plusOne: true })).toEqual([0]);
  });

  test("none, infinite and bad scores", () => {
    expect(suppress([], [], 0.5)).toEqual([]);
    expect(suppress(three, [-Infinity, Infinity, -Infinity], 0.5)).toEqual([1, 2]);
    expect(() => suppress(three, [1, 2], 0.5)).toThrow(RangeError);
    expect(() => suppress(three, [1, NaN, 2], 0.5)).toThrow(/NaN/);
  });

  test("what stays is apart, and what goes is covered by something better", () => {
    const some = fc.array(fc.tuple(boxes, fc.integer({ min: 0, max: 5 })), { maxLength: 25 });
    const options = fc.record({
      plusOne: fc.boolean(),
      order: fc.constantFrom("descending", "ascending"),
      ties: fc.constantFrom("first", "last"),
    } as const);
    fc.assert(
      fc.property(
        some,
        fc.double({ min: 0, max: 1, noNaN: true }),
        options,
        (pairs, threshold, o) => {
          const all = pairs.map(([b]) => b);
          const scores = pairs.map(([, s]) => s);
          const before = scores.slice();
          const kept = suppress(all, scores, threshold, o);
          expect(scores).toEqual(before);
          const goesFirst = (i: number, j: number): boolean =>
            scores[i] === scores[j]
              ? (o.ties === "first") === i < j
              : (o.order === "descending") === scores[i]! > scores[j]!;
          kept.forEach((i, at) =>
            kept.slice(at + 1).forEach((j) => {
              expect(goesFirst(i, j)).toBe(true);
              expect(iou(all[i]!, all[j]!, o.plusOne)).toBeLessThanOrEqual(threshold);
            }),
          );
          for (const i of all.keys()) {
            if (!kept.includes(i))
              expect(
                kept.some((k) => goesFirst(k, i) && iou(all[i]!, all[k]!, o.plusOne) > threshold),
              ).toBe(true);
          }
        },
      ),
    );
  });
});
