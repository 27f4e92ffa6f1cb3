import type { CocoDetections, CocoTruth } from "../../../../datasets/formats/coco-set.js";
import { identity, orderByKey } from "./coco-order.js";
import type { CocoParameters } from "./coco-parameters.js";
import { rankDetections } from "./coco-ranking.js";

/**
 * What became of each detection: all that any average precision, recall, curve or resample of
 * images needs, matched once.
 *
 * Rows are the P detections among the best `maxDets.at(-1)` of their image and category. Those of
 * category k lie at start[k] <= p < start[k + 1], by falling score, equal scores by image and then
 * as listed. K is 1 when class-agnostic.
 */
export interface CocoMatches {
  readonly parameters: CocoParameters;
  readonly images: number;
  /** K. */
  readonly categories: number;
  /** K + 1 offsets. */
  readonly start: Int32Array;
  /** P indices of images. */
  readonly image: Int32Array;
  /** P indices of the detections as given. */
  readonly detection: Int32Array;
  readonly score: Float64Array;
  /** P places among the detections of the same image and category, from 0. */
  readonly rank: Int32Array;
  /** A x P, area by area: bit t says that the detection is a true positive at IoU threshold t. */
  readonly matched: Uint32Array;
  /**
   * A x P: bit t says that it counts neither as true nor as false (matched a crowd or an object out
   * of the area range, or is itself out of it). Never set with `matched`.
   */
  readonly ignored: Uint32Array;
  /** K + 1 offsets into the true boxes by category. */
  readonly truthStart: Int32Array;
  /** G indices of images. */
  readonly truthImage: Int32Array;
  /** G: bit a says that the box counts in area a. */
  readonly truthCounted: Uint32Array;
}

/**
 * Matches detections to truth as pycocotools' COCOeval.computeIoU and evaluateImg do, at all IoU
 * thresholds and area ranges from one computation of each IoU.
 */
export function matchCoco(
  truth: CocoTruth,
  detections: CocoDetections,
  parameters: CocoParameters,
): CocoMatches {
  const images = truth.images.length;
  const categories = parameters.agnostic ? 1 : truth.categories.length;
  const areas = parameters.areas.length;
  const truths = groupTruths(truth, parameters);
  const rows = rankDetections(
    truth,
    detections,
    parameters.agnostic,
    parameters.maxDets[parameters.maxDets.length - 1]!,
  );
  const count = rows.detection.length;
  const matches: CocoMatches = {
    parameters,
    images,
    categories,
    start: rows.start,
    image: rows.image,
    detection: rows.detection,
    score: rows.score,
    rank: rows.rank,
    matched: new Uint32Array(areas * count),
    ignored: new Uint32Array(areas * count),
    truthStart: truths.start,
    truthImage: truths.image,
    truthCounted: truths.counted,
  };
  const matcher = new GroupMatcher(truths, detections.box, matches);
  // Both sides are by category and image: walk them together.
  let g = 0;
  for (let k = 0, from = 0; from < count;) {
    while (rows.byImage[from]! >= rows.start[k + 1]!) k++;
    const image = rows.image[rows.byImage[from]!]!;
    let to = from + 1;
    while (
      to < count &&
      rows.byImage[to]! < rows.start[k + 1]! &&
      rows.image[rows.byImage[to]!] === image
    )
      to++;
    if (g < truths.start[k]!) g = truths.start[k]!;
    const last = truths.start[k + 1]!;
    while (g < last && truths.image[g]! < image) g++;
    let end = g;
    while (end < last && truths.image[end] === image) end++;
    matcher.match(rows.byImage, from, to, g, end);
    g = end;
    from = to;
  }
  return matches;
}

interface Truths {
  readonly start: Int32Array;
  readonly image: Int32Array;
  /** G each, px. */
  readonly left: Float64Array;
  readonly top: Float64Array;
  readonly right: Float64Array;
  readonly bottom: Float64Array;
  /** G, px²: width x height. */
  readonly size: Float64Array;
  readonly crowd: Uint8Array;
  readonly counted: Uint32Array;
  /** 1 where a match is not to be seen; see CocoOptions.pycocotoolsIdZero. */
  readonly unseen: Uint8Array;
}

