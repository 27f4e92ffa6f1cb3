import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  classAccuracies,
  classificationScores,
  classify,
  confusionMatrix,
} from "../../../../src/eval/metrics/classification/classification.js";
import { Random } from "../../../../src/eval/stats/random.js";
import { complaintOf } from "../../../complaint.js";

const input = (rows: number[][], truth: number[]) => ({
  scores: Float32Array.from(rows.flat()),
  classes: rows[0]!.length,
  truth,
});

describe("by hand", () => {
  const evidence = classify(
    input(
      [
        [3, 1, 2],
        [1, 3, 2],
        [2, 1, 3],
        [3, 2, 1],
      ],
      [0, 0, 1, 2],
    ),
    [1, 2],
  );

  it("top-k, per class, confusion", () => {
    // Ranks of the truth: 1, 3, 3, 3. Predictions 0, 1, 2, 0.
    expect(classificationScores(evidence)).toMatchObject([
      { metric: "top-1", value: 1 / 4, n: 4 },
      { metric: "top-2", value: 1 / 4, n: 4 },
    ]);
    expect(classAccuracies(evidence).map((c) => [c.pictures, c.top1.value])).toEqual([
      [2, 1 / 2],
      [1, 0],
      [1, 0],
    ]);
    expect(Array.from(confusionMatrix(evidence))).toEqual([1, 1, 0, 0, 0, 1, 1, 0, 0]);
  });

  it("ties count by chance: three equal best, one of them true", () => {
    const tied = classify(input([[5, 5, 5, 1]], [1]), [1, 2, 3]);
    expect(tied.hit.map((h) => h[0])).toEqual([1 / 3, 2 / 3, 1]);
    expect(tied.undecided).toBe(1);
    expect(tied.predicted[0]).toBe(0);
  });

  it("a class without pictures and a k of all classes have no value, and say why", () => {
    expect(classAccuracies(classify(input([[1, 0]], [0])))[1]!.top1).toMatchObject({ value: null });
    expect(classificationScores(classify(input([[1, 0]], [0]), [1, 2]))[1]).toMatchObject({
      value: null,
      why: "with 2 classes the best 2 are all of them",
    });
    expect(
      classificationScores(classify({ scores: new Float32Array(0), classes: 3, truth: [] }))[0],
    ).toMatchObject({ value: null, why: "no pictures" });
  });
});

const pictures = fc
  .record({
    classes: fc.integer({ min: 2, max: 7 }),
    n: fc.integer({ min: 1, max: 20 }),
    coarse: fc.boolean(),
    seed: fc.integer(),
  })
  .map(({ classes, n, coarse, seed }) => {
    const random = new Random(seed);
    return {
      scores: Float32Array.from({ length: n * classes }, () =>
        coarse ? random.below(3) : random.normal(),
      ),
      classes,
      truth: Array.from({ length: n }, () => random.below(classes)),
    };
  });

describe("properties", () => {
  it("equals the mean over random orders of equal classes, by sorting", () => {
    fc.assert(
      fc.property(pictures, ({ scores, classes, truth }) => {
        const evidence = classify({ scores, classes, truth }, [1, 2, 3]);
        truth.forEach((own, i) => {
          const row = Array.from(scores.subarray(i * classes, (i + 1) * classes));
          // Every place that the true class can take among its equals, all equally likely.
          const places = row.flatMap((s, c) =>
            s === row[own]
              ? [
                  row.filter((x) => x > row[own]!).length +
                    row.slice(0, c).filter((x) => x === row[own]).length,
                ]
              : [],
          );
          [1, 2, 3].forEach((k, j) => {
            expect(evidence.hit[j]![i]).toBeCloseTo(
              places.filter((p) => p < k).length / places.length,
              12,
            );
          });
        });
      }),
      { seed: 1 },
    );
  });

  it(
    "grows with k, does not depend on the order of pictures, and the confusion matrix adds " + "up",
    () => {
      fc.assert(
        fc.property(pictures, fc.integer(), ({ scores, classes, truth }, seed) => {
          const evidence = classify({ scores, classes, truth }, [1, 2, 3]);
          for (let i = 0; i < truth.length; i++)
            expect(
              evidence.hit[0]![i]! <= evidence.hit[1]![i]! &&
                evidence.hit[1]![i]! <= evidence.hit[2]![i]!,
            ).toBe(true);
          const order = new Random(seed).shuffled(truth.map((_, i) => i));
          const moved = classify(
            {
              classes,
              scores: Float32Array.from(
                order.flatMap((i) => Array.from(scores.subarray(i * classes, (i + 1) * classes))),
              ),
              truth: order.map((i) => truth[i]!),
            },
            [1, 2, 3],
          );
          expect(confusionMatrix(moved)).toEqual(confusionMatrix(evidence));
          const value = (e: typeof evidence) =>
            classificationScores(e).map((s) => (s.value === null ? null : s.value.toFixed(12)));
          expect(value(moved)).toEqual(value(evidence));
          expect(confusionMatrix(evidence).reduce((a, b) => a + b, 0)).toBe(truth.length);
        }),
        { seed: 2 },
      );
    },
  );
});

describe("bad input", () => {
  it("lengths, classes out of range, values that are no numbers, k", async () => {
    expect(
      await complaintOf(() => classify({ scores: new Float32Array(5), classes: 2, truth: [0, 1] })),
    ).toMatchObject({ code: "classification-length", found: "5" });
    expect(await complaintOf(() => classify(input([[1, 2]], [2])))).toMatchObject({
      code: "classification-truth",
      path: "picture 0",
      found: "2",
    });
    expect((await complaintOf(() => classify(input([[1, 2]], [0.5])))).code).toBe(
      "classification-truth",
    );
    expect(
      await complaintOf(() =>
        classify(
          input(
            [
              [1, 2],
              [NaN, 1],
            ],
            [0, 1],
          ),
        ),
      ),
    ).toMatchObject({ code: "classification-not-finite", path: "picture 1, class 0" });
    expect((await complaintOf(() => classify(input([[1, 2]], [0]), [0]))).code).toBe(
      "classification-k",
    );
  });
});
