import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { textSource } from "../../../../datasets/formats/byte-source.js";
import { scanCocoDetections, scanCocoTruth } from "../../../../datasets/formats/coco-json.js";
import {
  detectionsFromRecords,
  truthFromRecords,
} from "../../../../datasets/formats/coco-records.js";
import { type CocoEvaluation, evaluateCoco } from "../../../../src/eval/metrics/coco/coco.js";
import { accumulateCoco } from "../../../../src/eval/metrics/coco/coco-accumulate.js";
import { mean } from "../../../../src/eval/metrics/coco/coco-summary.js";
import { type GoldenCase, goldenCases } from "../../../golden/coco/cases.js";

interface Expected {
  readonly ap: readonly (readonly (number | null)[])[];
  readonly ar: readonly (readonly (number | null)[])[];
  readonly apOfCategory: readonly (number | null)[];
  readonly precision: string;
  readonly recall: string;
  readonly scores: string;
  readonly stats?: readonly number[];
}

interface Golden {
  readonly made: string;
  readonly inputs: string;
  readonly cases: readonly {
    readonly name: string;
    readonly expected: Expected;
    readonly withIdZero?: Expected;
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL("../../../golden/coco/expected.json", import.meta.url), "utf8"),
) as Golden;
const cases = goldenCases();
const lenient = { allowNegative: true };

function evaluate(input: GoldenCase, pycocotoolsIdZero = false): CocoEvaluation {
  const truth = scanCocoTruth("truth", textSource(JSON.stringify(input.truth)), lenient);
  return evaluateCoco(
    truth,
    scanCocoDetections("detections", textSource(JSON.stringify(input.detections)), truth, lenient),
    { ...input.options, pycocotoolsIdZero },
  );
}

/**
 * pycocotools' eval["precision"] (T, R, K, A, M) and its kin, with its -1 for what is undefined.
 */
function arraysOf({ parameters, matches }: CocoEvaluation): {
  precision: Float64Array;
  recall: Float64Array;
  scores: Float64Array;
} {
  const T = parameters.iouThresholds.length,
    R = 101,
    K = matches.categories,
    A = parameters.areas.length,
    M = parameters.maxDets.length;
  const precision = new Float64Array(T * R * K * A * M).fill(-1);
  const scores = precision.slice();
  const recall = new Float64Array(T * K * A * M).fill(-1);
  for (let a = 0; a < A; a++) {
    for (let m = 0; m < M; m++) {
      const slice = accumulateCoco(matches, a, parameters.maxDets[m]!, { scores: true });
      for (let k = 0; k < K; k++) {
        if (slice.truths[k] === 0) continue;
        for (let t = 0; t < T; t++) {
          recall[((t * K + k) * A + a) * M + m] = slice.recall[t * K + k]!;
          for (let r = 0; r < R; r++) {
            precision[(((t * R + r) * K + k) * A + a) * M + m] =
              slice.precision[(t * R + r) * K + k]!;
            scores[(((t * R + r) * K + k) * A + a) * M + m] = slice.scores![(t * R + r) * K + k]!;
          }
        }
      }
    }
  }
  return { precision, recall, scores };
}

const digest = (array: Float64Array): string =>
  createHash("sha256").update(new Uint8Array(array.buffer)).digest("hex").slice(0, 32);

function meanWhereDefined(array: Float64Array, wanted: (i: number) => boolean): number | null {
  const values = array.filter((value, i) => value > -1 && wanted(i));
  return values.length === 0 ? null : mean(values);
}

function summaryOf(evaluation: CocoEvaluation): Omit<Expected, "stats"> {
  const { precision, recall, scores } = arraysOf(evaluation);
  const A = evaluation.parameters.areas.length,
    M = evaluation.parameters.maxDets.length;
  const grid = (array: Float64Array): (number | null)[][] =>
    Array.from({ length: A }, (_, a) =>
      Array.from({ length: M }, (_, m) =>
        meanWhereDefined(array, (i) => i % M === m && Math.floor(i / M) % A === a),
      ),
    );
  return {
    ap: grid(precision),
    ar: grid(recall),
    apOfCategory: evaluation.categories().map(({ ap }) => ap.value),
    precision: digest(precision),
    recall: digest(recall),
    scores: digest(scores),
  };
}

describe(`evaluateCoco against ${golden.made}`, () => {
  it("has the cases that the golden values were made from, at least 40", () => {
    expect(createHash("sha256").update(JSON.stringify(cases)).digest("hex")).toBe(golden.inputs);
    expect(golden.cases.map((c) => c.name)).toEqual(cases.map((c) => c.name));
    expect(new Set(cases.map((c) => c.name)).size).toBeGreaterThanOrEqual(40);
  });

  it.each(cases.map((input, i) => ({ name: input.name, input, wanted: golden.cases[i]! })))(
    "$name: every precision, recall and score to the last bit",
    ({ input, wanted }) => {
      const evaluation = evaluate(input);
      const { stats, ...arrays } = wanted.expected;
      expect(summaryOf(evaluation)).toEqual(arrays);
      if (stats) expect(evaluation.summary.map((score) => score.value ?? -1)).toEqual(stats);
    },
  );

  const withZero = cases
    .map((input, i) => ({ name: input.name, input, wanted: golden.cases[i]! }))
    .filter(({ wanted }) => wanted.withIdZero);

  it.each(withZero)(
    "$name: as pycocotools where annotation id 0 is taken for no match",
    ({ input, wanted }) => {
      const { stats, ...arrays } = wanted.withIdZero!;
      const evaluation = evaluate(input, true);
      expect(summaryOf(evaluation)).toEqual(arrays);
      if (stats) expect(evaluation.summary.map((score) => score.value ?? -1)).toEqual(stats);
    },
  );

  it(
    "tells the two readings of id 0 apart: pycocotools' own are lower wherever the box is " +
      "found",
    () => {
      const differing = withZero.filter(
        ({ wanted }) => wanted.expected.precision !== wanted.withIdZero!.precision,
      );
      expect(withZero.length).toBeGreaterThanOrEqual(7);
      expect(differing.length).toBeGreaterThanOrEqual(4);
      for (const { input, wanted } of differing) {
        const right = evaluate(input).summary[0]!.value!;
        const withBug = evaluate(input, true).summary[0]!.value!;
        expect(withBug).toBeLessThan(right);
        expect(right).toBe(wanted.expected.stats?.[0] ?? wanted.expected.ap[0]!.at(-1));
        expect(withBug).toBe(wanted.withIdZero!.stats?.[0] ?? wanted.withIdZero!.ap[0]!.at(-1));
      }
    },
  );

  it("takes arrays from records as from files", () => {
    for (const input of cases) {
      const truth = truthFromRecords(input.truth, "truth", lenient);
      const detections = detectionsFromRecords(truth, input.detections, "detections", lenient);
      const fromFile = scanCocoTruth("truth", textSource(JSON.stringify(input.truth), 7), lenient);
      expect(fromFile).toEqual(truth);
      expect(
        scanCocoDetections(
          "detections",
          textSource(JSON.stringify(input.detections), 1),
          fromFile,
          lenient,
        ),
      ).toEqual(detections);
    }
  });
});
