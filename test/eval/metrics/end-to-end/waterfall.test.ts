import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultRule } from "../../../../src/eval/metrics/end-to-end/f1-evidence.js";
import { f1At } from "../../../../src/eval/metrics/end-to-end/f1.js";
import { objectLosses, waterfall } from "../../../../src/eval/metrics/end-to-end/waterfall.js";
import {
  cropsOf,
  lossStages,
  type CropEvidence,
  type CropsOfImage,
  type Neighbour,
  type WaterfallRule,
} from "../../../../src/eval/metrics/end-to-end/waterfall-evidence.js";
import type { Box, Observation } from "../../../../src/pipeline/types.js";
import { at, pictures, rules } from "./f1-cases.js";

const rule: WaterfallRule = { ...defaultRule, threshold: 0.5, success: "label" };
const near = (label: string, score: number): Neighbour => ({ label, score });
const crop = (box: Box, found: Neighbour | null, exact = found, whole = false): CropEvidence => ({
  box,
  whole,
  exact,
  found,
});
const picture = at(0, 0, 1000, 1000);
const home = at(0, 0, 100, 100);
const truth = [{ label: "tea", box: home }];
const one = (...crops: CropEvidence[]): CropsOfImage => ({ image: "one", truth, crops });
const stageOf = (image: CropsOfImage, with_: Partial<WaterfallRule> = {}): string =>
  objectLosses(image, { ...rule, ...with_ })[0]!.stage;

describe("one object, each stage by hand", () => {
  test("missed: no crop, a crop elsewhere, or only the whole picture", () => {
    expect(stageOf(one())).toBe("missed");
    expect(stageOf(one(crop(at(500, 500, 100, 100), near("cola", 0.9))))).toBe("missed");
    expect(stageOf(one(crop(picture, near("cola", 0.9), near("cola", 0.9), true)))).toBe("missed");
    // A quarter of the picture: a detected box of that overlap would be a bad crop, the added whole
    // picture is none.
    expect(stageOf(one(crop(at(0, 0, 200, 200), near("cola", 0.9), near("cola", 0.9), true)))).toBe(
      "missed",
    );
    expect(stageOf(one(crop(at(0, 0, 200, 200), near("cola", 0.9))))).toBe("wrong-crop");
  });

  test("wrong crop: a detected box at IoU 1/3", () => {
    expect(stageOf(one(crop(at(50, 0, 100, 100), near("cola", 0.9))))).toBe("wrong-crop");
  });

  test("a whole picture filled by the object is a good crop", () => {
    expect(
      stageOf({
        image: "close-up",
        truth,
        crops: [crop(at(0, 0, 120, 120), near("cola", 0.9), near("cola", 0.9), true)],
      }),
    ).toBe("embedding");
  });

  test("embedding, index, threshold, suppressed, correct", () => {
    expect(stageOf(one(crop(home, near("cola", 0.9))))).toBe("embedding");
    expect(stageOf(one(crop(home, near("cola", 0.8), near("tea", 0.9))))).toBe("index");
    expect(stageOf(one(crop(home, null, near("tea", 0.9))))).toBe("index");
    expect(stageOf(one(crop(home, near("tea", 0.4))))).toBe("threshold");
    expect(
      stageOf(one(crop(home, near("tea", 0.7)), crop(at(0, 0, 110, 100), near("cola", 0.9)))),
    ).toBe("suppressed");
    expect(stageOf(one(crop(home, near("tea", 0.7))))).toBe("correct");
  });

  test("a lucky index: the exact neighbour is wrong, the one found is right", () => {
    expect(stageOf(one(crop(home, near("tea", 0.7), near("cola", 0.8))))).toBe("correct");
    expect(stageOf(one(crop(home, near("tea", 0.4), near("cola", 0.8))))).toBe("threshold");
  });

  test("the furthest of several crops counts", () => {
    const [loss] = objectLosses(
      one(
        crop(at(50, 0, 100, 100), near("cola", 0.3)),
        crop(home, near("tea", 0.4)),
        crop(at(0, 0, 90, 100), near("cola", 0.2)),
      ),
      rule,
    );
    expect(loss).toEqual({ image: "one", object: 0, label: "tea", stage: "threshold", crop: 1 });
  });

  test("right label in the wrong place: correct by label, lost by box", () => {
    const astray = one(crop(at(500, 500, 100, 100), near("tea", 0.9)));
    expect(stageOf(astray)).toBe("correct");
    expect(stageOf(astray, { success: "box" })).toBe("missed");
  });

  test("by box, one crop cannot answer for two objects of a label", () => {
    const twins: CropsOfImage = {
      image: "twins",
      truth: [...truth, { label: "tea", box: at(0, 10, 100, 100) }],
      crops: [crop(home, near("tea", 0.9))],
    };
    expect(objectLosses(twins, rule).map((l) => l.stage)).toEqual(["correct", "correct"]);
    expect(objectLosses(twins, { ...rule, success: "box" }).map((l) => l.stage)).toEqual([
      "correct",
      "missed",
    ]);
    const pair = { ...twins, crops: [...twins.crops, crop(at(0, 10, 100, 100), near("tea", 0.8))] };
    expect(objectLosses(pair, { ...rule, success: "box" }).map((l) => l.stage)).toEqual([
      "correct",
      "suppressed",
    ]);
  });

  test("Hamming distances: low is good", () => {
    expect(stageOf(one(crop(home, near("tea", 120))), { better: "lower", threshold: 100 })).toBe(
      "threshold",
    );
    expect(stageOf(one(crop(home, near("tea", 90))), { better: "lower", threshold: 100 })).toBe(
      "correct",
    );
  });
});