/**
 * True boxes by category, image, and then as listed (class-agnostic: by their own category first,
 * as pycocotools joins them).
 */
function groupTruths(truth: CocoTruth, parameters: CocoParameters): Truths {
  const n = truth.image.length;
  const own = truth.categories.length;
  const start = new Int32Array((parameters.agnostic ? 1 : own) + 1);
  let order = orderByKey(identity(n), truth.category, own);
  order = orderByKey(order, truth.image, truth.images.length);
  if (parameters.agnostic) start[1] = n;
  else order = orderByKey(order, truth.category, own, start);

  const image = new Int32Array(n);
  const [left, top, right, bottom, size] = Array.from({ length: 5 }, () => new Float64Array(n)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const crowd = new Uint8Array(n);
  const counted = new Uint32Array(n);
  const unseen = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    const row = order[i]!;
    image[i] = truth.image[row]!;
    const b = 4 * row;
    left[i] = truth.box[b]!;
    top[i] = truth.box[b + 1]!;
    right[i] = truth.box[b + 2]! + truth.box[b]!;
    bottom[i] = truth.box[b + 3]! + truth.box[b + 1]!;
    size[i] = truth.box[b + 2]! * truth.box[b + 3]!;
    crowd[i] = truth.crowd[row]!;
    if (!truth.crowd[row] && !(parameters.honourIgnore && truth.ignore[row]))
      counted[i] = inside(parameters, truth.area[row]!);
    unseen[i] = parameters.pycocotoolsIdZero && truth.id[row] === 0 ? 1 : 0;
  }
  return { start, image, left, top, right, bottom, size, crowd, counted, unseen };
}

/** Bit a: the area lies in range a. */
function inside({ areas }: CocoParameters, area: number): number {
  let bits = 0;
  for (let a = 0; a < areas.length; a++)
    if (!(area < areas[a]!.min || area > areas[a]!.max)) bits |= 1 << a;
  return bits >>> 0;
}

/**
 * Matches the detections of one image and category at a time. A class, not a closure: code that was
 * optimised stays so from one evaluation to the next.
 */
class GroupMatcher {
  readonly #truths: Truths;
  readonly #box: Float64Array;
  readonly #matches: CocoMatches;
  readonly #areaMin: Float64Array;
  readonly #areaMax: Float64Array;
  readonly #thresholds: Float64Array;
  /** areas x G: bit t says that the box has its detection at threshold t. */
  readonly #taken: Uint32Array;
  #candidate = new Int32Array(16);
  #overlap = new Float64Array(16);

  constructor(truths: Truths, box: Float64Array, matches: CocoMatches) {
    const { areas, iouThresholds } = matches.parameters;
    this.#truths = truths;
    this.#box = box;
    this.#matches = matches;
    this.#areaMin = Float64Array.from(areas, (a) => a.min);
    this.#areaMax = Float64Array.from(areas, (a) => a.max);
    this.#thresholds = Float64Array.from(iouThresholds, (t) => Math.min(t, 1 - 1e-10));
    this.#taken = new Uint32Array(areas.length * truths.image.length);
  }

