import type { CocoDetections, CocoTruth } from "../../../datasets/formats/coco-set.js";
import { identity, orderByFallingScore, orderByKey } from "./coco-order.js";

/** The P best detections of each image and category; see CocoMatches. */
export interface RankedDetections {
  readonly start: Int32Array;
  readonly image: Int32Array;
  readonly detection: Int32Array;
  readonly score: Float64Array;
  readonly rank: Int32Array;
  /** The same rows by category, image, and then falling score. */
  readonly byImage: Int32Array;
}

/** Keeps the `most` best detections of each image and category (of each image, when class-agnostic), in pycocotools' order. */
export function rankDetections(truth: CocoTruth, detections: CocoDetections, agnostic: boolean, most: number): RankedDetections {
  const n = detections.score.length;
  const images = truth.images.length;
  const own = truth.categories.length;
  const categories = agnostic ? 1 : own;
  let order = identity(n);
  // Ties keep the order of images and, class-agnostic, of categories within one, as pycocotools joins its lists.
  if (agnostic) order = orderByKey(order, detections.category, own);
  order = orderByFallingScore(orderByKey(order, detections.image, images), detections.score);
  const category = agnostic ? new Int32Array(n) : detections.category;
  if (!agnostic) order = orderByKey(order, category, own);
  const grouped = orderByKey(orderByKey(order, detections.image, images), category, categories);

  // By image, the surplus over maxDets is seen; then rows are numbered in the order of scores.
  const place = new Int32Array(n);
  let count = 0;
  for (let i = 0, rank = 0; i < n; i++) {
    const row = grouped[i]!;
    const before = i > 0 ? grouped[i - 1]! : -1;
    rank = before >= 0 && detections.image[before] === detections.image[row] && category[before] === category[row] ? rank + 1 : 0;
    place[row] = rank < most ? rank : -1;
    if (rank < most) count++;
  }
  const start = new Int32Array(categories + 1);
  const image = new Int32Array(count);
  const detection = new Int32Array(count);
  const score = new Float64Array(count);
  const rank = new Int32Array(count);
  for (let i = 0, p = 0; i < n; i++) {
    const row = order[i]!;
    if (place[row]! < 0) continue;
    start[category[row]! + 1]!++;
    image[p] = detections.image[row]!;
    detection[p] = row;
    score[p] = detections.score[row]!;
    rank[p] = place[row]!;
    place[row] = p++;
  }
  for (let k = 0; k < categories; k++) start[k + 1]! += start[k]!;
  let byImage = grouped;
  if (count < n) byImage = grouped.filter((row) => place[row]! >= 0);
  for (let i = 0; i < count; i++) byImage[i] = place[byImage[i]!]!;
  return { start, image, detection, score, rank, byImage };
}
