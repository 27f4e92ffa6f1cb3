import { byStrictness, type AcceptanceRule } from "../../../pipeline/acceptance.js";
import { iou } from "../../../pipeline/box.js";
import type { Box } from "../../../pipeline/types.js";
import type { Score } from "../../types.js";
import { alphaOf, defaultIntervals, twoSidedLevel } from "../../stats/interval-plan.js";
import { exactInterval, wilson } from "../../stats/proportion.js";
import { undefinedScore } from "../../stats/score.js";
import type { ImageEvidence } from "./f1-evidence.js";

/**
 * The open-set question: at which recognition threshold does the system refuse what is not in its
 * gallery? A query is the best answer of a picture (or of a crop, as the caller has it). `known`
 * queries show something of the gallery and were answered right or wrong; `distractor` queries show
 * nothing of it, and any answer to them is a false accept. In the terms of ISO/IEC 19795-1, FAR is
 * the false-positive identification rate, and `identified` the true-positive identification rate.
 */
export interface OpenSetQuery {
  /** Null where the search found nothing: never accepted. */
  readonly score: number | null;
  readonly kind: "correct" | "incorrect" | "distractor";
}

export interface OpenSetPoint {
  readonly threshold: number;
  /** Distractors accepted over distractors; null without distractors. */
  readonly far: number | null;
  /** Known queries accepted, right or wrong, over known queries; null without known queries. */
  readonly accepted: number | null;
  /** Known queries accepted and right, over known queries. */
  readonly identified: number | null;
  readonly counts: {
    readonly distractors: number;
    readonly correct: number;
    readonly incorrect: number;
  };
}

export interface OpenSetCurve {
  /** One point for each distinct score, strictest first. */
  readonly points: readonly OpenSetPoint[];
  readonly known: number;
  readonly distractors: number;
  /**
   * Chance that a right answer scores better than a distractor, ties half: the area under
   * identified-against-FAR of right answers.
   */
  readonly auroc: Score;
  readonly better: AcceptanceRule["better"];
}

/** The open-set curve; scores are sorted once. */
export function openSetCurve(
  queries: readonly OpenSetQuery[],
  better: AcceptanceRule["better"],
): OpenSetCurve {
  const distractors = queries.filter((q) => q.kind === "distractor").length;
  const known = queries.length - distractors;
  const stricter = byStrictness(better);
  const scored = queries
    .filter((q): q is OpenSetQuery & { score: number } => q.score !== null)
    .sort((a, b) => stricter(a.score, b.score));
  const points: OpenSetPoint[] = [];
  const counts = { correct: 0, incorrect: 0, distractor: 0 };
  scored.forEach((query, i) => {
    counts[query.kind]++;
    if (scored[i + 1]?.score === query.score) return;
    points.push({
      threshold: query.score,
      far: distractors > 0 ? counts.distractor / distractors : null,
      accepted: known > 0 ? (counts.correct + counts.incorrect) / known : null,
      identified: known > 0 ? counts.correct / known : null,
      counts: {
        distractors: counts.distractor,
        correct: counts.correct,
        incorrect: counts.incorrect,
      },
    });
  });
  return { points, known, distractors, auroc: auroc(points, queries), better };
}

/**
 * Mann and Whitney's statistic by the trapezium rule over the curve; queries without an answer rank
 * last.
 */
function auroc(points: readonly OpenSetPoint[], queries: readonly OpenSetQuery[]): Score {
  const right = queries.filter((q) => q.kind === "correct").length;
  const wrong = queries.filter((q) => q.kind === "distractor").length;
  if (right === 0 || wrong === 0)
    return undefinedScore(right === 0 ? "no known query was answered right" : "no distractors");
  let area = 0;
  let [x, y] = [0, 0];
  const ends = [...points.map((p) => p.counts), { correct: right, distractors: wrong }];
  for (const { distractors, correct } of ends) {
    area += ((distractors - x) * (correct + y)) / 2;
    [x, y] = [distractors, correct];
  }
  return { value: area / (right * wrong), n: right + wrong, interval: null };
}

export interface ThresholdAdvice {
  /** The loosest observed score that keeps the promise; null where none does. */
  readonly threshold: number | null;
  readonly why?: string;
  readonly targetFar: number;
  /**
   * `estimate`: the share observed is at most the target. `bound`: its upper bound at the
   * confidence is, one-sided, exact (Clopper and Pearson).
   */
  readonly promise: "estimate" | "bound";
  readonly far: Score;
  readonly identified: Score;
}