describe("the waterfall of six pictures by hand", () => {
  const set: CropsOfImage[] = [
    { image: "missed", truth, crops: [], oracle: [crop(home, near("tea", 0.9))] },
    {
      image: "embedding",
      truth,
      crops: [crop(home, near("cola", 0.9))],
      oracle: [crop(home, near("cola", 0.9))],
    },
    {
      image: "index",
      truth,
      crops: [crop(home, near("cola", 0.6), near("tea", 0.9))],
      oracle: [crop(home, near("cola", 0.6), near("tea", 0.9))],
    },
    {
      image: "threshold",
      truth,
      crops: [crop(home, near("tea", 0.4))],
      oracle: [crop(home, near("tea", 0.45))],
    },
    {
      image: "suppressed",
      truth,
      crops: [crop(home, near("tea", 0.7)), crop(at(0, 0, 110, 100), near("cola", 0.9))],
      oracle: [crop(home, near("tea", 0.7))],
    },
    {
      image: "correct",
      truth,
      crops: [crop(home, near("tea", 0.8))],
      oracle: [crop(home, near("tea", 0.8))],
    },
    { image: "distractor", truth: [], crops: [crop(home, near("tea", 0.9))] },
  ];
  const result = waterfall(set, rule);

  test("one object at each stage, shares of 1/6", () => {
    expect(result.counts).toEqual({
      missed: 1,
      "wrong-crop": 0,
      embedding: 1,
      index: 1,
      threshold: 1,
      suppressed: 1,
      correct: 1,
    });
    expect(result.shares.correct.value).toBeCloseTo(1 / 6, 15);
    // None of 6 pictures: Wilson's upper end is z^2 / (6 + z^2).
    expect(result.shares["wrong-crop"]).toMatchObject({
      value: 0,
      interval: { low: 0, high: expect.closeTo(3.841459 / 9.841459, 6), method: "wilson" },
    });
  });

  test(
    "counterfactuals: oracle boxes free the missed and " + "the suppressed, the others one each",
    () => {
      const recall = Object.fromEntries(
        result.counterfactuals.map((c) => [
          c.name,
          [c.recall.value! * 6, c.gain.value! * 6].map((v) => Math.round(v * 1e9) / 1e9),
        ]),
      );
      expect(recall).toEqual({
        "oracle boxes": [3, 2],
        "exact index": [2, 1],
        "oracle boxes and exact index": [4, 3],
        "no threshold": [2, 1],
        "no suppression": [2, 1],
      });
    },
  );

  test("oracle boxes that were not run: no value, and the picture that lacks them", () => {
    const [oracle] = waterfall([...set, { image: "late", truth, crops: [] }], rule).counterfactuals;
    expect(oracle!.recall).toEqual({
      value: null,
      why: "the truth boxes were not run as crops (first: late)",
    });
  });

  test("no truth at all", () => {
    const empty = waterfall(set.slice(6), rule);
    expect(empty.shares.correct).toEqual({ value: null, why: "no picture has a truth object" });
    expect(empty.counterfactuals[1]!.gain.value).toBeNull();
  });
});

/** Random pictures with an exact search beside the found one. */
const cropsOfPictures = fc
  .tuple(
    pictures,
    fc.infiniteStream(
      fc.tuple(
        fc.constantFrom("a", "b", "c", "d", null),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
      ),
    ),
  )
  .map(([images, stream]) =>
    images.map(({ image, truth: objects, recognitions }): CropsOfImage => ({
      image,
      truth: objects,
      crops: recognitions.map(({ box, label, score }) => {
        const [other, otherScore, same] = stream.next().value;
        const found = label === null ? null : near(label, score);
        return crop(
          box,
          found,
          same ? found : other === null ? null : near(other, otherScore),
          false,
        );
      }),
    })),
  );

