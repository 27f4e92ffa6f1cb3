import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCocoDetections, readCocoTruth } from "../../../../datasets/formats/coco-json.js";
import { truthFromRecords } from "../../../../datasets/formats/coco-records.js";
import { evaluateCoco } from "../../../../src/eval/metrics/coco/coco.js";
import { precisionRecallCurves } from "../../../../src/eval/metrics/coco/coco-curves.js";
import {
  identity,
  orderByFallingScore,
  orderByKey,
} from "../../../../src/eval/metrics/coco/coco-order.js";
import { linspace } from "../../../../src/eval/metrics/coco/coco-parameters.js";
import { mean } from "../../../../src/eval/metrics/coco/coco-summary.js";
import { Random } from "../../../../src/eval/stats/random.js";
import { complaintOf } from "../../../complaint.js";
import { shared, sharedData } from "../../../shared-data.js";
import { evaluate, oneImage, recordSets, valuesOf } from "./coco-cases.js";

/**
 * Two objects of 10 x 10 px. By falling score: the first one exactly, a miss, and the second one at
 * IoU 60 / 100 = 0.6, which is a match at 0.50, 0.55 and 0.60 and none at the other seven
 * thresholds.
 *
 * Matched, precision is 1 up to recall 0.5 (51 of the 101 points) and 2/3 up to 1 (50 points);
 * unmatched, 1 up to 0.5 and 0.
 */
const worked = oneImage(
  [
    [1, [0, 0, 10, 10]],
    [1, [20, 0, 10, 10]],
  ],
  [
    [1, [0, 0, 10, 10], 0.9],
    [1, [500, 500, 10, 10], 0.8],
    [1, [20, 0, 10, 6], 0.7],
  ],
);
const apWhereMatched = (51 + 50 * (2 / 3)) / 101;
const apWhereNot = 51 / 101;