  /**
   * The detections order[from, to), by falling score, against the true boxes [truthFrom, truthTo)
   * of the same image and category.
   */
  match(order: Int32Array, from: number, to: number, truthFrom: number, truthTo: number): void {
    if (truthTo - truthFrom > this.#candidate.length) {
      this.#candidate = new Int32Array(2 * (truthTo - truthFrom));
      this.#overlap = new Float64Array(2 * (truthTo - truthFrom));
    }
    const box = this.#box;
    const areaMin = this.#areaMin;
    const areaMax = this.#areaMax;
    const thresholds = this.#thresholds;
    const taken = this.#taken;
    const candidate = this.#candidate;
    const overlap = this.#overlap;
    const { detection, matched, ignored } = this.#matches;
    const { left, top, right, bottom, size, crowd, counted, unseen } = this.#truths;
    const areas = areaMin.length;
    const total = left.length;
    const rows = detection.length;
    const everywhere = 2 ** thresholds.length - 1;
    const lowest = thresholds.reduce((a, b) => Math.min(a, b));
    for (let i = from; i < to; i++) {
      const p = order[i]!;
      const d = 4 * detection[p]!;
      const x = box[d]!;
      const y = box[d + 1]!;
      const area = box[d + 2]! * box[d + 3]!;
      const farX = box[d + 2]! + x;
      const farY = box[d + 3]! + y;

      let n = 0;
      let least = lowest;
      for (let g = truthFrom; g < truthTo; g++) {
        // maskApi.c's bbIou, operation for operation.
        let iou = 0;
        const w = Math.min(farX, right[g]!) - Math.max(x, left[g]!);
        if (w > 0) {
          const h = Math.min(farY, bottom[g]!) - Math.max(y, top[g]!);
          if (h > 0) iou = (w * h) / (crowd[g] ? area : area + size[g]! - w * h);
        }
        if (iou < least) continue;
        if (Number.isNaN(iou) && least === lowest) {
          // Areas that overflow or vanish. pycocotools finds no IoU less than NaN and takes
          // whatever box comes after it: start again, with every box a candidate.
          least = NaN;
          n = 0;
          g = truthFrom - 1;
          continue;
        }
        candidate[n] = g;
        overlap[n++] = iou;
      }
      if (n === 0) {
        for (let a = 0; a < areas; a++)
          if (area < areaMin[a]! || area > areaMax[a]!) ignored[a * rows + p] = everywhere;
        continue;
      }

      /** Bit t: some candidate overlaps enough for threshold t. */
      let reached = 0;
      for (let c = 0; c < n; c++)
        for (let t = 0; t < thresholds.length; t++)
          if (!(overlap[c]! < thresholds[t]!)) reached |= 1 << t;
      for (let a = 0; a < areas; a++) {
        let hits = 0;
        let passes = 0;
        if (n === 1) {
          // One candidate, as most have: all thresholds at once.
          const g = candidate[0]!;
          const free = crowd[g] ? reached : reached & ~taken[a * total + g]!;
          taken[a * total + g]! |= free;
          if (!((counted[g]! >>> a) & 1)) passes = free;
          else if (!unseen[g]) hits = free;
        } else {
          for (let t = 0; t < thresholds.length; t++) {
            const bit = 1 << t;
            if (!(reached & bit)) continue;
            let best = thresholds[t]!;
            let match = -1;
            // Boxes that count come first; those that do not are tried only where none of them
            // fits.
            for (let c = 0; c < n; c++) {
              const g = candidate[c]!;
              if (!((counted[g]! >>> a) & 1) || taken[a * total + g]! & bit || overlap[c]! < best)
                continue;
              best = overlap[c]!;
              match = g;
            }
            if (match >= 0) {
              taken[a * total + match]! |= bit;
              if (!unseen[match]) hits |= bit;
              continue;
            }
            for (let c = 0; c < n; c++) {
              const g = candidate[c]!;
              if (
                (counted[g]! >>> a) & 1 ||
                (taken[a * total + g]! & bit && !crowd[g]) ||
                overlap[c]! < best
              )
                continue;
              best = overlap[c]!;
              match = g;
            }
            if (match < 0) continue;
            taken[a * total + match]! |= bit;
            passes |= bit;
          }
        }
        // What found nothing counts for nothing if it is itself out of the range.
        if (area < areaMin[a]! || area > areaMax[a]!) passes |= everywhere & ~hits;
        matched[a * rows + p] = hits;
        ignored[a * rows + p] = passes;
      }
    }
  }
}
