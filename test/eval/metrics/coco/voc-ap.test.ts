import { describe, expect, it } from "vitest";
import {
  detectionsFromRecords,
  truthFromRecords,
} from "../../../../datasets/formats/coco-records.js";
import { vocAp } from "../../../../src/eval/metrics/coco/voc-ap.js";

type Box = readonly [number, number, number, number];
const set = (
  truths: readonly { box: Box; image?: number; ignore?: 1; category?: number }[],
  found: readonly { box: Box; score: number; image?: number; category?: number }[],
) => {
  const truth = truthFromRecords({
    images: [{ id: 1 }, { id: 2 }],
    categories: [
      { id: 1, name: "a" },
      { id: 2, name: "b" },
    ],
    annotations: truths.map(({ box, image = 1, category = 1, ...more }, i) => ({
      ...{ id: i + 1, image_id: image, category_id: category, bbox: box },
      ...more,
    })),
  });
  const records = found.map(({ box, score, image = 1, category = 1 }) => ({
    ...{ image_id: image, category_id: category, bbox: box },
    score,
  }));
  return [truth, detectionsFromRecords(truth, records)] as const;
};
const at = (x: number): Box => [x, 0, 10, 10];

describe("vocAp", () => {
  // Right, wrong, right, and one of three missed: precision 1, 1/2, 2/3 at recall 1/3, 1/3, 2/3.
  const sample = set(
    [{ box: at(0) }, { box: at(20) }, { box: at(40) }],
    [
      { box: at(0), score: 0.9 },
      { box: at(70), score: 0.8 },
      { box: at(20), score: 0.7 },
    ],
  );

  it("11-point: recall 0 to .3 at 1, .4 to .6 at 2/3, then 0", () => {
    const { mean, categories } = vocAp(...sample, "11point");
    expect(categories[0]!.ap).toMatchObject({ value: expect.closeTo(6 / 11, 12), n: 3 });
    // The other category has no true box, and no part in the mean.
    expect(mean.value).toBe(categories[0]!.ap.value);
    expect(categories[1]!.ap.value).toBeNull();
  });

  it("integral: a third at 1, a third at 2/3", () => {
    expect(vocAp(...sample, "integral").mean.value).toBeCloseTo(1 / 3 + 2 / 9, 12);
  });

  it("holds a detection against the box that it overlaps most alone", () => {
    // The second overlaps the found box more (7 of 13) than the free one (6 of 14): false, where
    // COCO's matching would not take the free one either, at below .5.
    const both = set(
      [{ box: at(0) }, { box: [7, 0, 10, 10] }],
      [
        { box: at(0), score: 0.9 },
        { box: [3, 0, 10, 10], score: 0.8 },
      ],
    );
    expect(vocAp(...both, "integral").mean.value).toBeCloseTo(1 / 2, 12);
    expect(vocAp(...both, "integral", 0.4).mean.value).toBeCloseTo(1 / 2, 12);
  });

  it("passes over difficult objects and what finds them; a second find is false", () => {
    const hard = set(
      [{ box: at(0), ignore: 1 }, { box: at(20) }],
      [
        { box: at(0), score: 0.9 },
        { box: at(20), score: 0.8 },
        { box: [21, 0, 10, 10], score: 0.7 },
      ],
    );
    expect(vocAp(...hard, "integral").mean).toMatchObject({ value: 1 });
    expect(vocAp(...hard, "11point").mean).toMatchObject({ value: 1 });
  });

  it("takes the mean over categories, pictures apart, ties in order", () => {
    const two = set(
      [{ box: at(0) }, { box: at(0), image: 2, category: 2 }],
      [
        { box: at(0), score: 0.5 },
        { box: at(0), score: 0.5, category: 2 },
        { box: at(0), score: 0.5, image: 2, category: 2 },
      ],
    );
    expect(vocAp(...two, "integral").mean.value).toBe((1 + 0.5) / 2);
  });
});
