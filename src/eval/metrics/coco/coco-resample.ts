import type { ResampledStatistic } from "../../stats/resampled-statistic.js";
import { epsilon } from "./coco-accumulate.js";
import type { CocoMatches } from "./coco-matching.js";

/**
 * The statistic behind each number of evaluateCoco's summary, by its name, for a bootstrap over
 * images. Undefined for AP50 and AP75 where their threshold is not evaluated.
 */
export function cocoStatistic(matches: CocoMatches, name: string): ResampledStatistic | undefined {
  const { areas, iouThresholds, maxDets } = matches.parameters;
  const areaOf = (prefix: string): number =>
    name.startsWith(prefix)
      ? areas.findIndex((a, i) => i > 0 && a.name === name.slice(prefix.length))
      : -1;
  if (name === "AP") return apStatistic(matches);
  if (name === "AP50" || name === "AP75") {
    const threshold = iouThresholds.indexOf(Number(name.slice(2)) / 100);
    return threshold < 0 ? undefined : apStatistic(matches, { threshold });
  }
  if (areaOf("AP-") > 0) return apStatistic(matches, { area: areaOf("AP-") });
  if (areaOf("AR-") > 0) return arStatistic(matches, { area: areaOf("AR-") });
  const most = maxDets.indexOf(Number(/^AR@(\d+)$/.exec(name)?.[1]));
  return most < 0 ? undefined : arStatistic(matches, { maxDets: maxDets[most]! });
}

export interface ResampledAp {
  /** Index into parameters.areas. Default: 0. */
  readonly area?: number;
  /**
   * Index into parameters.iouThresholds of the only threshold to take. Default: the mean over all.
   */
  readonly threshold?: number;
  /** The only category to take. Default: the mean over all that have a true box. */
  readonly category?: number;
}

/**
 * One category: the image of each true box, that of each row by falling score, and by threshold its
 * true positives and rows that do not count.
 */
interface Curve {
  readonly truths: Int32Array;
  readonly images: Int32Array;
  readonly points: readonly { readonly hits: Int32Array; readonly ignored: Int32Array }[];
}

/**
 * Average precision as a function of how often each image counts, for an image-level bootstrap:
 * nothing is matched again.
 *
 * `evaluate(weights)` is the AP (at the largest maxDets) of the set in which image i stands
 * weights[i] times: copies of an image have detections of equal score, which stand together. With
 * all weights 1 it is evaluateCoco's AP within 1e-12.
 *
 * Precision changes the curve at true positives only. How many detections stand before each row is
 * summed once for all thresholds; a threshold then goes through its true positives alone, and
 * subtracts the rows that count for nothing at it.
 */