describe("evaluateCoco by hand", () => {
  it("gives the twelve numbers of two objects and three detections", () => {
    const values = valuesOf(evaluate(worked));
    expect(Object.keys(values)).toEqual([
      "AP",
      "AP50",
      "AP75",
      "AP-small",
      "AP-medium",
      "AP-large",
      "AR@1",
      "AR@10",
      "AR@100",
      "AR-small",
      "AR-medium",
      "AR-large",
    ]);
    expect(values["AP"]).toBeCloseTo((3 * apWhereMatched + 7 * apWhereNot) / 10, 12);
    expect(values["AP50"]).toBeCloseTo(apWhereMatched, 12);
    expect(values["AP75"]).toBeCloseTo(apWhereNot, 12);
    expect(values["AP-small"]).toBeCloseTo((3 * apWhereMatched + 7 * apWhereNot) / 10, 12);
    expect(values["AR@1"]).toBeCloseTo(0.5, 12);
    expect(values["AR@100"]).toBeCloseTo((3 * 1 + 7 * 0.5) / 10, 12);
  });

  it("says why a number is undefined", () => {
    const { summary } = evaluate(worked);
    expect(summary.find((s) => s.metric === "AP-medium")).toMatchObject({
      value: null,
      why: 'no true box that counts in area range "medium", 1024 to 9216 px²',
    });
    expect(
      evaluate(worked, { iouThresholds: [0.5] }).summary.find((s) => s.metric === "AP75"),
    ).toMatchObject({ value: null, why: "0.75 is not among the IoU thresholds" });
    expect(evaluate({ ...worked, annotations: [] }).summary.every((s) => s.value === null)).toBe(
      true,
    );
    expect(evaluate({ ...worked, detections: [] }).summary.map((s) => s.value)).toEqual([
      0,
      0,
      0,
      0,
      null,
      null,
      0,
      0,
      0,
      0,
      null,
      null,
    ]);
  });

  it("lets one object be found once, and crowds take any number without counting", () => {
    const twice = oneImage(
      [[1, [0, 0, 10, 10]]],
      [
        [1, [0, 0, 10, 10], 0.9],
        [1, [0, 0, 10, 9], 0.8],
      ],
    );
    expect(evaluate(twice).slice(0, 100).recall[0]).toBe(1);
    expect(evaluate(twice).matches).toMatchObject({
      matched: expect.objectContaining({ 0: 2 ** 10 - 1, 1: 0 }) as unknown,
    });
    const crowd = {
      ...twice,
      annotations: [
        ...twice.annotations,
        { id: 2, image_id: 1, category_id: 1, bbox: [100, 100, 200, 200], iscrowd: 1 },
      ],
      detections: [
        ...twice.detections,
        ...[0, 20, 40].map((d) => ({
          image_id: 1,
          category_id: 1,
          bbox: [110 + d, 110, 10, 10],
          score: 0.95,
        })),
      ],
    };
    // The three in the crowd have IoU 1 with it (intersection over their own area): as if never
    // detected, but for the places that they take.
    expect({ ...valuesOf(evaluate(crowd)), "AR@1": 1 }).toEqual(valuesOf(evaluate(twice)));
    expect(valuesOf(evaluate(crowd))["AR@1"]).toBe(0);
    expect(evaluate(crowd).summary[0]).toMatchObject({ n: 1 });
  });

  it("heeds `ignore` only when asked to, for pycocotools does not", () => {
    const flagged = {
      ...worked,
      annotations: worked.annotations.map((a, i) => ({ ...a, ignore: i === 1 ? 1 : 0 })),
    };
    expect(valuesOf(evaluate(flagged))).toEqual(valuesOf(evaluate(worked)));
    // Left: one object found first. What finds the ignored one counts for nothing, at higher
    // thresholds it is a false positive behind it.
    expect(valuesOf(evaluate(flagged, { honourIgnore: true }))["AP"]).toBeCloseTo(1, 12);
  });

  it("takes all categories as one when asked to", () => {
    const set = oneImage(
      [
        [1, [0, 0, 10, 10]],
        [2, [50, 50, 10, 10]],
      ],
      [
        [2, [0, 0, 10, 10], 0.9],
        [1, [50, 50, 10, 10], 0.8],
      ],
    );
    expect(valuesOf(evaluate(set))["AP"]).toBe(0);
    expect(valuesOf(evaluate(set, { agnostic: true }))["AP"]).toBeCloseTo(1, 12);
    expect(evaluate(set, { agnostic: true }).categories()).toMatchObject([
      { category: -1, truths: 2 },
    ]);
  });

  it("averages over the categories that have truth, and gives each", () => {
    const set = oneImage(
      [
        [1, [0, 0, 10, 10]],
        [3, [50, 50, 10, 10]],
      ],
      [
        [1, [0, 0, 10, 10], 0.9],
        [2, [50, 50, 10, 10], 0.8],
      ],
    );
    const evaluation = evaluate(set);
    expect(valuesOf(evaluation)["AP"]).toBeCloseTo(0.5, 12);
    expect(
      evaluation
        .categories()
        .map(({ ap, truths }) => [
          ap.value === null ? null : Math.round(ap.value * 1e9) / 1e9,
          truths,
        ]),
    ).toEqual([
      [1, 1],
      [null, 0],
      [0, 1],
    ]);
  });

  it("gives curves with the score at which each recall is reached", () => {
    const truth = truthFromRecords(worked);
    const { recalls, curves, maxDets, area } = precisionRecallCurves(evaluate(worked), truth);
    expect([recalls.length, curves.length, maxDets, area]).toEqual([101, 10, 100, "all"]);
    const [at50] = curves;
    expect(at50).toMatchObject({
      category: { id: 1, name: "class 1" },
      iou: 0.5,
      truths: 2,
      recall: 1,
    });
    expect([at50!.precision[50], at50!.precision[51], at50!.score[50], at50!.score[51]]).toEqual([
      expect.closeTo(1, 12),
      expect.closeTo(2 / 3, 12),
      0.9,
      0.7,
    ]);
    expect([curves[9]!.precision[51], curves[9]!.score[51]]).toEqual([0, null]);
  });

  it("refuses options without meaning", async () => {
    for (const [options, path] of [
      [{ iouThresholds: [0] }, "iouThresholds"],
      [{ iouThresholds: [1.5] }, "iouThresholds"],
      [{ iouThresholds: [NaN] }, "iouThresholds"],
      [{ iouThresholds: [] }, "iouThresholds"],
      [{ iouThresholds: Array<number>(33).fill(0.5) }, "iouThresholds"],
      [{ maxDets: [0] }, "maxDets"],
      [{ maxDets: [1.5] }, "maxDets"],
      [{ maxDets: [] }, "maxDets"],
      [{ areas: [] }, "areas"],
      [{ areas: [{ name: "x", min: 2, max: 1 }] }, "areas"],
    ] as const)
      expect(await complaintOf(() => evaluate(worked, options))).toMatchObject({
        code: "coco-option",
        path,
      });
  });

  it("takes 32 thresholds and counts each as if alone", () => {
    const iouThresholds = Array.from({ length: 32 }, (_, i) => (i + 1) / 33);
    const { slice } = evaluate(worked, { iouThresholds });
    iouThresholds.forEach((iou, t) => {
      expect(slice(0, 100).recall[t]).toBe(
        evaluate(worked, { iouThresholds: [iou] }).slice(0, 100).recall[0],
      );
    });
  });
});

