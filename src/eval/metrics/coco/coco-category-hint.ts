import type { CocoDetections, CocoTruth, Note } from "../../../../datasets/formats/coco-set.js";
import { categoryShifts, type CategoryShift } from "../../../../datasets/formats/detection-ids.js";
import { matchCoco } from "./coco-matching.js";
import { accumulateCoco } from "./coco-accumulate.js";
import type { CocoOptions } from "./coco-parameters.js";
import { cocoParameters } from "./coco-parameters.js";
import { summarizeCoco } from "./coco-summary.js";

/** So much more AP is no accident. */
const muchBetter = 0.02;

/**
 * Whether category ids that do not fit were meant otherwise: evaluates the detections again under
 * each rule of `categoryShifts`, where some categories are unknown or have no detection at all, and
 * says which rule would give a better AP.
 *
 * @param read the detections with their category ids under a rule.
 */
export async function categoryHint(
  truth: CocoTruth,
  detections: CocoDetections,
  read: (shift: CategoryShift) => Promise<CocoDetections>,
  options: CocoOptions = {},
): Promise<Note[]> {
  if (options.agnostic || !isSuspicious(truth, detections)) return [];
  const own = averagePrecision(truth, detections, options);
  const others: { name: string; ap: number }[] = [];
  for (const shift of categoryShifts(truth))
    others.push({
      name: shift.name,
      ap: averagePrecision(truth, await read(shift), options),
    });
  const best = others.sort((a, b) => b.ap - a.ap)[0];
  if (!best || best.ap <= own + muchBetter) return [];
  const message =
    `detections whose categories may be meant otherwise: with ${best.name} AP would be ` +
    `${best.ap.toFixed(4)} instead of ${own.toFixed(4)}`;
  const { length: count } = detections.score;
  return [{ code: "category-shift", message, count, first: "[0].category_id" }];
}

function isSuspicious({ category }: CocoTruth, detections: CocoDetections): boolean {
  if (detections.notes.some((n) => n.code === "unknown-category")) return true;
  const found = new Set(detections.category);
  return category.some((c) => !found.has(c));
}

function averagePrecision(
  truth: CocoTruth,
  detections: CocoDetections,
  options: CocoOptions,
): number {
  const parameters = cocoParameters(options);
  const matches = matchCoco(truth, detections, parameters);
  const summary = summarizeCoco(parameters, (area, most) => accumulateCoco(matches, area, most));
  return summary[0]?.value ?? 0;
}
