import { accepted } from "../../../../src/pipeline/acceptance.js";
import { rulesOf } from "../../../../src/pipeline/protocol.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cropRecall } from "../../../../src/eval/metrics/end-to-end/f1-crop-recall.js";
import { Counts } from "../../../../src/eval/metrics/end-to-end/f1-counts.js";
import {
  defaultRule,
  steps,
  type ImageEvidence,
} from "../../../../src/eval/metrics/end-to-end/f1-evidence.js";
import { heldOutF1 } from "../../../../src/eval/metrics/end-to-end/f1-cross-fit.js";
import { bestPoint, sweepF1, thinned } from "../../../../src/eval/metrics/end-to-end/f1-sweep.js";
import { f1Definitions, tally } from "../../../../src/eval/metrics/end-to-end/f1-tally.js";
import {
  f1At,
  f1Difference,
  f1Statistic,
  scoreOf,
} from "../../../../src/eval/metrics/end-to-end/f1.js";
import { bootstrap } from "../../../../src/eval/stats/bootstrap.js";
import { Random } from "../../../../src/eval/stats/random.js";
import { jackknife } from "../../../../src/eval/stats/jackknife.js";
import { holds } from "../../stats/coverage-scenarios.js";
import { drawMacro, macroTruth } from "../f1-macro-scenario.js";
import { at, example, pictures, rules } from "./f1-cases.js";
import { referenceAnswers, referenceF1 } from "./f1-reference.js";

describe("F1 by hand at threshold 0.5", () => {
  // "covered": cola 0.75 suppresses milk 0.65 (IoU 95/105). So the answers are
  // two: cola, tea, milk · astray: tea · covered: cola · blank: none · distractor: tea.
  const counts = (definition: "A" | "B" | "C" | "D", threshold = 0.5): object => {
    const { tp, fp, fn } = f1At(example, definition, defaultRule, threshold).point;
    return { tp, fp, fn };
  };

  test(
    "A: two and astray right; covered wrong and missed; blank missed; the distractor a " +
      "false answer",
    () => {
      expect(counts("A")).toEqual({ tp: 2, fp: 2, fn: 2 });
      expect(f1At(example, "A", defaultRule, 0.5).f1).toMatchObject({ value: 0.5, n: 5 });
    },
  );

  test("B: hits cola, tea, tea; false milk, cola, tea; missed milk, cola", () => {
    expect(counts("B")).toEqual({ tp: 3, fp: 3, fn: 2 });
    expect(f1At(example, "B", defaultRule, 0.5).point).toMatchObject({
      precision: 0.5,
      recall: 0.6,
      f1: 6 / 11,
    });
  });

  test("C: astray's answer lies elsewhere, so it is false and its object missed", () => {
    expect(counts("C")).toEqual({ tp: 2, fp: 4, fn: 3 });
    expect(f1At(example, "C", defaultRule, 0.5).point.f1).toBe(4 / 11);
  });

  test("D: cola 2/4, tea 4/5, milk 0", () => {
    // cola: hit in two, false in covered, missed in blank; tea: hits in two and astray, false on
    // the distractor; milk: false in two, missed in covered.
    const { point } = f1At(example, "D", defaultRule, 0.5);
    expect(point.f1).toBeCloseTo((1 / 2 + 4 / 5 + 0) / 3, 15);
    expect(point.precision).toBeCloseTo((1 / 2 + 2 / 3 + 0) / 3, 15);
    expect(point.recall).toBeCloseTo((1 / 2 + 1 + 0) / 3, 15);
  });

  test("a stricter threshold: 0.7 drops the false milk and the distractor's tea", () => {
    expect(counts("B", 0.7)).toEqual({ tp: 3, fp: 1, fn: 2 });
    expect(counts("A", 0.95)).toEqual({ tp: 0, fp: 0, fn: 4 });
    expect(f1At(example, "A", defaultRule, 0.95).point).toMatchObject({
      precision: null,
      recall: 0,
      f1: 0,
    });
  });

  test("without suppression milk is found in covered", () => {
    expect(f1At(example, "B", { ...defaultRule, suppressIou: null }, 0.5).point).toMatchObject({
      tp: 4,
      fp: 3,
      fn: 1,
    });
  });

  test("two objects of one label need two answers in C, one in B", () => {
    const twins: ImageEvidence[] = [
      {
        image: "twins",
        truth: [
          { label: "tea", box: at(0, 0, 100, 100) },
          { label: "tea", box: at(0, 10, 100, 100) },
        ],
        recognitions: [{ box: at(0, 9, 100, 100), label: "tea", score: 0.9 }],
      },
    ];
    expect(f1At(twins, "B", defaultRule, 0.5).point).toMatchObject({ tp: 1, fp: 0, fn: 0 });
    expect(f1At(twins, "C", defaultRule, 0.5).point).toMatchObject({ tp: 1, fp: 0, fn: 1 });
  });

  test("in C a second answer takes the next best object where the best is taken", () => {
    const crowd: ImageEvidence[] = [
      {
        image: "crowd",
        truth: [
          { label: "tea", box: at(0, 0, 100, 100) },
          { label: "tea", box: at(0, 20, 100, 100) },
        ],
        recognitions: [
          { box: at(0, 1, 100, 100), label: "tea", score: 0.9 },
          { box: at(0, 2, 100, 100), label: "tea", score: 0.8 },
        ],
      },
    ];
    expect(f1At(crowd, "C", { ...defaultRule, suppressIou: null }, 0.5).point).toMatchObject({
      tp: 2,
      fp: 0,
      fn: 0,
    });
  });

  test("Hamming distances: low is good", () => {
    const codes: ImageEvidence[] = [
      {
        image: "x",
        truth: [{ label: "tea", box: at(0, 0, 9, 9) }],
        recognitions: [
          { box: at(0, 0, 9, 9), label: "tea", score: 40 },
          { box: at(0, 0, 9, 8), label: "cola", score: 90 },
        ],
      },
    ];
    const hamming = { better: "lower", suppressIou: 0.05, rules: rulesOf("standard") } as const;
    expect(f1At(codes, "B", hamming, 100).point).toMatchObject({ tp: 1, fp: 0, fn: 0 });
    expect(f1At(codes, "B", hamming, 39).point).toMatchObject({ tp: 0, fp: 0, fn: 1 });
    // PaddleClas sorts descending and so keeps the worse of the two.
    expect(f1At(codes, "B", { ...hamming, rules: rulesOf("paddleclas") }, 100).point).toMatchObject(
      {
        tp: 0,
        fp: 1,
        fn: 1,
      },
    );
    expect(f1At(codes, "B", { ...hamming, rules: rulesOf("paddleclas") }, 60).point).toMatchObject({
      tp: 1,
      fp: 0,
      fn: 0,
    });
  });
});

