// metrics/coco/: true and detected boxes in; AP, AR, curves and error types out. It never sees
// pictures or a model.
import type { CocoDetections, CocoTruth, Note } from "../../../../datasets/formats/coco-set.js";
import type { NamedScore } from "../../types.js";
import { accumulateCoco, type CocoSlice } from "./coco-accumulate.js";
import { boundByDetections } from "./coco-limits.js";
import { type CocoMatches, matchCoco } from "./coco-matching.js";
import { type CocoOptions, type CocoParameters, cocoParameters } from "./coco-parameters.js";
import { type CategoryScores, scoreCategories, summarizeCoco } from "./coco-summary.js";

export type { CocoMatches } from "./coco-matching.js";
export type { AreaRange, CocoOptions, CocoParameters } from "./coco-parameters.js";
export type { CategoryScores } from "./coco-summary.js";

export interface CocoEvaluation {
  readonly parameters: CocoParameters;
  /** The evidence, for resampling, curves and areas at will without matching again. */
  readonly matches: CocoMatches;
  readonly counts: {
    readonly images: number;
    readonly categories: number;
    readonly truths: number;
    readonly crowds: number;
    readonly detections: number;
  };
  /** The 12 numbers (or as many as the options make), in pycocotools' order. */
  readonly summary: readonly NamedScore[];
  /** Limits that bind: what no detector could have reached under these parameters. */
  readonly limits: readonly Note[];
  /** AP and AR of each category; of all as one when class-agnostic. */
  categories(): CategoryScores[];
  /** Precision and recall of one area range (by index) at one maxDets; computed once. */
  slice(area: number, maxDets: number): CocoSlice;
}

/**
 * COCO detection evaluation of boxes: equal to pycocotools 2.0.11 (COCOeval, iouType "bbox") to the
 * last bit, but that what is undefined is null with a reason, that a true box of id 0 counts
 * (CocoOptions.pycocotoolsIdZero), and that AP is at the largest maxDets.
 *
 * Source: https://cocodataset.org/#detection-eval and pycocotools' cocoeval.py; Lin et al. 2014,
 * "Microsoft COCO".
 *
 * @throws UserError `coco-option` on options without meaning
 */
export function evaluateCoco(
  truth: CocoTruth,
  detections: CocoDetections,
  options: CocoOptions = {},
): CocoEvaluation {
  const parameters = cocoParameters(options);
  const matches = matchCoco(truth, detections, parameters);
  const slices = new Map<string, CocoSlice>();
  const slice = (area: number, maxDets: number): CocoSlice => {
    const key = `${area}/${maxDets}`;
    const known = slices.get(key);
    if (known) return known;
    const made = accumulateCoco(matches, area, maxDets);
    slices.set(key, made);
    return made;
  };
  return {
    parameters,
    matches,
    slice,
    counts: {
      images: truth.images.length,
      categories: truth.categories.length,
      truths: truth.image.length,
      crowds: truth.crowd.reduce((sum, c) => sum + c, 0),
      detections: detections.score.length,
    },
    summary: summarizeCoco(parameters, slice),
    limits: boundByDetections(truth, parameters),
    categories: () => scoreCategories(parameters, slice),
  };
}
