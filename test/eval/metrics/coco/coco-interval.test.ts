import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cocoInterval } from "../../../../src/eval/metrics/coco/coco-interval.js";
import { arStatistic, cocoStatistic } from "../../../../src/eval/metrics/coco/coco-resample.js";
import { apCoverage } from "./coco-coverage-scenario.js";
import { evaluate, oneImage, recordSets, valuesOf } from "./coco-cases.js";

describe("cocoInterval", () => {
  it("holds the mean AP50 of sets of 60 images in 93 to 97% of 2,000 draws", () => {
    const { aroundValue } = apCoverage(
      { images: 60, categories: 1, objects: 3 },
      { draws: 2000, resamples: 100, threshold: 0, percentiles: false },
    );
    expect(aroundValue).toBeGreaterThanOrEqual(0.93);
    expect(aroundValue).toBeLessThanOrEqual(0.97);
  }, 120_000);

  it("says why there is none, and does not leave 0 to 1", () => {
    const { matches } = evaluate(oneImage([[1, [0, 0, 10, 10]]], [[1, [0, 0, 10, 10], 0.5]]));
    expect(cocoInterval(cocoStatistic(matches, "AP")!)).toMatchObject({
      value: expect.closeTo(1, 12) as number,
      interval: null,
      whyNoInterval: "one independent unit only",
    });
    expect(cocoInterval(cocoStatistic(matches, "AP-large")!)).toMatchObject({
      value: null,
      why: expect.any(String) as string,
    });
  });
});

describe("cocoStatistic", () => {
  it("is each number of the summary where every image counts once", () => {
    fc.assert(
      fc.property(recordSets, (set) => {
        const evaluation = evaluate(set, { maxDets: [1, 2, 5] });
        for (const [name, value] of Object.entries(valuesOf(evaluation))) {
          const again = cocoStatistic(evaluation.matches, name)!.evaluate(
            new Uint32Array(set.images.length).fill(1),
          );
          if (value === null || again === null) expect([name, again]).toEqual([name, value]);
          else expect(again).toBeCloseTo(value, 12);
        }
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it("knows nothing else", () => {
    const { matches } = evaluate(oneImage([[1, [0, 0, 10, 10]]], []), { iouThresholds: [0.5] });
    expect(
      ["AP75", "AP-all", "AP-tiny", "AR@7", "mAP", "AR@"].map((name) =>
        cocoStatistic(matches, name),
      ),
    ).toEqual(Array(6).fill(undefined));
  });

  it("weighs recall by image, by hand", () => {
    // Image 1: found at every threshold; image 2: two objects, one found at 0.5 only of ten
    // thresholds.
    const set = oneImage([[1, [0, 0, 10, 10]]], [[1, [0, 0, 10, 10], 0.9]]);
    const two = {
      ...set,
      images: [...set.images, { id: 2, width: 1000, height: 1000 }],
      annotations: [
        ...set.annotations,
        ...[0, 50].map((x, i) => ({
          id: 10 + i,
          image_id: 2,
          category_id: 1,
          bbox: [x, 0, 10, 10],
          iscrowd: 0,
        })),
      ],
      detections: [
        ...set.detections,
        { image_id: 2, category_id: 1, bbox: [0, 0, 10, 5], score: 0.8 },
      ],
    };
    const recall = arStatistic(evaluate(two).matches);
    expect(recall.evaluate(Uint32Array.of(1, 1))).toBeCloseTo((10 + 1) / (3 * 10), 12);
    expect(recall.evaluate(Uint32Array.of(3, 2))).toBeCloseTo((3 * 10 + 2 * 1) / (7 * 10), 12);
  });
});
