import { describe, expect, it } from "vitest";
import {
  detectionsFromRecords,
  truthFromRecords,
} from "../../../../datasets/formats/coco-records.js";
import { boundByDetections } from "../../../../src/eval/metrics/coco/coco-limits.js";
import { cocoParameters } from "../../../../src/eval/metrics/coco/coco-parameters.js";
import { evaluateCoco } from "../../../../src/eval/metrics/coco/coco.js";

/** So many boxes of 4 x 4 px in rows, for each picture and category. */
function crowded(counts: readonly (readonly [image: number, category: number, n: number])[]) {
  const boxes = counts.flatMap(([image_id, category_id, n]) =>
    Array.from({ length: n }, (_, i) => ({
      image_id,
      category_id,
      bbox: [5 * (i % 20), 5 * Math.floor(i / 20), 4, 4],
    })),
  );
  const ids = (of: 0 | 1): number[] => [...new Set(counts.map((c) => c[of]))];
  const truth = truthFromRecords({
    images: ids(0).map((id) => ({ id, width: 200, height: 200 })),
    categories: ids(1).map((id) => ({ id, name: `c${id}` })),
    annotations: boxes.map((b, i) => ({ id: i + 1, ...b })),
  });
  return {
    truth,
    found: detectionsFromRecords(
      truth,
      boxes.map((b) => ({ ...b, score: 0.5 })),
    ),
  };
}

describe("boundByDetections", () => {
  it("says what cannot be found, and AP reaches just that with perfect detections", () => {
    // 200 and 200 of one class: 100 of each can be found, recall 0.5, 51 of 101 recalls.
    const { truth, found } = crowded([
      [1, 1, 200],
      [2, 1, 200],
    ]);
    const { summary, limits } = evaluateCoco(truth, found);
    expect(limits).toMatchObject([{ code: "detections-bound", count: 2, first: "image 1" }]);
    expect(limits[0]!.message).toMatch(/more than 100 true boxes of a category.*at most 0\.50$/);
    expect(summary[0]).toMatchObject({ metric: "AP", value: 51 / 101 });
  });

  it("takes the mean over categories, and each picture once", () => {
    // c1: 150 + 50, of which 150 in reach: recall .75, 76 of 101. c2: all. (76 / 101 + 1) / 2.
    const { truth, found } = crowded([
      [1, 1, 150],
      [2, 1, 50],
      [1, 2, 3],
    ]);
    const [note] = boundByDetections(truth, cocoParameters());
    expect(note).toMatchObject({ count: 1 });
    expect(note!.message).toContain(`AP is at most ${((76 / 101 + 1) / 2).toFixed(2)}`);
    expect(evaluateCoco(truth, found).summary[0]).toMatchObject({ value: (76 / 101 + 1) / 2 });
  });

  it("counts all categories as one where classes do not count", () => {
    const { truth } = crowded([
      [1, 1, 60],
      [1, 2, 60],
    ]);
    expect(boundByDetections(truth, cocoParameters())).toEqual([]);
    const [note] = boundByDetections(truth, cocoParameters({ agnostic: true }));
    expect(note!.message).toMatch(/more than 100 true boxes, and .* at most 0\.83$/); // 84 of 101
  });

  it("is silent where the limit is just reached, and where it is raised", () => {
    expect(boundByDetections(crowded([[1, 1, 100]]).truth, cocoParameters())).toEqual([]);
    const { truth } = crowded([[1, 1, 101]]);
    expect(boundByDetections(truth, cocoParameters())).toHaveLength(1);
    expect(boundByDetections(truth, cocoParameters({ maxDets: [1, 10, 200] }))).toEqual([]);
  });
});
