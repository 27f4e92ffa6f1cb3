import type { CocoTruth } from "../../../../datasets/formats/coco-set.js";
import type { CocoEvaluation } from "./coco.js";
import { accumulateCoco } from "./coco-accumulate.js";

/** Precision over recall of one category at one IoU threshold. */
export interface PrecisionRecallCurve {
  /** Null for all categories as one. */
  readonly category: { readonly id: number; readonly name: string } | null;
  readonly iou: number;
  /** True boxes that count. */
  readonly truths: number;
  /** The final recall. */
  readonly recall: number;
  /** The best precision at each of `recalls` or above; 0 where it is not reached. */
  readonly precision: readonly number[];
  /**
   * The detection score at which each of `recalls` is reached: the threshold to set for it. Null
   * where it is not.
   */
  readonly score: readonly (number | null)[];
}

export interface PrecisionRecallCurves {
  /** 0, 0.01 … 1. */
  readonly recalls: readonly number[];
  readonly area: string;
  readonly maxDets: number;
  /** A category without any true box that counts has no curve. */
  readonly curves: readonly PrecisionRecallCurve[];
}

/**
 * The curves behind AP: every category and IoU threshold, over the first area range at the largest
 * maxDets.
 */
export function precisionRecallCurves(
  { parameters, matches }: CocoEvaluation,
  truth: CocoTruth,
): PrecisionRecallCurves {
  const maxDets = parameters.maxDets[parameters.maxDets.length - 1]!;
  const { precision, scores, recall, truths } = accumulateCoco(matches, 0, maxDets, {
    scores: true,
  });
  const recalls = parameters.recallThresholds.length;
  const categories = truths.length;
  const curves: PrecisionRecallCurve[] = [];
  for (let k = 0; k < categories; k++) {
    if (truths[k] === 0) continue;
    for (let t = 0; t < parameters.iouThresholds.length; t++) {
      const at = (r: number): number => (t * recalls + r) * categories + k;
      const reached = recall[t * categories + k]!;
      const points = Array.from(parameters.recallThresholds, (wanted, r) => ({
        precision: precision[at(r)]!,
        score: wanted <= reached && precision[at(r)]! > 0 ? scores![at(r)]! : null,
      }));
      curves.push({
        category: parameters.agnostic ? null : truth.categories[k]!,
        iou: parameters.iouThresholds[t]!,
        truths: truths[k]!,
        recall: reached,
        precision: points.map((p) => p.precision),
        score: points.map((p) => p.score),
      });
    }
  }
  return {
    recalls: Array.from(parameters.recallThresholds),
    area: parameters.areas[0]!.name,
    maxDets,
    curves,
  };
}