describe("evaluateCoco by property", () => {
  const runs = { seed: 7, numRuns: 150 };

  it("does not depend on the order of images, categories, annotations or detections", () => {
    fc.assert(
      fc.property(recordSets, fc.integer(), (set, seed) => {
        const random = new Random(seed);
        const mixed = {
          images: random.shuffled(set.images),
          categories: random.shuffled(set.categories),
          annotations: random.shuffled(set.annotations),
          detections: random.shuffled(set.detections),
        };
        for (const agnostic of [false, true])
          expect(valuesOf(evaluate(mixed, { agnostic }))).toEqual(
            valuesOf(evaluate(set, { agnostic })),
          );
      }),
      runs,
    );
  });

  it("keeps every number within 0 and 1, and recall rises with maxDets", () => {
    fc.assert(
      fc.property(recordSets, (set) => {
        const values = valuesOf(evaluate(set, { maxDets: [1, 2, 5] }));
        for (const value of Object.values(values))
          expect(value === null || (value >= 0 && value <= 1)).toBe(true);
        if (values["AR@1"] === null) return;
        expect(values["AR@1"]).toBeLessThanOrEqual(values["AR@2"]!);
        expect(values["AR@2"]).toBeLessThanOrEqual(values["AR@5"]!);
      }),
      runs,
    );
  });

  it("never falls when an object that nothing touched is found first of all", () => {
    let tried = 0;
    fc.assert(
      fc.property(recordSets, (set) => {
        const before = valuesOf(evaluate(set));
        const cell = (box: readonly number[]): string =>
          `${Math.floor(box[0]! / 100)}/${Math.floor(box[1]! / 100)}`;
        for (const a of set.annotations) {
          if (
            a.iscrowd ||
            [...set.detections, ...set.annotations.filter((b) => b !== a)].some(
              (d) =>
                d.image_id === a.image_id &&
                d.category_id === a.category_id &&
                cell(d.bbox) === cell(a.bbox),
            )
          )
            continue;
          const { image_id, category_id, bbox } = a;
          const after = valuesOf(
            evaluate({
              ...set,
              detections: [...set.detections, { image_id, category_id, bbox, score: 2 }],
            }),
          );
          for (const name of ["AP", "AP50", "AP75", "AR@100"])
            expect(after[name]!).toBeGreaterThanOrEqual(before[name]! - 1e-12);
          tried++;
        }
      }),
      runs,
    );
    expect(tried).toBeGreaterThan(100);
  });

  it("is the same for one category, agnostic or not", () => {
    fc.assert(
      fc.property(recordSets, (set) => {
        const one = {
          ...set,
          categories: set.categories.slice(0, 1),
          annotations: set.annotations.map((a) => ({ ...a, category_id: 1 })),
          detections: set.detections.map((d) => ({ ...d, category_id: 1 })),
        };
        expect(valuesOf(evaluate(one, { agnostic: true }))).toEqual(valuesOf(evaluate(one)));
        expect(valuesOf(evaluate(one))).toEqual(valuesOf(evaluate(set, { agnostic: true })));
      }),
      runs,
    );
  });
});

