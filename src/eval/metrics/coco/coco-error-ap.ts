import { type ErrorEvidence, type ErrorType, typeIndex } from "./coco-error-types.js";
import { identity, orderByKey } from "./coco-order.js";
import { linspace } from "./coco-parameters.js";

/** What is mended: nothing, one error type, or all false positives or negatives. */
export type Mend = ErrorType | "false-positives" | "false-negatives" | null;

const recallThresholds = linspace(0, 1, 101);

/**
 * AP at one IoU threshold after mending (TIDE's oracles): a localisation error becomes a true
 * positive; a classification error becomes one of the category that it hit; where several reach for
 * one true box, the best alone, the others go; both, duplicate and background errors go; missed
 * boxes are no longer asked for.
 *
 * @returns null where no category is left to average over
 */
export function apAfterMending(evidence: ErrorEvidence, mended: Mend): number | null {
  const { categories, outcome, type, mends, truthCategory } = evidence;
  const mendedType =
    mended === null || mended === "false-positives" || mended === "false-negatives"
      ? null
      : typeIndex[mended];
  const rows = outcome.length;
  const category = evidence.category.slice();
  const result = outcome.slice();
  for (let p = 0; p < rows; p++) {
    if (outcome[p] !== 0) continue;
    if (mended === "false-positives") result[p] = -1;
    else if (type[p] === mendedType) {
      const target = mends[p]!;
      result[p] = target < 0 ? -1 : 1;
      if (target >= 0) category[p] = truthCategory[target]!;
    }
  }
  const start = new Int32Array(categories + 1);
  // Rows are by falling score; grouping by category keeps that.
  const kept = identity(rows).filter((p) => result[p]! >= 0);
  const order = orderByKey(kept, category, categories, start);
  let sum = 0;
  let averaged = 0;
  for (let k = 0; k < categories; k++) {
    if (evidence.positives[k] === 0) continue;
    const gone =
      mended === "missed"
        ? evidence.missed[k]!
        : mended === "false-negatives"
          ? evidence.unfound[k]!
          : 0;
    const positives = evidence.positives[k]! - gone;
    // Nothing left to find and nothing claimed: no longer a category to average over.
    if (positives === 0 && start[k] === start[k + 1]) continue;
    averaged++;
    if (positives > 0)
      sum += averagePrecision(order.subarray(start[k], start[k + 1]), result, positives);
  }
  return averaged === 0 ? null : sum / averaged;
}

/** Mean interpolated precision at 101 recalls of detections `rows`, best first. */
function averagePrecision(rows: Int32Array, result: Int8Array, positives: number): number {
  const precision: number[] = [];
  let seen = 0;
  for (const p of rows) {
    seen++;
    if (result[p] === 1) precision.push((precision.length + 1) / seen);
  }
  for (let i = precision.length - 1; i > 0; i--)
    precision[i - 1] = Math.max(precision[i - 1]!, precision[i]!);
  let sum = 0;
  for (let r = 0, i = 0; r < recallThresholds.length; r++) {
    while (i < precision.length && (i + 1) / positives < recallThresholds[r]!) i++;
    if (i === precision.length) break;
    sum += precision[i]!;
  }
  return sum / recallThresholds.length;
}
