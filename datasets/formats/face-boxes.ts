import type { CocoTruth } from "./coco-set.js";
import { TruthBuilder } from "./coco-truth-builder.js";
import { readIcartoonFaceBoxes } from "./csv.js";

/**
 * iCartoonFace's detection annotations (`readIcartoonFaceBoxes`) as a truth of one class, pictures
 * in the order of their names. The csv states no sizes of pictures: they are 0.
 *
 * @param every of the pictures each so-manieth: the release names no part that is held out.
 */
export async function readFaceTruth(file: string, every = 1): Promise<CocoTruth> {
  const boxes = await readIcartoonFaceBoxes(file);
  const names = [...new Set(boxes.map((b) => b.path))].sort();
  const builder = new TruthBuilder(file);
  builder.addCategory(1, "face");
  const ids = new Map(everyNth(names, every).map((name, i) => [name, i + 1]));
  for (const [name, id] of ids) builder.addImage(id, 0, 0, name);
  let place = 0;
  for (const { path, box } of boxes) {
    const image = ids.get(path);
    if (image === undefined) continue;
    const { x0, y0, x1, y1 } = box;
    const [width, height] = [x1 - x0, y1 - y0];
    builder.addBox(++place, image, 1, x0, y0, width, height, width * height, false, false);
  }
  return builder.build();
}

/** The last of each `every` items. */
export function everyNth<T>(items: readonly T[], every: number): T[] {
  return items.filter((_, i) => (i + 1) % every === 0);
}
