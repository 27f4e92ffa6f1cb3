import type { Box } from "./types.js";

/**
 * Area in square pixels. With `plusOne` the corners count as pixels that belong to the box, as in
 * PaddleClas: (w + 1) x (h + 1).
 */
export function area({ x0, y0, x1, y1 }: Box, plusOne = false): number {
  if (x1 < x0 || y1 < y0) return 0;
  const more = plusOne ? 1 : 0;
  return (x1 - x0 + more) * (y1 - y0 + more);
}

/** The part that two boxes share; null where they share no area. */
export function intersection(a: Box, b: Box): Box | null {
  const both = {
    x0: Math.max(a.x0, b.x0),
    y0: Math.max(a.y0, b.y0),
    x1: Math.min(a.x1, b.x1),
    y1: Math.min(a.y1, b.y1),
  };
  return both.x1 > both.x0 && both.y1 > both.y0 ? both : null;
}

/**
 * Intersection over union, 0 to 1. `plusOne` counts as in `area`. Of a box without area 1 with
 * itself, else 0: an object that was answered exactly is found, however thin.
 */
export function iou(a: Box, b: Box, plusOne = false): number {
  const more = plusOne ? 1 : 0;
  const width = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0) + more;
  const height = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0) + more;
  if (width <= 0 || height <= 0)
    return a.x0 === b.x0 && a.y0 === b.y0 && a.x1 === b.x1 && a.y1 === b.y1 ? 1 : 0;
  const shared = width * height;
  const union = area(a, plusOne) + area(b, plusOne) - shared;
  return union > 0 ? shared / union : 0;
}

/**
 * The part of a box inside a picture of `width` x `height`, the box itself where that is all of it;
 * of no area where the box lies outside.
 */
export function clip(box: Box, width: number, height: number): Box {
  const x0 = within(box.x0, width);
  const y0 = within(box.y0, height);
  const x1 = within(box.x1, width);
  const y1 = within(box.y1, height);
  return x0 === box.x0 && y0 === box.y0 && x1 === box.x1 && y1 === box.y1
    ? box
    : { x0, y0, x1, y1 };
}

function within(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

export interface SuppressOptions {
  /** Count boxes as PaddleClas does: see `area`. */
  readonly plusOne?: boolean;
  /** Which scores are good ones: high ones (the default), or low ones, as Hamming distances. */
  readonly order?: "descending" | "ascending";
  /**
   * Which of equal scores goes first: the earlier box (the default), or the later one, as NumPy's
   * reversed argsort in PaddleClas has it.
   */
  readonly ties?: "first" | "last";
}

/**
 * Greedy non-maximum suppression: takes boxes from the best score down, and drops every box whose
 * IoU with a box already taken is above `threshold`. An IoU equal to it is kept. Source:
 * `nms_to_rec_results` of PaddleClas, `NMSFast` of Paddle.
 *
 * @returns the places of the boxes that stay, best first.
 * @throws RangeError where there are not as many scores as boxes, or a score is NaN.
 */
export function suppress(
  boxes: readonly Box[],
  scores: ArrayLike<number>,
  threshold: number,
  options: SuppressOptions = {},
): number[] {
  const { plusOne = false, order = "descending", ties = "first" } = options;
  if (scores.length !== boxes.length)
    throw new RangeError(`${scores.length} scores for ${boxes.length} boxes`);
  const queue = boxes.map((_, i) => i);
  if (queue.some((i) => Number.isNaN(scores[i]!))) throw new RangeError("a score is NaN");
  // Compared, not subtracted: the difference of two infinities is NaN.
  const better = (i: number, j: number): boolean =>
    order === "descending" ? scores[i]! > scores[j]! : scores[i]! < scores[j]!;
  const tie = ties === "first" ? 1 : -1;
  queue.sort((i, j) => (scores[i] === scores[j] ? tie * (i - j) : better(i, j) ? -1 : 1));
  const kept: number[] = [];
  for (const i of queue) {
    if (kept.every((k) => iou(boxes[i]!, boxes[k]!, plusOne) <= threshold)) kept.push(i);
  }
  return kept;
}
