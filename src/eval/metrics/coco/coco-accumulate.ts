import type { CocoMatches } from "./coco-matching.js";

/**
 * Precision and recall of one area range and one maxDets: T IoU thresholds, R recall thresholds, K
 * categories.
 */
export interface CocoSlice {
  /**
   * T x R x K: the best precision at this recall or above; 0 where it is not reached. Meaningless
   * where truths[k] is 0.
   */
  readonly precision: Float64Array;
  /**
   * T x R x K: the score of the detection at which the recall is reached; 0 where it is not. Null
   * unless asked for.
   */
  readonly scores: Float64Array | null;
  /** T x K: the final recall. */
  readonly recall: Float64Array;
  /** K: true boxes that count. A category without any has no precision and no recall. */
  readonly truths: Int32Array;
}

/** numpy.spacing(1), which pycocotools adds to denominators. */
export const epsilon = 2 ** -52;

/**
 * Turns matches into precision at 101 recalls, as pycocotools' COCOeval.accumulate does.
 *
 * Only true positives raise recall, and between two of them precision only falls, so that precision
 * is computed at them alone.
 *
 * @param area index into parameters.areas
 * @param maxDets detections kept of each image and category
 */
export function accumulateCoco(
  matches: CocoMatches,
  area: number,
  maxDets: number,
  { scores: withScores = false } = {},
): CocoSlice {
  const { parameters, categories, start, score, rank } = matches;
  const rows = score.length;
  const matched = matches.matched.subarray(area * rows, (area + 1) * rows);
  const ignored = matches.ignored.subarray(area * rows, (area + 1) * rows);
  const thresholds = parameters.iouThresholds.length;
  const { recallThresholds } = parameters;
  const recalls = recallThresholds.length;
  const everywhere = 2 ** thresholds - 1;

  const precision = new Float64Array(thresholds * recalls * categories);
  const scores = withScores ? new Float64Array(thresholds * recalls * categories) : null;
  const recall = new Float64Array(thresholds * categories);
  const truthCounts = countTruths(matches, area);
  // T x (as many as one category can have): precision and row of each true positive.
  const most = truthCounts.reduce((a, b) => Math.max(a, b), 0);
  const precisionAt = new Float64Array(thresholds * most);
  const rowAt = new Int32Array(thresholds * most);
  const hits = new Int32Array(thresholds);
  const passes = new Int32Array(thresholds);

  for (let k = 0; k < categories; k++) {
    const truths = truthCounts[k]!;
    if (truths === 0) continue;
    hits.fill(0);
    passes.fill(0);
    let seen = 0;
    let first = -1;
    for (let p = start[k]!; p < start[k + 1]!; p++) {
      if (rank[p]! >= maxDets) continue;
      if (first < 0) first = p;
      const hit = matched[p]!;
      const pass = ignored[p]!;
      if (pass === everywhere) continue;
      seen++;
      if ((hit | pass) === 0) continue;
      for (let t = 0; t < thresholds; t++) {
        if ((pass >>> t) & 1) passes[t]!++;
        else if ((hit >>> t) & 1) {
          const at = t * most + hits[t]!;
          const n = ++hits[t]!;
          precisionAt[at] = n / (seen - passes[t]! + epsilon);
          rowAt[at] = p;
        }
      }
    }
    for (let t = 0; t < thresholds; t++) {
      const n = hits[t]!;
      const base = t * most;
      recall[t * categories + k] = n / truths;
      for (let i = base + n - 1; i > base; i--)
        if (precisionAt[i]! > precisionAt[i - 1]!) precisionAt[i - 1] = precisionAt[i]!;
      for (let r = 0, i = 0; r < recalls; r++) {
        const wanted = recallThresholds[r]!;
        const to = (t * recalls + r) * categories + k;
        if (wanted <= 0) {
          // Recall 0 is reached by the very first detection, true or not.
          precision[to] = n > 0 ? precisionAt[base]! : 0;
          if (scores && first >= 0) scores[to] = score[first]!;
          continue;
        }
        while (i < n && (i + 1) / truths < wanted) i++;
        if (i === n) break;
        precision[to] = precisionAt[base + i]!;
        if (scores) scores[to] = score[rowAt[base + i]!]!;
      }
    }
  }
  return { precision, scores, recall, truths: truthCounts };
}

/** True boxes that count in an area range, by category. */
export function countTruths(matches: CocoMatches, area: number): Int32Array {
  const counts = new Int32Array(matches.categories);
  for (let k = 0; k < matches.categories; k++) {
    for (let g = matches.truthStart[k]!; g < matches.truthStart[k + 1]!; g++)
      counts[k]! += (matches.truthCounted[g]! >>> area) & 1;
  }
  return counts;
}
