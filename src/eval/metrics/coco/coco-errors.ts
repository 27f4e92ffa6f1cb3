import type { CocoDetections, CocoTruth } from "../../../../datasets/formats/coco-set.js";
import type { Score } from "../../types.js";
import { matchGreedily } from "../box-match.js";
import { apAfterMending } from "./coco-error-ap.js";
import { type ErrorEvidence, type ErrorType, errorTypes, typeIndex } from "./coco-error-types.js";
import { rankDetections } from "./coco-ranking.js";

export { type ErrorType, errorTypes } from "./coco-error-types.js";

export interface ErrorOptions {
  /** t_f; also the IoU of a match. Default: 0.5. */
  readonly foreground?: number;
  /** t_b. Default: 0.1. */
  readonly background?: number;
  /** Detections kept of each image, over all categories. Default: 100. */
  readonly maxDets?: number;
  /** As CocoOptions.honourIgnore. */
  readonly honourIgnore?: boolean;
}

export interface DetectionErrors {
  readonly foreground: number;
  readonly background: number;
  readonly maxDets: number;
  /** AP at the one IoU threshold t_f, as it is. */
  readonly ap: Score;
  /**
   * By type, in the order of `errorTypes`: how many, and by how much AP rises when these alone are
   * mended.
   */
  readonly errors: readonly {
    readonly type: ErrorType;
    readonly count: number;
    readonly deltaAp: Score;
  }[];
  /** How much AP rises without any false positive, and without any true box that was not found. */
  readonly falsePositives: Score;
  readonly falseNegatives: Score;
  /** D: index into `errorTypes` where the detection is an error, else -1. */
  readonly ofDetection: Int8Array;
  /** G bytes: 1 where the true box is missed. */
  readonly missed: Uint8Array;
}

/**
 * Sorts the errors of a detector into TIDE's types and weighs each by the AP that mending it alone
 * would give.
 *
 * Equal to the reference implementation (dbolya/tide) in types, targets and oracles, except that
 * detections on crowds are no errors, and that categories without a true box have no AP (there: 0).
 */
export function explainErrors(
  truth: CocoTruth,
  detections: CocoDetections,
  options: ErrorOptions = {},
): DetectionErrors {
  const { foreground = 0.5, background = 0.1, maxDets = 100, honourIgnore = false } = options;
  const ranked = rankDetections(truth, detections, true, maxDets);
  const rows = ranked.detection.length;
  const counts = (g: number): boolean => !truth.crowd[g] && !(honourIgnore && truth.ignore[g]);
  const evidence: ErrorEvidence = {
    categories: truth.categories.length,
    ranked,
    category: Int32Array.from(ranked.detection, (d) => detections.category[d]!),
    outcome: new Int8Array(rows),
    type: new Int8Array(rows).fill(-1),
    mends: new Int32Array(rows).fill(-1),
    truthCategory: truth.category,
    positives: new Int32Array(truth.categories.length),
    missed: new Int32Array(truth.categories.length),
    unfound: new Int32Array(truth.categories.length),
  };
  const missed = new Uint8Array(truth.image.length);
  const truthsOf: number[][] = truth.images.map(() => []);
  truth.image.forEach((image, g) => truthsOf[image]!.push(g));

  const byImage = ranked.byImage;
  for (let image = 0, from = 0; image < truth.images.length; image++) {
    let to = from;
    while (to < rows && ranked.image[byImage[to]!] === image) to++;
    const here = truthsOf[image]!;
    const found = judgeImage(
      truth,
      detections,
      evidence,
      byImage.subarray(from, to),
      here.filter(counts),
      here.filter((g) => !counts(g)),
      { foreground, background },
    );
    for (const g of here) {
      if (!counts(g)) continue;
      const k = truth.category[g]!;
      evidence.positives[k]!++;
      const state = found.get(g);
      if (state === "found") continue;
      evidence.unfound[k]!++;
      if (state === "mendable") continue;
      evidence.missed[k]!++;
      missed[g] = 1;
    }
    from = to;
  }

  const ofDetection = new Int8Array(detections.score.length).fill(-1);
  ranked.detection.forEach((d, p) => {
    ofDetection[d] = evidence.type[p]!;
  });
  const images = truth.images.length;
  const ap = apAfterMending(evidence, null);
  const score = (value: number | null): Score =>
    value === null
      ? { value: null, why: "no true box that counts is left" }
      : { value, n: images, interval: null };
  // Mending cannot lower AP but by rounding.
  const rise = (value: number | null): Score =>
    score(value === null || ap === null ? null : Math.max(0, value - ap));
  const count = (type: number): number =>
    type === typeIndex.missed
      ? evidence.missed.reduce((a, b) => a + b, 0)
      : evidence.type.reduce((n, t) => n + (t === type ? 1 : 0), 0);
  return {
    foreground,
    background,
    maxDets,
    ofDetection,
    missed,
    ap: score(ap),
    errors: errorTypes.map((type, i) => ({
      type,
      count: count(i),
      deltaAp: rise(apAfterMending(evidence, type)),
    })),
    falsePositives: rise(apAfterMending(evidence, "false-positives")),
    falseNegatives: rise(apAfterMending(evidence, "false-negatives")),
  };
}

