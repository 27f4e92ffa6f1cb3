import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCocoDetections, readCocoTruth } from "../../../../datasets/formats/coco-json.js";
import { evaluateCoco } from "../../../../src/eval/metrics/coco/coco.js";
import { apStatistic } from "../../../../src/eval/metrics/coco/coco-resample.js";
import { Random } from "../../../../src/eval/stats/random.js";
import { shared, sharedData } from "../../../shared-data.js";
import { evaluate, oneImage, type RecordSet, recordSets, valuesOf } from "./coco-cases.js";

/** The set in which image i stands weights[i] times: ids of copies lie together. */
function copied(set: RecordSet, weights: readonly number[]): RecordSet {
  const copies = set.images.flatMap((image, i) =>
    Array.from({ length: weights[i]! }, (_, c) => ({
      ...image,
      from: image.id,
      id: image.id * 1000 + c,
    })),
  );
  let id = 0;
  return {
    images: copies,
    categories: set.categories,
    annotations: copies.flatMap((image) =>
      set.annotations
        .filter((a) => a.image_id === image.from)
        .map((a) => ({ ...a, image_id: image.id, id: ++id })),
    ),
    detections: copies.flatMap((image) =>
      set.detections
        .filter((d) => d.image_id === image.from)
        .map((d) => ({ ...d, image_id: image.id })),
    ),
  };
}

describe("apStatistic", () => {
  const sets = fc.record({
    set: recordSets,
    weights: fc.array(fc.nat(3), { minLength: 5, maxLength: 5 }),
  });

  it("equals evaluation of the images drawn, copied in fact", () => {
    fc.assert(
      fc.property(sets, ({ set, weights }) => {
        // Scores differ between all detections of an image and category, so that copies alone tie.
        const evaluation = evaluate(set, { maxDets: [3] });
        const drawn = evaluate(copied(set, weights), { maxDets: [3] });
        const value = apStatistic(evaluation.matches).evaluate(Uint32Array.from(weights));
        const wanted = drawn.summary[0]!.value;
        if (wanted === null) expect(value).toBeNull();
        else expect(value).toBeCloseTo(wanted, 10);
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it("is AP, AP50, AP of an area or of a category where every image counts once", () => {
    fc.assert(
      fc.property(recordSets, (set) => {
        const evaluation = evaluate(set);
        const values = valuesOf(evaluation);
        const once = new Uint32Array(set.images.length).fill(1);
        const close = (value: number | null, wanted: number | null): void => {
          if (wanted === null || value === null) expect(value).toBe(wanted);
          else expect(value).toBeCloseTo(wanted, 12);
        };
        close(apStatistic(evaluation.matches).evaluate(once), values["AP"]!);
        close(apStatistic(evaluation.matches, { threshold: 0 }).evaluate(once), values["AP50"]!);
        close(apStatistic(evaluation.matches, { area: 1 }).evaluate(once), values["AP-small"]!);
        evaluation.categories().forEach(({ ap }, k) => {
          close(apStatistic(evaluation.matches, { category: k }).evaluate(once), ap.value);
        });
      }),
      { seed: 6, numRuns: 100 },
    );
  });

  it("is null where no image with a true box is drawn", () => {
    const { matches } = evaluate(oneImage([[1, [0, 0, 10, 10]]], [[1, [0, 0, 10, 10], 0.5]]));
    const statistic = apStatistic(matches);
    expect([
      statistic.n,
      statistic.evaluate(Uint32Array.of(0)),
      statistic.evaluate(Uint32Array.of(1)),
    ]).toEqual([1, null, expect.closeTo(1, 12)]);
  });

  it.skipIf(!sharedData)(
    "is AP on COCO's images with each drawn once, and moves with the draw",
    () => {
      const truth = readCocoTruth(shared("coco-val2014-100", "instances_val2014_100.json"));
      const { matches, summary } = evaluateCoco(
        truth,
        readCocoDetections(
          shared("coco-val2014-100", "instances_val2014_fakebbox100_results.json"),
          truth,
        ),
      );
      const statistic = apStatistic(matches);
      expect(statistic.evaluate(new Uint32Array(statistic.n).fill(1))).toBeCloseTo(
        summary[0]!.value!,
        12,
      );
      const random = new Random(1);
      const weights = new Uint32Array(statistic.n);
      for (let i = 0; i < statistic.n; i++) weights[random.below(statistic.n)]!++;
      expect(statistic.evaluate(weights)).not.toBe(summary[0]!.value);
    },
  );
});
