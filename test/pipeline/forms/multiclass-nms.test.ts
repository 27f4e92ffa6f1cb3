import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { suppress } from "../../../src/pipeline/box.js";
import { multiClassNms, picodetNms } from "../../../src/pipeline/forms/multiclass-nms.js";

const all = { ...picodetNms, topK: -1, keepTopK: -1 };

describe("multiClassNms, hand-worked", () => {
  test("Paddle's documented example", () => {
    // Boxes of IoU 4/11 > 0.3; scores of three classes; the documented output holds class 1 and
    // class 2 with background class 0.
    const boxes = Float32Array.of(2, 3, 7, 5, 3, 4, 8, 5);
    const scores = Float32Array.of(0.7, 0.3, 0.2, 0.3, 0.4, 0.1);
    const rows = multiClassNms(boxes, scores, { ...all, scoreThreshold: 0, iouThreshold: 0.3 });
    expect(rows.filter((r) => r.classId > 0).map((r) => [r.classId, r.row])).toEqual([
      [1, 1],
      [2, 0],
    ]);
    expect(rows.map((r) => r.score)).toEqual([0.7, 0.3, 0.4].map(Math.fround));
  });

  test("scores must be above the threshold, not at it", () => {
    const boxes = Float32Array.of(0, 0, 1, 1, 5, 5, 6, 6);
    expect(multiClassNms(boxes, Float32Array.of(0.025, 0.0251), all).map((r) => r.row)).toEqual([
      1,
    ]);
    expect(multiClassNms(boxes, Float32Array.of(NaN, 0.5), all).map((r) => r.row)).toEqual([1]);
  });

  test("an IoU at the threshold stays", () => {
    const boxes = Float32Array.of(0, 0, 5, 1, 0, 0, 3, 1); // 3 / 5
    expect(multiClassNms(boxes, Float32Array.of(0.9, 0.8), all)).toHaveLength(2);
    expect(
      multiClassNms(boxes, Float32Array.of(0.9, 0.8), { ...all, iouThreshold: 0.599 }),
    ).toHaveLength(1);
  });

  test("classes do not suppress one another", () => {
    const boxes = Float32Array.of(0, 0, 5, 5, 0, 0, 5, 5);
    expect(
      multiClassNms(boxes, Float32Array.of(0.9, 0, 0, 0.8), all).map((r) => [r.classId, r.row]),
    ).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test("topK is taken before suppression, keepTopK after, over all classes", () => {
    const boxes = Float32Array.of(0, 0, 5, 5, 0, 0, 5, 5, 9, 9, 12, 12);
    const scores = Float32Array.of(0.9, 0.8, 0.7, 0, 0.95, 0.1);
    expect(
      multiClassNms(boxes, scores, { ...all, topK: 2 }).map((r) => [r.classId, r.row]),
    ).toEqual([
      [0, 0],
      [1, 1],
      [1, 2],
    ]);
    expect(
      multiClassNms(boxes, scores, { ...all, keepTopK: 2 }).map((r) => [r.classId, r.row]),
    ).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(multiClassNms(boxes, scores, { ...all, keepTopK: 0 })).toEqual([]);
  });

  test("without normalisation corners count, but boxes apart share nothing", () => {
    const touching = Float32Array.of(0, 0, 4, 4, 4, 0, 8, 4); // +1: 5 / 45
    const scores = Float32Array.of(0.9, 0.8);
    expect(multiClassNms(touching, scores, { ...all, iouThreshold: 0.1 })).toHaveLength(2);
    expect(
      multiClassNms(touching, scores, { ...all, iouThreshold: 0.1, normalized: false }),
    ).toHaveLength(1);
    // Half a pixel apart in each direction: with +1 alone they would overlap.
    const middle = [10, 10, 14, 14];
    for (const beside of [
      [14.5, 10, 18, 14],
      [6, 10, 9.5, 14],
      [10, 14.5, 14, 18],
      [10, 6, 14, 9.5],
    ]) {
      expect(
        multiClassNms(Float32Array.from([...middle, ...beside]), scores, {
          ...all,
          iouThreshold: 0,
          normalized: false,
        }),
      ).toHaveLength(2);
    }
  });

  test("nothing in, nothing out; sizes that do not fit are refused", () => {
    expect(multiClassNms(new Float32Array(), new Float32Array())).toEqual([]);
    expect(multiClassNms(new Float32Array(4), new Float32Array())).toEqual([]);
    expect(() => multiClassNms(new Float32Array(8), new Float32Array(3))).toThrow(RangeError);
    expect(() => multiClassNms(new Float32Array(7), new Float32Array(2))).toThrow(RangeError);
    expect(() => multiClassNms(new Float32Array(), new Float32Array(1))).toThrow(RangeError);
  });
});

test("each class by itself is greedy suppression, and keepTopK keeps the best", () => {
  // Coordinates and scores on coarse grids: many ties, and IoUs that are fractions of small
  // integers.
  const coordinate = fc.integer({ min: 0, max: 12 });
  const size = fc.integer({ min: 1, max: 8 });
  const box = fc
    .tuple(coordinate, coordinate, size, size)
    .map(([x, y, w, h]) => [x, y, x + w, y + h] as const);
  const inputs = fc
    .tuple(fc.array(box, { minLength: 1, maxLength: 15 }), fc.integer({ min: 1, max: 4 }))
    .chain(([boxes, classes]) =>
      fc.record({
        boxes: fc.constant(boxes),
        scores: fc.array(
          fc.integer({ min: 0, max: 8 }).map((s) => s / 8),
          { minLength: boxes.length * classes, maxLength: boxes.length * classes },
        ),
        keepTopK: fc.integer({ min: -1, max: 12 }),
        topK: fc.integer({ min: -1, max: 8 }),
        iouThreshold: fc.constantFrom(0.1, 0.3, 0.45, 0.62, 0.9),
      }),
    );
  fc.assert(
    fc.property(inputs, ({ boxes, scores, keepTopK, topK, iouThreshold }) => {
      const settings = { ...all, iouThreshold, topK, keepTopK };
      const rows = multiClassNms(
        Float32Array.from(boxes.flat()),
        Float32Array.from(scores),
        settings,
      );
      const expected = Array.from({ length: scores.length / boxes.length }, (_, classId) => {
        const own = scores.slice(classId * boxes.length, (classId + 1) * boxes.length);
        let candidates = [...own.keys()]
          .filter((i) => own[i]! > 0.025)
          .sort((i, j) => own[j]! - own[i]! || i - j);
        if (topK >= 0) candidates = candidates.slice(0, topK);
        const kept = suppress(
          candidates.map((i) => {
            const [x0, y0, x1, y1] = boxes[i]!;
            return { x0, y0, x1, y1 };
          }),
          candidates.map((i) => own[i]!),
          iouThreshold,
        );
        return kept.map((k) => ({ classId, score: own[candidates[k]!]!, row: candidates[k]! }));
      }).flat();
      if (keepTopK < 0 || expected.length <= keepTopK) {
        expect(rows).toEqual(expected);
      } else {
        expect(rows).toHaveLength(keepTopK);
        expect(rows.map((r) => r.score).sort((a, b) => b - a)).toEqual(
          expected
            .map((r) => r.score)
            .sort((a, b) => b - a)
            .slice(0, keepTopK),
        );
        expect(
          expected.filter((e) => rows.some((r) => r.classId === e.classId && r.row === e.row)),
        ).toEqual(rows);
      }
    }),
    { numRuns: 300 },
  );
});
