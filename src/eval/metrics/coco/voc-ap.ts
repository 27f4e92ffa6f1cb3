import type { CocoDetections, CocoTruth } from "../../../../datasets/formats/coco-set.js";
import { measured, undefinedScore } from "../../stats/score.js";
import type { Score } from "../../types.js";

/**
 * `11point`: the mean of the best precision at recall 0, 0.1, … 1 (VOC 2007). `integral`: the area
 * under the curve whose precision never rises with recall (VOC since 2010).
 */
export type VocInterpolation = "11point" | "integral";

export interface VocAp {
  readonly interpolation: VocInterpolation;
  readonly iou: number;
  /** The mean over the categories that have true boxes. */
  readonly mean: Score;
  readonly categories: readonly { readonly category: number; readonly ap: Score }[];
}

/**
 * Average precision as Pascal VOC has it (Everingham et al. 2010, section 4.2; `VOCevaldet.m`;
 * `DetectionMAP` of PaddleDetection's ppdet/metrics/map_utils.py): a detection is held against the
 * true box that it overlaps most, and is false where that one is below `iou` or found already, even
 * if another would fit. That differs from COCO's matching, so AP50 is another number. Boxes flagged
 * `ignore` (difficult) and crowds count for nothing, nor does what finds them. All detections of a
 * picture count.
 */
export function vocAp(
  truth: CocoTruth,
  detections: CocoDetections,
  interpolation: VocInterpolation,
  iou = 0.5,
): VocAp {
  const categories = truth.categories.map((_, category) => ({
    category,
    ap: categoryAp(truth, detections, { category, interpolation, iou }),
  }));
  const known = categories.flatMap(({ ap }) => (ap.value === null ? [] : [ap.value]));
  const total = truth.image.length;
  const mean =
    known.length === 0
      ? undefinedScore("no category has a true box")
      : measured(known.reduce((s, v) => s + v, 0) / known.length, total, null, "not drawn again");
  return { interpolation, iou, mean, categories };
}

interface CategoryRule {
  readonly category: number;
  readonly interpolation: VocInterpolation;
  readonly iou: number;
}

function categoryAp(
  truth: CocoTruth,
  detections: CocoDetections,
  { category, interpolation, iou }: CategoryRule,
): Score {
  const byImage = new Map<number, number[]>();
  let positives = 0;
  truth.category.forEach((k, g) => {
    if (k !== category) return;
    const image = truth.image[g]!;
    byImage.set(image, [...(byImage.get(image) ?? []), g]);
    if (!passedOver(truth, g)) positives++;
  });
  if (positives === 0) return undefinedScore("no true box of this category");
  const order = [...detections.category.keys()].filter((d) => detections.category[d] === category);
  order.sort((a, b) => detections.score[b]! - detections.score[a]!);
  const found = new Set<number>();
  const curve: { precision: number; recall: number }[] = [];
  let right = 0;
  let wrong = 0;
  for (const d of order) {
    const [best, overlap] = bestOf(detections, d, truth, byImage.get(detections.image[d]!) ?? []);
    if (best >= 0 && overlap >= iou) {
      if (passedOver(truth, best)) continue;
      if (found.has(best)) wrong++;
      else right++;
      found.add(best);
    } else wrong++;
    curve.push({ precision: right / (right + wrong), recall: right / positives });
  }
  const ap = interpolation === "11point" ? elevenPoints(curve) : area(curve);
  return measured(ap, positives, null, "not drawn again");
}

function passedOver({ ignore, crowd }: CocoTruth, g: number): boolean {
  return ignore[g] === 1 || crowd[g] === 1;
}

/** The true box that a detection overlaps most, the first of equal ones; -1 where none does. */
function bestOf(
  detections: CocoDetections,
  d: number,
  truth: CocoTruth,
  candidates: readonly number[],
): [number, number] {
  let best = -1;
  let most = 0;
  for (const g of candidates) {
    const overlap = iouOf(detections.box, 4 * d, truth.box, 4 * g);
    if (overlap > most) [best, most] = [g, overlap];
  }
  return [best, most];
}

function iouOf(a: Float64Array, i: number, b: Float64Array, j: number): number {
  const width = Math.min(a[i]! + a[i + 2]!, b[j]! + b[j + 2]!) - Math.max(a[i]!, b[j]!);
  const height =
    Math.min(a[i + 1]! + a[i + 3]!, b[j + 1]! + b[j + 3]!) - Math.max(a[i + 1]!, b[j + 1]!);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a[i + 2]! * a[i + 3]! + b[j + 2]! * b[j + 3]! - shared);
}

type Curve = readonly { readonly precision: number; readonly recall: number }[];

function elevenPoints(curve: Curve): number {
  let sum = 0;
  for (let i = 0; i <= 10; i++) {
    const there = curve.filter(({ recall }) => recall >= i / 10);
    sum += there.reduce((best, { precision }) => Math.max(best, precision), 0);
  }
  return sum / 11;
}

function area(curve: Curve): number {
  let sum = 0;
  let precision = 0;
  for (let i = curve.length - 1; i >= 0; i--) {
    precision = Math.max(precision, curve[i]!.precision);
    sum += precision * (curve[i]!.recall - (curve[i - 1]?.recall ?? 0));
  }
  return sum;
}