/**
 * The loosest threshold whose false-accept rate is at most `targetFar`: a `score_thres` for
 * similarities, a `hamming_radius` for Hamming distances. Under the promise `bound` it also says
 * how many distractors would be needed where there are too few.
 */
export function adviseThreshold(
  curve: OpenSetCurve,
  targetFar: number,
  promise: ThresholdAdvice["promise"] = "estimate",
  level = defaultIntervals.level,
): ThresholdAdvice {
  if (!(targetFar >= 0 && targetFar < 1))
    throw new RangeError(`a false-accept rate lies from 0 to below 1, got ${targetFar}`);
  const { points, distractors, known } = curve;
  const none = (why: string): ThresholdAdvice => ({
    threshold: null,
    why,
    targetFar,
    promise,
    far: undefinedScore(why),
    identified: undefinedScore(why),
  });
  if (distractors === 0) return none("no distractor queries: the false-accept rate is unknown");
  if (points.length === 0) return none("no query was answered: there is no score to choose from");
  const upper = (accepts: number): number =>
    exactInterval(accepts, distractors, twoSidedLevel(level)).high;
  if (promise === "bound" && upper(0) > targetFar) {
    // With no accept at all the bound is 1 - alpha^(1/n): at 95% the "rule of three".
    const needed =
      targetFar > 0
        ? `${Math.ceil(Math.log(alphaOf(level)) / Math.log1p(-targetFar))} distractors`
        : "infinitely many distractors";
    return none(
      `${distractors} distractors cannot show a false-accept rate of ${targetFar}: ${needed} ` +
        "are needed at least",
    );
  }
  const keeps = (p: OpenSetPoint): boolean =>
    (promise === "estimate" ? p.counts.distractors / distractors : upper(p.counts.distractors)) <=
    targetFar;
  // False accepts only grow as the threshold loosens.
  const best = points.filter(keeps).at(-1);
  if (!best) return none("even the strictest observed score accepts too many distractors");
  return {
    threshold: best.threshold,
    targetFar,
    promise,
    far: wilson(best.counts.distractors, distractors, level),
    identified:
      known > 0 ? wilson(best.counts.correct, known, level) : undefinedScore("no known queries"),
  };
}

/** One query a picture: its best-scoring crop, before threshold and suppression. */
export function openSetQueries(
  images: readonly ImageEvidence[],
  better: AcceptanceRule["better"],
): OpenSetQuery[] {
  const stricter = byStrictness(better);
  return images.map(({ truth, recognitions }) => {
    const [best] = recognitions
      .filter((r) => r.label !== null)
      .sort((a, b) => stricter(a.score, b.score));
    const score = best?.score ?? null;
    if (truth.length === 0) return { score, kind: "distractor" };
    return {
      score,
      kind: best && truth.some((t) => t.label === best.label) ? "correct" : "incorrect",
    };
  });
}

/**
 * One query a crop, for pictures that show known and unknown objects side by side. A crop is of the
 * object that it overlaps most, at `iouThreshold` or more: a known one is answered right or wrong,
 * an unknown one is a distractor. In a picture without any object every crop is a distractor; in
 * others, crops of the background are left out, since nobody said what they show.
 */
export function openSetCrops(images: readonly ImageEvidence[], iouThreshold = 0.5): OpenSetQuery[] {
  return images.flatMap(({ truth, unknown = [], recognitions }) =>
    recognitions.flatMap(({ box, label, score: raw }): OpenSetQuery[] => {
      const score = label === null ? null : raw;
      if (truth.length + unknown.length === 0) return [{ score, kind: "distractor" }];
      const known = mostOverlapped(
        box,
        truth.map((t) => t.box),
      );
      const stranger = mostOverlapped(box, unknown);
      if (Math.max(known.overlap, stranger.overlap) < iouThreshold) return [];
      if (stranger.overlap > known.overlap) return [{ score, kind: "distractor" }];
      return [{ score, kind: label === truth[known.place]!.label ? "correct" : "incorrect" }];
    }),
  );
}

function mostOverlapped(box: Box, others: readonly Box[]): { place: number; overlap: number } {
  let best = { place: -1, overlap: 0 };
  others.forEach((other, place) => {
    const overlap = iou(box, other);
    if (overlap > best.overlap) best = { place, overlap };
  });
  return best;
}
