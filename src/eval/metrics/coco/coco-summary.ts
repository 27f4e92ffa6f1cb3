import type { NamedScore, Score } from "../../types.js";
import type { CocoSlice } from "./coco-accumulate.js";
import type { AreaRange, CocoParameters } from "./coco-parameters.js";

/** Gives the slice of one area range (by index) and one maxDets. */
export type SliceOf = (area: number, maxDets: number) => CocoSlice;

/**
 * The numbers that pycocotools' COCOeval.summarize prints, 12 by default: AP, AP50, AP75, AP of
 * each further area range, AR at each maxDets, AR of each further area range. AP is at the largest
 * maxDets (pycocotools asks for 100 whatever the list).
 *
 * `n` is the number of true boxes that count. Without any the value is null, where pycocotools says
 * -1.
 */
export function summarizeCoco(parameters: CocoParameters, slice: SliceOf): NamedScore[] {
  const { areas, maxDets } = parameters;
  const most = maxDets[maxDets.length - 1]!;
  const named = (metric: string, score: Score): NamedScore => ({
    metric,
    unit: "ratio",
    better: "higher",
    ...score,
  });
  const furtherAreas = areas.slice(1);
  return [
    named("AP", meanPrecision(parameters, slice(0, most), areas[0]!)),
    named("AP50", meanPrecision(parameters, slice(0, most), areas[0]!, 0.5)),
    named("AP75", meanPrecision(parameters, slice(0, most), areas[0]!, 0.75)),
    ...furtherAreas.map((area, i) =>
      named(`AP-${area.name}`, meanPrecision(parameters, slice(i + 1, most), area)),
    ),
    ...Array.from(maxDets, (m) => named(`AR@${m}`, meanRecall(parameters, slice(0, m), areas[0]!))),
    ...furtherAreas.map((area, i) =>
      named(`AR-${area.name}`, meanRecall(parameters, slice(i + 1, most), area)),
    ),
  ];
}

/** Average precision and recall of one category. */
export interface CategoryScores {
  /** Index into the truth's categories; -1 for all as one. */
  readonly category: number;
  readonly truths: number;
  readonly ap: Score;
  readonly ap50: Score;
  readonly ap75: Score;
  readonly ar: Score;
}

/** The same means for one category at a time, over the first area range at the largest maxDets. */
export function scoreCategories(parameters: CocoParameters, slice: SliceOf): CategoryScores[] {
  const area = parameters.areas[0]!;
  const whole = slice(0, parameters.maxDets[parameters.maxDets.length - 1]!);
  return Array.from(whole.truths, (truths, k) => ({
    category: parameters.agnostic ? -1 : k,
    truths,
    ap: meanPrecision(parameters, whole, area, undefined, k),
    ap50: meanPrecision(parameters, whole, area, 0.5, k),
    ap75: meanPrecision(parameters, whole, area, 0.75, k),
    ar: meanRecall(parameters, whole, area, k),
  }));
}

function meanPrecision(
  parameters: CocoParameters,
  { precision, truths }: CocoSlice,
  area: AreaRange,
  iou?: number,
  category?: number,
): Score {
  const thresholds = wanted(parameters, iou);
  if (thresholds.length === 0)
    return { value: null, why: `${iou} is not among the IoU thresholds` };
  const categories = withTruth(truths, category);
  if (categories.length === 0) return noTruth(area);
  const recalls = parameters.recallThresholds.length;
  // In the order T, R, K of numpy's array, for its sum depends on the order.
  const values = new Float64Array(thresholds.length * recalls * categories.length);
  let n = 0;
  for (const t of thresholds) {
    for (let r = 0; r < recalls; r++)
      for (const k of categories) values[n++] = precision[(t * recalls + r) * truths.length + k]!;
  }
  return { value: mean(values), n: boxes(truths, categories), interval: null };
}

function meanRecall(
  parameters: CocoParameters,
  { recall, truths }: CocoSlice,
  area: AreaRange,
  category?: number,
): Score {
  const categories = withTruth(truths, category);
  if (categories.length === 0) return noTruth(area);
  const values = new Float64Array(parameters.iouThresholds.length * categories.length);
  let n = 0;
  for (let t = 0; t < parameters.iouThresholds.length; t++)
    for (const k of categories) values[n++] = recall[t * truths.length + k]!;
  return { value: mean(values), n: boxes(truths, categories), interval: null };
}

function wanted({ iouThresholds }: CocoParameters, iou: number | undefined): number[] {
  const all = Array.from(iouThresholds, (_, t) => t);
  return iou === undefined ? all : all.filter((t) => iouThresholds[t] === iou);
}

function withTruth(truths: Int32Array, category: number | undefined): number[] {
  const found: number[] = [];
  for (let k = 0; k < truths.length; k++)
    if (truths[k]! > 0 && (category === undefined || category === k)) found.push(k);
  return found;
}

function boxes(truths: Int32Array, categories: readonly number[]): number {
  return categories.reduce((sum, k) => sum + truths[k]!, 0);
}

function noTruth({ name, min, max }: AreaRange): Score {
  return {
    value: null,
    why: `no true box that counts in area range ${JSON.stringify(name)}, ${min} to ${max} px²`,
  };
}

/**
 * numpy.mean of a contiguous float64 array, to the last bit: numpy sums buffers of 8,192 values,
 * each pairwise.
 */
export function mean(values: Float64Array): number {
  const buffer = 8192;
  let sum = 0;
  for (let from = 0; from < values.length; from += buffer)
    sum += pairwiseSum(values, from, Math.min(buffer, values.length - from));
  return sum / values.length;
}

/**
 * numpy's DOUBLE_pairwise_sum (numpy/core/src/umath/loops_utils.h.src): eight partial sums up to
 * 128 values, halves above.
 */
function pairwiseSum(values: Float64Array, from: number, n: number): number {
  if (n < 8) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[from + i]!;
    return sum;
  }
  if (n <= 128) {
    const partial = values.slice(from, from + 8);
    const whole = n - (n % 8);
    for (let i = 8; i < whole; i += 8)
      for (let j = 0; j < 8; j++) partial[j]! += values[from + i + j]!;
    let sum =
      partial[0]! +
      partial[1]! +
      (partial[2]! + partial[3]!) +
      (partial[4]! + partial[5]! + (partial[6]! + partial[7]!));
    for (let i = whole; i < n; i++) sum += values[from + i]!;
    return sum;
  }
  let half = n >> 1;
  half -= half % 8;
  return pairwiseSum(values, from, half) + pairwiseSum(values, from + half, n - half);
}
