import type { CocoDetections, CocoTruth } from "../../../../datasets/formats/coco-set.js";
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

/**
 * Keeps the `most` best detections of each image and category (of each image, when class-agnostic),
 * in pycocotools' order.
 */
export function rankDetections(
  truth: CocoTruth,
  detections: CocoDetections,
  agnostic: boolean,
  most: number,
): RankedDetections {
  const n = detections.score.length;
  const images = truth.images.length;
  const own = truth.categories.length;
  const categories = agnostic ? 1 : own;
  let order = identity(n);
  // Ties keep the order of images and, class-agnostic, of categories within one, as pycocotools
  // joins its lists.
  if (agnostic) order = orderByKey(order, detections.category, own);
  order = orderByFallingScore(orderByKey(order, detections.image, images), detections.score);
  const sorted = new Int32Array(categories + 1);
  if (agnostic) sorted[1] = n;
  else order = orderByKey(order, detections.category, own, sorted);

  const start = new Int32Array(categories + 1);
  const image = new Int32Array(n);
  const detection = new Int32Array(n);
  const score = new Float64Array(n);
  const rank = new Int32Array(n);
  const category = new Int32Array(n);
  const seen = new Int32Array(images);
  let count = 0;
  for (let k = 0; k < categories; k++) {
    seen.fill(0);
    for (let i = sorted[k]!; i < sorted[k + 1]!; i++) {
      const row = order[i]!;
      const place = seen[detections.image[row]!]!++;
      if (place >= most) continue;
      image[count] = detections.image[row]!;
      detection[count] = row;
      score[count] = detections.score[row]!;
      rank[count] = place;
      category[count++] = k;
    }
    start[k + 1] = count;
  }
  let byImage = orderByKey(identity(count), image, images);
  if (categories > 1) byImage = orderByKey(byImage, category, categories);
  return {
    start,
    image: image.subarray(0, count),
    detection: detection.subarray(0, count),
    score: score.subarray(0, count),
    rank: rank.subarray(0, count),
    byImage,
  };
}
