import fc from "fast-check";
import { readCocoDetections, readCocoTruth } from "../../../../datasets/formats/coco-json.js";
import { describe, expect, it } from "vitest";
import {
  detectionsFromRecords,
  truthFromRecords,
} from "../../../../datasets/formats/coco-records.js";
import {
  type DetectionErrors,
  type ErrorOptions,
  type ErrorType,
  errorTypes,
  explainErrors,
} from "../../../../src/eval/metrics/coco/coco-errors.js";
import { Random } from "../../../../src/eval/stats/random.js";
import { shared, sharedData } from "../../../shared-data.js";
import { oneImage, recordSets, type RecordSet } from "./coco-cases.js";

function explain(set: RecordSet, options: ErrorOptions = {}): DetectionErrors {
  const truth = truthFromRecords(set);
  return explainErrors(truth, detectionsFromRecords(truth, set.detections), options);
}

const counts = ({ errors }: DetectionErrors): Partial<Record<ErrorType, number>> =>
  Object.fromEntries(errors.filter((e) => e.count > 0).map((e) => [e.type, e.count]));
const gains = ({ errors }: DetectionErrors): Record<string, number | null> =>
  Object.fromEntries(errors.map((e) => [e.type, e.deltaAp.value]));
const types = ({ ofDetection }: DetectionErrors): (ErrorType | null)[] =>
  Array.from(ofDetection, (t) => errorTypes[t] ?? null);

/** Objects of 100 x 100 px, far apart. */
const at = (x: number, height = 100): number[] => [x, 0, 100, height];

describe("explainErrors by hand", () => {
  it("names one error of each type", () => {
    const result = explain(
      oneImage(
        [
          [1, at(0)],
          [1, at(200)],
          [2, at(400)],
          [1, at(600)],
        ],
        [
          [1, at(0), 0.9], // finds the first
          [1, at(0), 0.8], // finds it again
          [1, at(200, 30), 0.7], // IoU 0.3 with the second
          [1, at(400), 0.6], // is on the third, which is of category 2
          [1, [0, 500, 50, 50], 0.5], // on nothing
          [2, at(0, 30), 0.4], // IoU 0.3 with an object of category 1
        ],
      ),
    );
    expect(types(result)).toEqual([
      null,
      "duplicate",
      "localisation",
      "classification",
      "background",
      "both",
    ]);
    expect(counts(result)).toEqual({
      classification: 1,
      localisation: 1,
      both: 1,
      duplicate: 1,
      background: 1,
      missed: 1,
    });
    expect([...result.missed]).toEqual([0, 0, 0, 1]);
    // Category 1 finds 1 of 3: precision 1 at the 34 recalls up to 1/3. Category 2 finds none of 1.
    expect(result.ap.value).toBeCloseTo(34 / 101 / 2, 12);
    expect(gains(result)).toEqual({
      // category 2: found first, before its false positive
      classification: expect.closeTo(1 / 2, 12),
      // category 1: a second true positive in third place
      localisation: expect.closeTo((34 + 33 * (2 / 3) - 34) / 101 / 2, 12),
      both: 0,
      duplicate: 0,
      background: 0, // they come after all true positives
      missed: expect.closeTo((51 - 34) / 101 / 2, 12), // category 1: 1 of 2
    });
  });

  it("weighs false positives by what they push down", () => {
    const result = explain(
      oneImage(
        [
          [1, at(0)],
          [1, at(200)],
          [2, at(400)],
        ],
        [
          [1, at(0), 0.9],
          [1, at(0, 90), 0.8],
          [1, at(400, 30), 0.75],
          [1, [0, 500, 50, 50], 0.7],
          [1, at(200), 0.6],
          [2, at(400), 0.5],
        ],
      ),
    );
    expect(types(result)).toEqual([null, "duplicate", "both", "background", null, null]);
    // Category 1: 51 recalls at precision 1, 50 at 2/5; without one of the three false positives at
    // 2/4; without any at 1.
    const gain = (precision: number): unknown =>
      expect.closeTo((50 * (precision - 2 / 5)) / 101 / 2, 12);
    expect(gains(result)).toEqual({
      classification: 0,
      localisation: 0,
      both: gain(2 / 4),
      duplicate: gain(2 / 4),
      background: gain(2 / 4),
      missed: 0,
    });
    expect(result.falsePositives.value).toEqual(gain(1));
    expect(result.falseNegatives.value).toBe(0);
  });

  it(
    "mends only the best of several errors that reach " + "for one object, and drops the others",
    () => {
      const result = explain(
        oneImage(
          [[1, at(0)]],
          [
            [1, at(0, 40), 0.9],
            [1, at(0, 30), 0.8],
            [2, at(0), 0.7],
          ],
        ),
      );
      expect(types(result)).toEqual(["localisation", "localisation", "classification"]);
      expect(result.ap.value).toBe(0);
      // The one object is found first of all, and nothing else is left: AP 1. Mending the
      // classification error would not find it, for a better one does.
      expect(gains(result)).toMatchObject({
        localisation: expect.closeTo(1, 12) as number,
        classification: 0,
        missed: 0,
      });
      expect([...result.missed]).toEqual([0]);
    },
  );

  it(
    "draws the lines where TIDE does: t_b and t_f belong to localisation, IoU t_b with any " +
      "object to background",
    () => {
      const types2 = (height: number): (ErrorType | null)[] =>
        types(explain(oneImage([[1, at(0)]], [[1, at(0, height), 0.9]])));
      expect([types2(9), types2(10), types2(49), types2(50)]).toEqual([
        ["background"],
        ["localisation"],
        ["localisation"],
        [null],
      ]);
      const other = (height: number): (ErrorType | null)[] =>
        types(explain(oneImage([[1, at(0)]], [[2, at(0, height), 0.9]])));
      const again = (height: number): (ErrorType | null)[] =>
        types(
          explain(
            oneImage(
              [[1, at(0)]],
              [
                [1, at(0), 0.9],
                [1, at(0, height), 0.8],
              ],
            ),
          ),
        );
      expect([again(50), again(51)]).toEqual([
        [null, "localisation"],
        [null, "duplicate"],
      ]);
      expect([other(10), other(11), other(49), other(50)]).toEqual([
        ["background"],
        ["both"],
        ["both"],
        ["classification"],
      ]);
    },
  );

  it("takes neither crowds nor what lies in them for errors", () => {
    const set = oneImage(
      [
        [1, at(0)],
        [1, [300, 300, 400, 400]],
      ],
      [
        [1, at(0), 0.9],
        [1, [310, 310, 50, 50], 0.8],
      ],
    );
    const crowd = { ...set, annotations: set.annotations.map((a, i) => ({ ...a, iscrowd: i })) };
    const result = explain(crowd);
    expect([counts(result), result.ap.value]).toEqual([{}, expect.closeTo(1, 12)]);
    expect(counts(explain(set))).toEqual({ background: 1, missed: 1 });
    const ignored = { ...set, annotations: set.annotations.map((a, i) => ({ ...a, ignore: i })) };
    expect([counts(explain(ignored, { honourIgnore: true })), counts(explain(ignored))]).toEqual([
      {},
      { background: 1, missed: 1 },
    ]);
  });

  it("keeps the best maxDets of an image, over all categories", () => {
    const set = oneImage(
      [[1, at(0)]],
      [
        [2, at(200), 0.9],
        [1, at(0), 0.8],
      ],
    );
    expect([explain(set).ap.value, explain(set, { maxDets: 1 }).ap.value]).toEqual([
      expect.closeTo(1, 12),
      0,
    ]);
    expect(types(explain(set, { maxDets: 1 }))).toEqual(["background", null]);
  });

  it("says why where there is no truth", () => {
    const result = explain({ ...oneImage([[1, at(0)]], [[1, at(0), 0.9]]), annotations: [] });
    expect(result.ap).toEqual({ value: null, why: "no true box that counts is left" });
    expect(result.errors.map((e) => e.deltaAp.value)).toEqual([null, null, null, null, null, null]);
    expect(counts(result)).toEqual({ background: 1 });
  });
});

