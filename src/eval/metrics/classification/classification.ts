// metrics/classification/: scores of classes with the true class in, top-k out. It never sees
// pictures or a model.
import { UserError } from "../../../pipeline/errors.js";
import { clusterNumbers } from "../../stats/bootstrap.js";
import { clusteredShare } from "../../stats/clusters.js";
import { defaultIntervals, type IntervalPlan } from "../../stats/interval-plan.js";
import { wilson } from "../../stats/proportion.js";
import { measured, undefinedScore } from "../../stats/score.js";
import type { NamedScore, Score } from "../../types.js";

/** Scores of n pictures for each of `classes` classes, row-major; logits or probabilities. */
export interface ClassificationInput {
  readonly scores: Float32Array;
  readonly classes: number;
  /** The true class of each picture, from 0. */
  readonly truth: ArrayLike<number>;
}

export interface ClassificationEvidence {
  readonly classes: number;
  readonly ks: readonly number[];
  readonly truth: Int32Array;
  /** Class of the greatest score; of equal ones the smallest number. */
  readonly predicted: Int32Array;
  /**
   * One array a k. Probability that the true class is among the k best, equal scores in random
   * order: 0 or 1 without ties.
   */
  readonly hit: readonly Float64Array[];
  /** Pictures where a tie leaves some hit undecided. */
  readonly undecided: number;
}

export interface ClassAccuracy {
  readonly class: number;
  readonly pictures: number;
  readonly top1: Score;
}

/**
 * Compares scores with the truth.
 *
 * Ties: where c classes score above the true one and t others equal it, it is among the k best with
 * probability (k - c) / (t + 1), cut to 0..1: the mean over all orders of the equal ones.
 * (PaddleClas and torch take whichever their sort puts first.)
 *
 * @throws UserError `classification-length`, `classification-truth` (a class out of range; names
 * the picture), `classification-not-finite`, `classification-k`.
 */
export function classify(
  { scores, classes, truth }: ClassificationInput,
  ks: readonly number[] = [1, 5],
): ClassificationEvidence {
  const n = truth.length;
  if (scores.length !== n * classes || classes < 1) {
    throw new UserError({
      code: "classification-length",
      message: "scores and truth do not fit together",
      expected: `${n} pictures x ${classes} classes = ${n * classes} scores`,
      found: String(scores.length),
      fix: "give the truth of the same pictures in the same order",
    });
  }
  for (const k of ks) {
    if (!Number.isInteger(k) || k < 1)
      throw new UserError({
        code: "classification-k",
        message: "k must be a positive integer",
        expected: "1, 5 or the like",
        found: String(k),
        fix: "mend the list of k",
      });
  }
  const predicted = new Int32Array(n);
  const hit = ks.map(() => new Float64Array(n));
  let undecided = 0;
  for (let i = 0; i < n; i++) {
    const own = truth[i]!;
    if (!Number.isInteger(own) || own < 0 || own >= classes) {
      throw new UserError({
        code: "classification-truth",
        message: "a true class is out of range",
        path: `picture ${i}`,
        expected: `an integer from 0 to ${classes - 1}`,
        found: String(own),
        fix: "number the classes from 0, as the model was trained",
      });
    }
    const mine = scores[i * classes + own]!;
    let above = 0;
    let tied = 0;
    let best = 0;
    for (let c = 0; c < classes; c++) {
      const score = scores[i * classes + c]!;
      if (score - score !== 0) {
        throw new UserError({
          code: "classification-not-finite",
          message: "a score is not a finite number",
          path: `picture ${i}, class ${c}`,
          expected: "finite scores",
          found: String(score),
          fix: "look at what the model returns for that picture",
        });
      }
      if (score > mine) above++;
      else if (score === mine && c !== own) tied++;
      if (score > scores[i * classes + best]!) best = c;
    }
    predicted[i] = best;
    let open = false;
    ks.forEach((k, j) => {
      const chance = Math.min(1, Math.max(0, (k - above) / (tied + 1)));
      hit[j]![i] = chance;
      open ||= chance > 0 && chance < 1;
    });
    if (open) undecided++;
  }
  return { classes, ks, truth: Int32Array.from(truth), predicted, hit, undecided };
}

/**
 * top-k accuracy for each k, with Wilson's interval on the effective size: pictures of one class
 * are alike, unless the plan takes each for itself. A k of `classes` or more says nothing and has
 * no value.
 */
export function classificationScores(
  { hit, ks, classes, truth }: ClassificationEvidence,
  { level, clusters }: Pick<IntervalPlan, "level" | "clusters"> = defaultIntervals,
): NamedScore[] {
  const units = clusterNumbers(Array.from(truth, (c, i) => String(clusters === "label" ? c : i)));
  return ks.map((k, i): NamedScore => {
    const base = { metric: `top-${k}`, unit: "ratio", better: "higher" } as const;
    if (k >= classes)
      return {
        ...base,
        ...undefinedScore(`with ${classes} classes the best ${k} are all of them`),
      };
    if (truth.length === 0) return { ...base, ...undefinedScore("no pictures") };
    const sum = hit[i]!.reduce((a, b) => a + b, 0);
    const interval = clusteredShare(hit[i]!, units, level);
    const why = interval ? undefined : "all pictures are of one class";
    return { ...base, ...measured(sum / truth.length, truth.length, interval, why) };
  });
}

/**
 * top-1 accuracy of each class: of all pictures of the class, those whose greatest score is its own
 * (of equal ones the smallest class number wins).
 */
export function classAccuracies(
  { classes, truth, predicted }: ClassificationEvidence,
  level = defaultIntervals.level,
): ClassAccuracy[] {
  const pictures = new Int32Array(classes);
  const right = new Int32Array(classes);
  truth.forEach((c, i) => {
    pictures[c]!++;
    if (predicted[i] === c) right[c]!++;
  });
  return Array.from({ length: classes }, (_, c) => ({
    class: c,
    pictures: pictures[c]!,
    top1: wilson(right[c]!, pictures[c]!, level),
  }));
}

/** counts[true class * classes + predicted class]. */
export function confusionMatrix({ classes, truth, predicted }: ClassificationEvidence): Int32Array {
  const counts = new Int32Array(classes * classes);
  truth.forEach((c, i) => {
    counts[c * classes + predicted[i]!]!++;
  });
  return counts;
}