export function apStatistic(
  matches: CocoMatches,
  { area = 0, threshold, category }: ResampledAp = {},
): ResampledStatistic {
  const { parameters, start, image, truthStart, truthImage, truthCounted } = matches;
  const rows = image.length;
  const { recallThresholds } = parameters;
  const thresholds = Array.from(parameters.iouThresholds, (_, t) => t).filter(
    (t) => threshold === undefined || t === threshold,
  );
  const curves: Curve[] = [];
  let most = 0;
  let longest = 0;
  for (let k = 0; k < matches.categories; k++) {
    if (category !== undefined && k !== category) continue;
    const truths: number[] = [];
    for (let g = truthStart[k]!; g < truthStart[k + 1]!; g++)
      if ((truthCounted[g]! >>> area) & 1) truths.push(truthImage[g]!);
    if (truths.length === 0) continue;
    most = Math.max(most, truths.length);
    let last = start[k]!;
    const points = thresholds.map((t) => {
      const hits: number[] = [];
      const ignored: number[] = [];
      for (let p = start[k]!; p < start[k + 1]!; p++) {
        if ((matches.ignored[area * rows + p]! >>> t) & 1) ignored.push(p - start[k]!);
        else if ((matches.matched[area * rows + p]! >>> t) & 1) hits.push(p - start[k]!);
      }
      // Past the last true positive nothing can change AP.
      last = Math.max(last, start[k]! + (hits.at(-1) ?? -1) + 1);
      return { hits: Int32Array.from(hits), ignored: Int32Array.from(ignored) };
    });
    longest = Math.max(longest, last - start[k]!);
    curves.push({
      truths: Int32Array.from(truths),
      images: image.subarray(start[k], last),
      points,
    });
  }
  const precision = new Float64Array(most);
  const found = new Float64Array(most);
  /** Weight of the rows up to and with each. */
  const standing = new Float64Array(longest);

  /** The sum of interpolated precision over the recall thresholds. */
  function area101(
    { hits: rowsHit, ignored }: Curve["points"][number],
    images: Int32Array,
    truths: number,
    weights: Uint32Array,
  ): number {
    let hits = 0;
    let passed = 0;
    let n = 0;
    for (let i = 0, j = 0; i < rowsHit.length; i++) {
      const row = rowsHit[i]!;
      for (; j < ignored.length && ignored[j]! < row; j++) passed += weights[images[ignored[j]!]!]!;
      const weight = weights[images[row]!]!;
      if (weight === 0) continue;
      hits += weight;
      precision[n] = hits / (standing[row]! - passed + epsilon);
      found[n++] = hits;
    }
    for (let i = n - 1; i > 0; i--)
      if (precision[i]! > precision[i - 1]!) precision[i - 1] = precision[i]!;
    let sum = 0;
    for (let r = 0, i = 0; r < recallThresholds.length; r++) {
      while (i < n && found[i]! / truths < recallThresholds[r]!) i++;
      if (i === n) break;
      sum += precision[i]!;
    }
    return sum;
  }

  return {
    n: matches.images,
    evaluate(weights) {
      let sum = 0;
      let averaged = 0;
      for (const { truths, images, points } of curves) {
        let total = 0;
        for (let i = 0; i < truths.length; i++) total += weights[truths[i]!]!;
        if (total === 0) continue; // the category is not in this resample
        averaged += points.length;
        let stand = 0;
        for (let i = 0; i < images.length; i++) {
          stand += weights[images[i]!]!;
          standing[i] = stand;
        }
        for (const point of points) sum += area101(point, images, total, weights);
      }
      return averaged === 0 ? null : sum / (averaged * recallThresholds.length);
    },
  };
}

/**
 * Average recall as a function of how often each image counts: the share of true boxes found,
 * averaged over IoU thresholds and then over the categories that have a true box.
 */
export function arStatistic(
  matches: CocoMatches,
  { area = 0, maxDets = Infinity }: { readonly area?: number; readonly maxDets?: number } = {},
): ResampledStatistic {
  const { start, image, rank, matched, truthStart, truthImage, truthCounted } = matches;
  const rows = image.length;
  const thresholds = matches.parameters.iouThresholds.length;
  const categories: {
    readonly truths: Int32Array;
    readonly finders: Int32Array;
    readonly finds: Uint8Array;
  }[] = [];
  for (let k = 0; k < matches.categories; k++) {
    const truths = truthImage
      .subarray(truthStart[k], truthStart[k + 1])
      .filter((_, i) => (truthCounted[truthStart[k]! + i]! >>> area) & 1);
    if (truths.length === 0) continue;
    const finders: number[] = [];
    const finds: number[] = [];
    for (let p = start[k]!; p < start[k + 1]!; p++) {
      const n = ones(matched[area * rows + p]!);
      if (n === 0 || rank[p]! >= maxDets) continue;
      finders.push(image[p]!);
      finds.push(n);
    }
    categories.push({ truths, finders: Int32Array.from(finders), finds: Uint8Array.from(finds) });
  }
  return {
    n: matches.images,
    evaluate(weights) {
      let sum = 0;
      let averaged = 0;
      for (const { truths, finders, finds } of categories) {
        let total = 0;
        for (let i = 0; i < truths.length; i++) total += weights[truths[i]!]!;
        if (total === 0) continue;
        let found = 0;
        for (let i = 0; i < finders.length; i++) found += weights[finders[i]!]! * finds[i]!;
        sum += found / (total * thresholds);
        averaged++;
      }
      return averaged === 0 ? null : sum / averaged;
    },
  };
}

/** Bits set in a 32-bit word. */
function ones(word: number): number {
  let n = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) n++;
  return n;
}
