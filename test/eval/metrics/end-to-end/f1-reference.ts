import type { AcceptanceRule } from "../../../../src/pipeline/acceptance.js";
import type { Box } from "../../../../src/pipeline/types.js";
import type { ImageEvidence } from "../../../../src/eval/metrics/end-to-end/f1-evidence.js";
import type { F1Definition } from "../../../../src/eval/metrics/end-to-end/f1-tally.js";

/**
 * F1 at one threshold, written from the definitions with loops over labels, truth and answers, and
 * sharing no code with the metric: every threshold starts again, suppression crosses out boxes in
 * place, macro F1 goes through precision and recall.
 */
export function referenceF1(
  images: readonly ImageEvidence[],
  definition: F1Definition,
  rule: AcceptanceRule,
  threshold: number,
): number | null {
  const perLabel: Record<string, { tp: number; fp: number; fn: number }> = {};
  let tp = 0,
    fp = 0,
    fn = 0;
  for (const image of images) {
    const answers = referenceAnswers(image, rule, threshold);
    if (definition === "A") {
      if (answers.length > 0 && image.truth.map((t) => t.label).includes(answers[0]!.label)) tp++;
      else {
        if (answers.length > 0) fp++;
        if (image.truth.length > 0) fn++;
      }
    } else if (definition === "C") {
      const free = image.truth.map((t, place) => ({ ...t, place }));
      for (const answer of answers) {
        const fits = free
          .map((t, i) => ({
            i,
            place: t.place,
            overlap: t.label === answer.label ? overlapShare(t.box, answer.box, 0) : -1,
          }))
          .filter((f) => f.overlap >= 0.5)
          .sort((a, b) => b.overlap - a.overlap || a.place - b.place);
        if (fits.length > 0) {
          free.splice(fits[0]!.i, 1);
          tp++;
        } else fp++;
      }
      fn += free.length;
    } else {
      for (const label of ["a", "b", "c", "d", "e", "cola", "tea", "milk"]) {
        const is = image.truth.some((t) => t.label === label);
        const said = answers.some((a) => a.label === label);
        const counts = (perLabel[label] ??= { tp: 0, fp: 0, fn: 0 });
        if (is && said) counts.tp++;
        if (!is && said) counts.fp++;
        if (is && !said) counts.fn++;
      }
    }
  }
  if (definition === "B")
    for (const c of Object.values(perLabel)) [tp, fp, fn] = [tp + c.tp, fp + c.fp, fn + c.fn];
  if (definition !== "D") {
    if (tp + fp + fn === 0) return null;
    const precision = tp + fp > 0 ? tp / (tp + fp) : 0;
    const recall = tp + fn > 0 ? tp / (tp + fn) : 0;
    return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
  }
  const f1s = Object.values(perLabel)
    .filter((c) => c.tp + c.fn > 0)
    .map((c) => {
      const precision = c.tp + c.fp > 0 ? c.tp / (c.tp + c.fp) : 0;
      const recall = c.tp / (c.tp + c.fn);
      return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
    });
  return f1s.length > 0 ? f1s.reduce((s, v) => s + v, 0) / f1s.length : null;
}

/** The answers of a picture: threshold, then suppression, in the pipeline's order. */
export function referenceAnswers(
  image: ImageEvidence,
  rule: AcceptanceRule,
  threshold: number,
): { box: Box; label: string; score: number }[] {
  const high = rule.better === "higher";
  const rows = image.recognitions.flatMap((r, place) =>
    r.label !== null && (high ? r.score >= threshold : r.score <= threshold)
      ? [{ box: r.box, label: r.label, score: r.score, place, gone: false }]
      : [],
  );
  const bestFirst = high || rule.rules.suppressionOrder === "highest-first";
  rows.sort(
    (a, b) =>
      (bestFirst ? b.score - a.score : a.score - b.score) ||
      (rule.rules.equalScores === "last" ? b.place - a.place : a.place - b.place),
  );
  rows.forEach((row, i) => {
    if (row.gone || rule.suppressIou === null) return;
    for (const other of rows.slice(i + 1))
      if (overlapShare(row.box, other.box, 1) > rule.suppressIou) other.gone = true;
  });
  return rows.filter((r) => !r.gone);
}

/** Overlap by counting along each axis; `extra` is PaddleClas's one more pixel. */
function overlapShare(a: Box, b: Box, extra: number): number {
  const along = (a0: number, a1: number, b0: number, b1: number): number =>
    Math.max(0, Math.min(a1, b1) - Math.max(a0, b0) + extra);
  const shared = along(a.x0, a.x1, b.x0, b.x1) * along(a.y0, a.y1, b.y0, b.y1);
  const size = ({ x0, x1, y0, y1 }: Box): number => (x1 - x0 + extra) * (y1 - y0 + extra);
  return shared / (size(a) + size(b) - shared);
}