/**
 * Judges one image's detections `rows` (best first) against its true boxes; returns which of these
 * are found or could be by mending.
 */
function judgeImage(
  truth: CocoTruth,
  detections: CocoDetections,
  evidence: ErrorEvidence,
  rows: Int32Array,
  truths: readonly number[],
  crowds: readonly number[],
  { foreground, background }: { readonly foreground: number; readonly background: number },
): Map<number, "found" | "mendable"> {
  const { ranked, category, outcome, type, mends } = evidence;
  const state = new Map<number, "found" | "mendable">();
  const overlap = (p: number, g: number, crowd: boolean): number =>
    boxIou(detections.box, ranked.detection[p]!, truth.box, g, crowd);
  const alike = (p: number, g: number): boolean => truth.category[g] === category[p];
  const objectOf = matchGreedily(
    rows.length,
    truths.length,
    (i, j) => (alike(rows[i]!, truths[j]!) ? overlap(rows[i]!, truths[j]!, false) : 0),
    foreground,
  );
  rows.forEach((p, i) => {
    const object = truths[objectOf[i]!];
    if (object !== undefined) {
      outcome[p] = 1;
      state.set(object, "found");
    } else if (crowds.some((g) => alike(p, g) && overlap(p, g, true) > foreground)) {
      outcome[p] = -1;
    }
  });

  // The best detection to find each true box, of those that are localisation or classification
  // errors.
  const rescuer = new Map<number, number>();
  for (const p of rows) {
    if (outcome[p] !== 0) continue;
    let same = -1,
      other = -1;
    let sameIou = 0,
      otherIou = 0,
      takenIou = 0;
    for (const g of truths) {
      const iou = overlap(p, g, false);
      if (truth.category[g] !== category[p]) {
        if (iou > otherIou) [other, otherIou] = [g, iou];
        continue;
      }
      if (iou > sameIou) [same, sameIou] = [g, iou];
      if (state.get(g) === "found" && iou > takenIou) takenIou = iou;
    }
    const target =
      same >= 0 && background <= sameIou && sameIou <= foreground
        ? same
        : other >= 0 && otherIou >= foreground
          ? other
          : -1;
    if (target >= 0) {
      type[p] = target === same ? typeIndex.localisation : typeIndex.classification;
      if (state.get(target) === "found") continue;
      state.set(target, "mendable");
      // Rows come best first: only the first to reach for a box would have it.
      if (!rescuer.has(target)) {
        rescuer.set(target, p);
        mends[p] = target;
      }
    } else if (takenIou >= foreground) type[p] = typeIndex.duplicate;
    else if (Math.max(sameIou, otherIou) <= background) type[p] = typeIndex.background;
    else type[p] = typeIndex.both;
  }
  return state;
}

/**
 * IoU of two boxes (left, top, width, height); of a crowd, the share of the detection that lies in
 * it.
 */
function boxIou(a: Float64Array, i: number, b: Float64Array, j: number, crowd: boolean): number {
  const width =
    Math.min(a[4 * i]! + a[4 * i + 2]!, b[4 * j]! + b[4 * j + 2]!) - Math.max(a[4 * i]!, b[4 * j]!);
  if (width <= 0) return 0;
  const height =
    Math.min(a[4 * i + 1]! + a[4 * i + 3]!, b[4 * j + 1]! + b[4 * j + 3]!) -
    Math.max(a[4 * i + 1]!, b[4 * j + 1]!);
  if (height <= 0) return 0;
  const area = a[4 * i + 2]! * a[4 * i + 3]!;
  const both = width * height;
  return both / (crowd ? area : area + b[4 * j + 2]! * b[4 * j + 3]! - both);
}