describe("orders and sums", () => {
  it("sorts scores as a stable comparison sort does", () => {
    const scores = fc.array(
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom(0, -0, 0.5, 1, -1),
        fc.float({ noNaN: true, noDefaultInfinity: true }),
      ),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(scores, (list) => {
        const score = Float64Array.from(list);
        const wanted = list
          .map((_, i) => i)
          .sort((a, b) => (score[a]! > score[b]! ? -1 : score[a]! < score[b]! ? 1 : 0));
        expect([...orderByFallingScore(identity(list.length), score)]).toEqual(wanted);
      }),
      { seed: 1 },
    );
    const random = new Random(1);
    const many = Float64Array.from({ length: 10_000 }, (_, i) =>
      i % 3 ? random.next() - 0.3 : random.below(50) / 50,
    );
    expect([...orderByFallingScore(identity(many.length), many)]).toEqual(
      [...many.keys()].sort((a, b) => many[b]! - many[a]!),
    );
  });

  it("sorts keys stably, with where each begins", () => {
    const start = new Int32Array(4);
    expect([
      ...orderByKey(Int32Array.of(4, 3, 2, 1, 0), Int32Array.of(2, 0, 2, 0, 0), 3, start),
    ]).toEqual([4, 3, 1, 2, 0]);
    expect([...start]).toEqual([0, 3, 3, 5]);
  });

  it("spaces thresholds as numpy.linspace does", () => {
    expect([...linspace(0.5, 0.95, 10)]).toEqual([
      0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95,
    ]);
  });

  it("means as numpy.mean does, over one buffer and over several", () => {
    // numpy 1.24: x = (np.arange(n, dtype=float) * 0.1) % 1; np.mean(x)
    const x = (n: number): Float64Array =>
      Float64Array.from({ length: n }, (_, i) => (i * 0.1) % 1);
    expect([5, 100, 1010, 8193, 80800].map((n) => mean(x(n)))).toEqual([
      0.2, 0.45000000000000023, 0.4500000000000028, 0.4498718418162073, 0.4500000000002163,
    ]);
  });
});

describe.skipIf(!sharedData)("evaluateCoco on 100 images of COCO", () => {
  const read = (): ReturnType<typeof readCocoTruth> =>
    readCocoTruth(shared("coco-val2014-100", "instances_val2014_100.json"));
  const detectionsFile = shared("coco-val2014-100", "instances_val2014_fakebbox100_results.json");

  it("equals pycocotools 2.0.11", () => {
    const truth = read();
    const detections = readCocoDetections(detectionsFile, truth);
    expect(evaluateCoco(truth, detections).summary.map((s) => s.value)).toEqual([
      0.5045806987249628, 0.6969727247299577, 0.5729816669904824, 0.5856257209410443,
      0.5193996948036719, 0.5013978986347466, 0.38681277964578054, 0.5936795762842003,
      0.595352982877607, 0.6398109626113442, 0.5664205978994309, 0.5642905982905982,
    ]);
    expect(evaluateCoco(truth, detections, { agnostic: true }).summary.map((s) => s.value)).toEqual(
      [
        0.5952384471295459, 0.8801081126055128, 0.6678978279400766, 0.5934831511276096,
        0.6089303842909735, 0.6036353185164051, 0.09048192771084337, 0.5066265060240964,
        0.6780722891566265, 0.6658476658476659, 0.6900000000000001, 0.6907103825136612,
      ],
    );
  });
});
