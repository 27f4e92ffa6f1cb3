import { accepted, type AcceptanceRule } from "../../../pipeline/acceptance.js";
import type { ImageEvidence } from "./f1-evidence.js";
import { tally } from "./f1-tally.js";

/** How one label fares: pictures, not objects, as in definitions B and D. */
export interface LabelF1 {
  readonly label: string;
  /** Pictures that show it and are answered so; answered so without showing it; missed. */
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  /** 2 tp / (2 tp + fp + fn). */
  readonly f1: number;
  /** Whether some picture shows it: only such labels are in the mean of definition D. */
  readonly shown: boolean;
}

/**
 * The F1 of each label that a picture shows or an answer bears, the worst first. The mean over the
 * labels that are shown is the F1 of definition D.
 *
 * @param threshold null accepts every crop.
 */
export function f1ByLabel(
  images: readonly ImageEvidence[],
  rule: AcceptanceRule,
  threshold: number | null,
): LabelF1[] {
  const counts = new Map<string, { tp: number; fp: number; fn: number }>();
  for (const { truth, recognitions } of images) {
    const answers = accepted(recognitions, rule, threshold).map((i) => recognitions[i]!);
    for (const { group, tp, fp, fn } of tally("D", truth, answers)) {
      const own = counts.get(group) ?? { tp: 0, fp: 0, fn: 0 };
      counts.set(group, { tp: own.tp + tp, fp: own.fp + fp, fn: own.fn + fn });
    }
  }
  const labels = [...counts].map(([label, { tp, fp, fn }]): LabelF1 => {
    return { label, tp, fp, fn, f1: (2 * tp) / (2 * tp + fp + fn), shown: tp + fn > 0 };
  });
  return labels.sort((a, b) => a.f1 - b.f1 || (a.label < b.label ? -1 : 1));
}