describe.skipIf(!sharedData)("explainErrors on 100 images of COCO", () => {
  it(
    "counts what the reference implementation counts (dbolya/tide, TIDE.BOX, evaluated on " +
      "the same files)",
    () => {
      const truth = readCocoTruth(shared("coco-val2014-100", "instances_val2014_100.json"));
      const result = explainErrors(
        truth,
        readCocoDetections(
          shared("coco-val2014-100", "instances_val2014_fakebbox100_results.json"),
          truth,
        ),
      );
      expect(result.errors.map((e) => [e.type, e.count])).toEqual([
        ["classification", 83],
        ["localisation", 1],
        ["both", 0],
        ["duplicate", 1],
        ["background", 0],
        ["missed", 97],
      ]);
    },
  );
});

describe("explainErrors by property", () => {
  const runs = { seed: 11, numRuns: 150 };

  it("does not depend on the order of images, categories or annotations", () => {
    fc.assert(
      fc.property(recordSets, fc.integer(), (set, seed) => {
        const random = new Random(seed);
        const mixed = {
          ...set,
          images: random.shuffled(set.images),
          categories: random.shuffled(set.categories),
          annotations: random.shuffled(set.annotations),
        };
        expect(explain(mixed).ap).toEqual(explain(set).ap);
      }),
      runs,
    );
  });

  it(
    "gives each detection one type at most, keeps AP with a type mended within 1, and finds " +
      "no error where the truth itself was detected",
    () => {
      fc.assert(
        fc.property(recordSets, (set) => {
          const result = explain(set);
          expect(result.ofDetection).toHaveLength(set.detections.length);
          const typed = errorTypes.map((_, t) =>
            result.ofDetection.reduce((n, of) => n + (of === t ? 1 : 0), 0),
          );
          for (const [t, { type, count, deltaAp }] of result.errors.entries()) {
            if (type !== "missed") expect(typed[t]).toBe(count);
            expect(count).toBeGreaterThanOrEqual(0);
            if (result.ap.value === null) expect(deltaAp.value).toBeNull();
            else expect(result.ap.value + deltaAp.value!).toBeLessThanOrEqual(1 + 1e-12);
          }
          const plain = set.annotations.filter((a) => !a.iscrowd);
          const perfect = explain(
            {
              ...set,
              annotations: plain,
              detections: plain.map((a, i) => ({
                image_id: a.image_id,
                category_id: a.category_id,
                bbox: a.bbox,
                score: 1 - i / 1000,
              })),
            },
            { maxDets: 1000 },
          );
          expect(counts(perfect).background ?? 0).toBe(0);
          expect(counts(perfect).missed ?? 0).toBe(0);
        }),
        runs,
      );
    },
  );
});
