import type { CocoTruth } from "../../../datasets/formats/coco-set.js";
import { iou } from "../../pipeline/box.js";
import type { Box } from "../../pipeline/types.js";

/**
 * Matches what was found with what is there, one to one and greedily: each find, in order (the best
 * first), takes the free object that it overlaps most, at `least` or more; of equal overlaps the
 * earlier object.
 *
 * @param overlap of find f and object o, 0 to 1; 0 where the two may not match.
 * @returns for each find its object's place, or -1.
 */
export function matchGreedily(
  finds: number,
  objects: number,
  overlap: (find: number, object: number) => number,
  least: number,
): Int32Array {
  const taken = new Uint8Array(objects);
  return new Int32Array(finds).map((_, find) => {
    let best = -1;
    let most = 0;
    for (let object = 0; object < objects; object++) {
      if (taken[object]) continue;
      const shared = overlap(find, object);
      if (shared >= least && shared > most) [best, most] = [object, shared];
    }
    if (best >= 0) taken[best] = 1;
    return best;
  });
}

/** From this IoU on a box finds an object: what AP50 asks. */
const findingIou = 0.5;

/** For each box, best first, the place of the object that it finds at IoU 0.5 or more, or -1. */
export function foundObjects(
  boxes: readonly { readonly box: Box }[],
  objects: readonly Box[],
): Int32Array {
  const overlap = (f: number, o: number): number => iou(boxes[f]!.box, objects[o]!);
  return matchGreedily(boxes.length, objects.length, overlap, findingIou);
}

/** True boxes of each picture, crowds left out. */
export function objectsByImage(truth: CocoTruth): Box[][] {
  const boxes: Box[][] = truth.images.map(() => []);
  truth.image.forEach((image, g) => {
    if (truth.crowd[g] === 1) return;
    const [x = 0, y = 0, width = 0, height = 0] = truth.box.subarray(4 * g, 4 * g + 4);
    boxes[image]!.push({ x0: x, y0: y, x1: x + width, y1: y + height });
  });
  return boxes;
}