const waterfallRules = fc
  .tuple(rules, fc.constantFrom("label" as const, "box" as const), fc.constantFrom(null, 3, 7))
  .map(([acceptance, success, threshold]): WaterfallRule => ({
    ...acceptance,
    success,
    threshold,
  }));

describe("the waterfall's properties", () => {
  test("every object has exactly one stage, and `correct` counts what F1 counts as hits", () => {
    fc.assert(
      fc.property(cropsOfPictures, waterfallRules, (images, r) => {
        const { counts, objects } = waterfall(images, r, { resamples: 2 });
        const total = images.reduce((s, i) => s + i.truth.length, 0);
        expect(objects.length).toBe(total);
        expect(lossStages.reduce((s, stage) => s + counts[stage], 0)).toBe(total);
        const evidence = images.map(({ image, truth: objectsOf, crops }) => ({
          image,
          truth: objectsOf,
          recognitions: crops.map((c) => ({
            box: c.box,
            label: c.found?.label ?? null,
            score: c.found?.score ?? 0,
          })),
        }));
        if (r.success === "box")
          expect(counts.correct).toBe(
            f1At(evidence, "C", r, r.threshold, { resamples: 2 }).point.tp,
          );
        else {
          // B counts a label once a picture, the waterfall every object.
          const once = new Set(
            objects.filter((o) => o.stage === "correct").map((o) => `${o.image} ${o.label}`),
          ).size;
          expect(once).toBe(f1At(evidence, "B", r, r.threshold, { resamples: 2 }).point.tp);
        }
      }),
      { numRuns: 200 },
    );
  });

  test(
    "no threshold lost nothing at the threshold; no suppression, nothing suppressed; " +
      "exact search, nothing at the index",
    () => {
      fc.assert(
        fc.property(cropsOfPictures, waterfallRules, (images, r) => {
          expect(
            waterfall(images, { ...r, threshold: null }, { resamples: 2 }).counts.threshold,
          ).toBe(0);
          const exact = images.map((i) => ({
            ...i,
            crops: i.crops.map((c) => ({ ...c, found: c.exact })),
          }));
          expect(waterfall(exact, r, { resamples: 2 }).counts.index).toBe(0);
          if (r.success === "label")
            expect(
              waterfall(images, { ...r, suppressIou: null }, { resamples: 2 }).counts.suppressed,
            ).toBe(0);
        }),
        { numRuns: 100 },
      );
    },
  );

  test(
    "by label, taking suppression away never loses an object; and freeing the stage's " +
      "objects gains them all",
    () => {
      fc.assert(
        fc.property(cropsOfPictures, rules, (images, acceptance) => {
          const r: WaterfallRule = { ...acceptance, success: "label", threshold: 7 };
          const { counts, counterfactuals } = waterfall(images, r, { resamples: 2 });
          const free = counterfactuals.find((c) => c.name === "no suppression")!;
          if (free.gain.value === null) return true;
          const objects = images.reduce((s, i) => s + i.truth.length, 0);
          return Math.abs(free.gain.value * objects - counts.suppressed) < 1e-9;
        }),
        { numRuns: 100 },
      );
    },
  );
});

describe("cropsOf", () => {
  const observation = (detections: Box[], boxes: Box[]): Observation => ({
    image: "x",
    width: 100,
    height: 80,
    stageMs: {},
    overallMs: 0,
    detections: detections.map((box) => ({ box, score: 0.9, classId: 0 })),
    recognitions: boxes.map((box, i) => ({
      box,
      detectionScore: 0.9,
      label: i === 0 ? "tea" : null,
      score: 0.8,
      fate: "kept",
      hits: [],
    })),
  });
  const full = at(0, 0, 100, 80);

  test("marks the added whole picture, and an exact index has one search for both", () => {
    const { crops } = cropsOf(observation([at(0, 0, 50, 50)], [at(0, 0, 50, 50), full]), truth);
    expect(crops.map((c) => c.whole)).toEqual([false, true]);
    expect(crops[0]).toMatchObject({ exact: near("tea", 0.8), found: near("tea", 0.8) });
    expect(crops[1]).toMatchObject({ exact: null, found: null });
  });

  test("tells a detected whole picture from the added one", () => {
    expect(
      cropsOf(
        observation([{ x0: -0.4, y0: 0.6, x1: 100.3, y1: 80 }], [full, full]),
        truth,
      ).crops.map((c) => c.whole),
    ).toEqual([false, true]);
    expect(cropsOf(observation([full], [full]), truth).crops.map((c) => c.whole)).toEqual([false]);
  });

  test("exact neighbours go with their recognitions", () => {
    const { crops } = cropsOf(observation([], [full]), truth, [near("cola", 0.9)]);
    expect(crops[0]).toMatchObject({ exact: near("cola", 0.9), found: near("tea", 0.8) });
    expect(() => cropsOf(observation([], [full]), truth, [])).toThrow(RangeError);
  });
});