describe("F1 undefined", () => {
  test("no pictures, nothing to find and nothing said, macro without truth", () => {
    expect(f1At([], "A", defaultRule, 0.5).f1).toEqual({ value: null, why: "no pictures" });
    const silent = [{ image: "d", truth: [], recognitions: [] }];
    expect(f1At(silent, "B", defaultRule, 0.5).f1).toEqual({
      value: null,
      why: "no picture has a truth object",
    });
    const distractor = example.slice(4);
    expect(f1At(distractor, "B", defaultRule, 0.5).f1).toMatchObject({ value: 0 });
    expect(f1At(distractor, "D", defaultRule, 0.5).f1).toEqual({
      value: null,
      why: "no picture has a truth object",
    });
    expect(heldOutF1([example[3]!], "A", defaultRule).f1).toEqual({
      value: null,
      why: expect.stringContaining("some half"),
    });
  });
});

describe("the sweep", () => {
  test("by hand, definition A: thresholds 0.9, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55", () => {
    const points = sweepF1(example, "A", defaultRule);
    expect(points.map((p) => p.threshold)).toEqual([0.9, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55]);
    expect(points.map((p) => [p.tp, p.fp, p.fn])).toEqual([
      [1, 0, 3],
      [2, 0, 2],
      [2, 1, 2],
      [2, 1, 2],
      [2, 1, 2],
      [2, 1, 2],
      [2, 2, 2],
    ]);
    expect(bestPoint(points)).toMatchObject({ threshold: 0.8, f1: 2 / 3 });
  });

  test.each(f1Definitions)(
    "definition %s equals the reference at every threshold, any rule",
    (definition) => {
      fc.assert(
        fc.property(pictures, rules, (images, rule) => {
          const points = sweepF1(images, definition, rule);
          const scores = [
            ...new Set(
              images.flatMap((i) =>
                i.recognitions.filter((r) => r.label !== null).map((r) => r.score),
              ),
            ),
          ];
          expect(points.map((p) => p.threshold)).toEqual(
            scores.sort((a, b) => (rule.better === "higher" ? b - a : a - b)),
          );
          for (const point of points) {
            const expected = referenceF1(images, definition, rule, point.threshold);
            if (expected === null) expect(point.f1).toBeNull();
            else expect(point.f1).toBeCloseTo(expected, 12);
            expect(
              f1At(images, definition, rule, point.threshold, { resamples: 2 }).point.f1 ?? -1,
            ).toBeCloseTo(expected ?? -1, 12);
          }
        }),
        { numRuns: 150 },
      );
    },
  );

  test("neither the order of pictures nor shifting all scores changes F1; bounds hold", () => {
    fc.assert(
      fc.property(
        pictures,
        rules,
        fc.constantFrom(...f1Definitions),
        fc.integer(),
        (images, rule, definition, seed) => {
          const points = sweepF1(images, definition, rule);
          const shuffled = sweepF1(new Random(seed).shuffled(images), definition, rule);
          expect(shuffled.map((p) => [p.threshold, p.tp, p.fp, p.fn])).toEqual(
            points.map((p) => [p.threshold, p.tp, p.fp, p.fn]),
          );
          const moved = images.map((i) => ({
            ...i,
            recognitions: i.recognitions.map((r) => ({ ...r, score: r.score + 100 })),
          }));
          expect(sweepF1(moved, definition, rule).map((p) => p.f1)).toEqual(
            points.map((p) => p.f1),
          );
          return points.every((p) => p.f1 === null || (p.f1 >= -1e-12 && p.f1 <= 1 + 1e-12));
        },
      ),
      { numRuns: 100 },
    );
  });

  test("recall of B never falls as the threshold loosens, where nothing is suppressed", () => {
    fc.assert(
      fc.property(pictures, (images) => {
        const points = sweepF1(images, "B", { ...defaultRule, suppressIou: null });
        return points.every(
          (p, i) => i === 0 || p.recall === null || p.recall >= points[i - 1]!.recall!,
        );
      }),
    );
  });

  test("answers at each step equal the reference's", () => {
    fc.assert(
      fc.property(pictures, rules, (images, rule) => {
        for (const image of images) {
          for (const step of steps(image.recognitions, rule)) {
            expect(step.accepted.map((a) => [a.label, a.score])).toEqual(
              referenceAnswers(image, rule, step.score).map((a) => [a.label, a.score]),
            );
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test("thinned keeps the ends and the best", () => {
    const points = Array.from({ length: 1000 }, (_, i) => ({
      threshold: 1 - i / 1000,
      precision: 1,
      recall: 1,
      f1: i === 617 ? 0.9 : 0.5,
      tp: 1,
      fp: 0,
      fn: 0,
    }));
    const few = thinned(points, 50);
    expect(few.length).toBeLessThanOrEqual(50);
    expect(few).toContain(points[0]);
    expect(few).toContain(points[999]);
    expect(few).toContain(points[617]);
    expect(few.map((p) => p.threshold)).toEqual(few.map((p) => p.threshold).sort((a, b) => b - a));
    expect(thinned(points, 2000)).toEqual(points);
  });
});

describe("F1's bootstrap", () => {
  test("the statistic at weights equals F1 of the pictures repeated that often", () => {
    fc.assert(
      fc.property(
        pictures,
        fc.constantFrom(...f1Definitions),
        fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }),
        (images, definition, repeats) => {
          const tallies = images.map((i) =>
            tally(
              definition,
              i.truth,
              accepted(i.recognitions, defaultRule, 5).map((k) => i.recognitions[k]!),
            ),
          );
          const weights = Uint32Array.from(images, (_, i) => repeats[i]!);
          const repeated = images.flatMap((image, i) =>
            Array.from({ length: repeats[i]! }, () => image),
          );
          const expected = referenceF1(repeated, definition, defaultRule, 5);
          const value = f1Statistic(tallies, definition).evaluate(weights);
          if (expected === null) expect(value).toBeNull();
          else expect(value).toBeCloseTo(expected, 12);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("gives an interval around the value, the same for the same seed", () => {
    const many = Array.from({ length: 12 }, (_, i) =>
      example.map((e) => ({ ...e, image: `${e.image}-${i}` })),
    ).flat();
    const result = f1At(many, "B", defaultRule, 0.5, { seed: 3, method: "bca" });
    if (!("interval" in result.f1) || result.f1.interval === null)
      throw new Error("interval expected");
    expect(result.f1.interval.low).toBeLessThan(6 / 11);
    expect(result.f1.interval.high).toBeGreaterThan(6 / 11);
    expect(result.f1.interval.method).toBe("bootstrap-bca");
    expect(f1At(many, "B", defaultRule, 0.5, { seed: 3, method: "bca" })).toEqual(result);
    expect(result).toMatchObject({ images: 60, distractors: 12 });
    expect(scoreOf(result)).toBe(result.f1);
  });

  test("of a difference: the same system twice differs by 0; a better one is found", () => {
    const many = Array.from({ length: 20 }, (_, i) =>
      example.map((e) => ({ ...e, image: `${e.image}-${i}` })),
    ).flat();
    const better = many.map((e) => ({
      ...e,
      recognitions: e.truth.map((t) => ({ box: t.box, label: t.label, score: 0.9 })),
    }));
    expect(
      f1Difference(many, [...many].reverse(), "B", [defaultRule, defaultRule], [0.5, 0.5]),
    ).toMatchObject({ value: 0, p: 1 });
    const difference = f1Difference(better, many, "B", [defaultRule, defaultRule], [0.5, 0.5]);
    if (!("p" in difference) || difference.interval === null) throw new Error("interval expected");
    expect(difference.value).toBeCloseTo(1 - 6 / 11, 12);
    expect(difference.interval.low).toBeGreaterThan(0.2);
    expect(difference.p).toBeLessThan(0.01);
    expect(() =>
      f1Difference(many, many.slice(1), "B", [defaultRule, defaultRule], [0.5, 0.5]),
    ).toThrow(RangeError);
    expect(f1Statistic([], "B").evaluate(new Uint32Array(0))).toBeNull();
    expect(bootstrap(f1Statistic([], "D"))).toMatchObject({ value: null });
  });
});

describe("the interval of macro F1", () => {
  test(
    "covers 93 to 97% of 2,000 draws of 160 pictures of 30 labels, where a bootstrap " +
      "falls short",
    () => {
      const truth = macroTruth(30);
      let held = 0;
      let bootstrapped = 0;
      for (let i = 0; i < 2000; i++) {
        const statistic = drawMacro(new Random("macro").split(i), 30, 160);
        if (holds(jackknife(statistic), truth)) held++;
        if (i < 200 && holds(bootstrap(statistic, { resamples: 200, seed: i }), truth))
          bootstrapped++;
      }
      expect(held / 2000).toBeGreaterThanOrEqual(0.93);
      expect(held / 2000).toBeLessThanOrEqual(0.97);
      expect(bootstrapped / 200).toBeLessThan(0.9);
    },
    120_000,
  );

  const inTurn = (labels: number, copies: number): ImageEvidence[] =>
    Array.from({ length: labels * copies }, (_, i) => ({
      image: String(i),
      truth: [{ label: String(i % labels), box: at(0, 0, 9, 9) }],
      recognitions:
        i % 3 === 0 ? [] : [{ box: at(0, 0, 9, 9), label: String(i % labels), score: 1 }],
    }));

  test("is the jackknife's from four pictures a label, and refused below; the value stays", () => {
    const enough = f1At(inTurn(10, 4), "D", defaultRule, 0.5).f1;
    expect(enough).toMatchObject({
      interval: { method: "jackknife", units: 40, low: expect.any(Number) },
    });
    const few = f1At(inTurn(10, 3), "D", defaultRule, 0.5).f1;
    expect(few).toMatchObject({
      value: expect.any(Number),
      interval: null,
      whyNoInterval:
        "10 labels with 3.0 pictures each: too few for an interval that could be trusted",
    });
  });
});

describe("F1 at a threshold that other pictures chose", () => {
  const gap = (f1: number | null, images: readonly ImageEvidence[]): number =>
    bestPoint(sweepF1(images, "A", defaultRule))!.f1! - f1!;

  test("does not flatter: on labels drawn by chance it lies below the best in hindsight", () => {
    const random = new Random("noise");
    let gaps = 0;
    for (let round = 0; round < 10; round++) {
      const noise = Array.from({ length: 20 }, (_, i): ImageEvidence => ({
        image: `${round}-${i}`,
        truth: random.next() < 0.5 ? [{ label: "a", box: at(0, 0, 9, 9) }] : [],
        recognitions: [
          { box: at(0, 0, 9, 9), label: random.next() < 0.5 ? "a" : "b", score: random.next() },
        ],
      }));
      gaps += gap(heldOutF1(noise, "A", defaultRule, { seed: round }).f1.value, noise);
    }
    expect(gaps / 10).toBeGreaterThan(0.05);
  });

  test("has no interval where a macro average has too few pictures a label, and says so", () => {
    const held = heldOutF1(example, "D", defaultRule);
    expect(held.f1).toMatchObject({
      interval: null,
      whyNoInterval: expect.stringMatching(/too few/) as string,
    });
  });

  test("has no interval of no width", () => {
    const right = Array.from({ length: 8 }, (_, i): ImageEvidence => ({
      image: `${i}.png`,
      truth: [{ label: "a", box: at(0, 0, 9, 9) }],
      recognitions: [{ box: at(0, 0, 9, 9), label: "a", score: 0.9 }],
    }));
    expect(heldOutF1(right, "A", defaultRule).f1).toMatchObject({
      value: 1,
      interval: null,
      whyNoInterval: expect.stringMatching(/same value/) as string,
    });
  });
});

describe("Counts", () => {
  test("taking off what was added leaves nothing", () => {
    const counts = new Counts("D");
    const tallies = [
      { group: "a", tp: 1, fp: 0, fn: 2 },
      { group: "b", tp: 0, fp: 1, fn: 1 },
    ];
    counts.add(tallies);
    expect(counts.point.f1).toBeCloseTo((2 / 4 + 0) / 2, 15);
    counts.add(tallies, -1);
    expect(counts.point).toEqual({ precision: null, recall: null, f1: null, tp: 0, fp: 0, fn: 0 });
  });
});

describe("crop-recall@k", () => {
  test(
    "by hand: two at once, astray at once, covered with the second crop, blank never, the " +
      "distractor left out",
    () => {
      const scores = cropRecall(example, [1, 2, 3], defaultRule);
      expect(scores.map((s) => s.value)).toEqual([0.5, 0.75, 0.75]);
      expect(scores[0]).toMatchObject({ n: 4 });
    },
  );

  test("under paddleclas Hamming distances are sorted the wrong way round", () => {
    const codes: ImageEvidence[] = [
      {
        image: "x",
        truth: [{ label: "tea", box: at(0, 0, 9, 9) }],
        recognitions: [
          { box: at(0, 0, 9, 9), label: "tea", score: 40 },
          { box: at(0, 0, 9, 9), label: "cola", score: 90 },
        ],
      },
    ];
    expect(cropRecall(codes, [1], { better: "lower", rules: rulesOf("standard") })[0]!.value).toBe(
      1,
    );
    expect(
      cropRecall(codes, [1], { better: "lower", rules: rulesOf("paddleclas") })[0]!.value,
    ).toBe(0);
    const tied = [
      { ...codes[0]!, recognitions: codes[0]!.recognitions.map((r) => ({ ...r, score: 40 })) },
    ];
    expect(cropRecall(tied, [1], { better: "lower", rules: rulesOf("standard") })[0]!.value).toBe(
      1,
    );
    expect(cropRecall(tied, [1], { better: "lower", rules: rulesOf("paddleclas") })[0]!.value).toBe(
      0,
    );
  });

  test("never falls with k, equals a count, and is undefined without truth", () => {
    fc.assert(
      fc.property(pictures, (images) => {
        const scores = cropRecall(images, [1, 2, 3, 4, 5, 6], defaultRule);
        const known = images.filter((i) => i.truth.length > 0);
        if (known.length === 0)
          return scores.every((s) => s.value === null && s.why === "no picture has a truth object");
        return scores.every((s, i) => {
          const k = i + 1;
          const hits = known.filter((image) => {
            const labelled = image.recognitions
              .map((r, place) => ({ ...r, place }))
              .filter((r) => r.label !== null);
            return labelled.some(
              (r) =>
                image.truth.some((t) => t.label === r.label) &&
                labelled.filter(
                  (o) => o.score > r.score || (o.score === r.score && o.place < r.place),
                ).length < k,
            );
          }).length;
          return s.value === hits / known.length && (i === 0 || s.value >= scores[i - 1]!.value!);
        });
      }),
    );
    expect(() => cropRecall(example, [0], defaultRule)).toThrow(RangeError);
  });
});
