import type { CocoTruth, Note } from "../../../../datasets/formats/coco-set.js";
import type { CocoParameters } from "./coco-parameters.js";

/**
 * What the limit of detections a picture leaves out of reach: where a picture holds more true boxes
 * of a category than detections are kept of it, the rest cannot be found, whatever the detector
 * says. Bounds AP by a precision of 1 up to the best recall, at COCO's 101 recalls.
 *
 * @returns a note, or none where the limit binds nowhere.
 */
export function boundByDetections(
  truth: Pick<CocoTruth, "images" | "categories" | "image" | "category" | "crowd" | "ignore">,
  { maxDets, agnostic, honourIgnore, recallThresholds }: CocoParameters,
): Note[] {
  const most = maxDets.at(-1)!;
  const categories = agnostic ? 1 : truth.categories.length;
  const held = new Map<number, number>();
  truth.image.forEach((image, g) => {
    if (truth.crowd[g] === 1 || (honourIgnore && truth.ignore[g] === 1)) return;
    const group = image * categories + (agnostic ? 0 : truth.category[g]!);
    held.set(group, (held.get(group) ?? 0) + 1);
  });
  const there = new Float64Array(categories);
  const reachable = new Float64Array(categories);
  const full = new Set<number>();
  let first = -1;
  for (const [group, count] of held) {
    there[group % categories]! += count;
    reachable[group % categories]! += Math.min(count, most);
    if (count <= most) continue;
    const image = Math.floor(group / categories);
    if (full.size === 0) first = image;
    full.add(image);
  }
  if (full.size === 0) return [];
  const counted = Array.from(there.keys()).filter((k) => there[k]! > 0);
  const bounds = counted.map((k) => {
    const recall = reachable[k]! / there[k]!;
    return recallThresholds.filter((r) => r <= recall).length / recallThresholds.length;
  });
  const bound = bounds.reduce((sum, b) => sum + b, 0) / bounds.length;
  const what = agnostic ? "true boxes" : "true boxes of a category";
  return [
    {
      code: "detections-bound",
      message:
        `pictures hold more than ${most} ${what}, and ${most} detections of a picture count: ` +
        `AP is at most ${bound.toFixed(2)}`,
      count: full.size,
      first: `image ${truth.images[first]!.fileName ?? truth.images[first]!.id}`,
    },
  ];
}
