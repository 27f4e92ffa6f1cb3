/** Detection sets from plain objects, with the checks of the file readers. */
import { notABox } from "./coco-checks.js";
import { DetectionsBuilder } from "./coco-detections-builder.js";
import type {
  CocoDetections,
  CocoTruth,
  DetectionRecord,
  Leniency,
  TruthRecord,
} from "./coco-set.js";
import { TruthBuilder } from "./coco-truth-builder.js";

/** A truth from plain records, with the checks of the file readers. `where` is named in errors. */
export function truthFromRecords(
  set: {
    readonly images: readonly {
      readonly id: number | string;
      readonly width?: number;
      readonly height?: number;
      readonly file_name?: string;
    }[];
    readonly categories: readonly { readonly id: number; readonly name?: string }[];
    readonly annotations: readonly TruthRecord[];
  },
  where = "truth",
  leniency: Leniency = {},
): CocoTruth {
  const builder = new TruthBuilder(where, leniency);
  for (const image of set.images)
    builder.addImage(image.id, image.width ?? 0, image.height ?? 0, image.file_name ?? null);
  for (const category of set.categories)
    builder.addCategory(category.id, category.name ?? String(category.id));
  set.annotations.forEach((a, i) => {
    const [x, y, width, height] = boxOf(a.bbox, where, `annotations[${i}].bbox`);
    builder.addBox(
      a.id,
      a.image_id,
      a.category_id,
      x,
      y,
      width,
      height,
      a.area ?? NaN,
      Boolean(a.iscrowd),
      Boolean(a.ignore),
    );
  });
  return builder.build();
}

/**
 * Detections from plain records, with the checks of the file readers. `where` is named in errors.
 */
export function detectionsFromRecords(
  truth: CocoTruth,
  records: readonly DetectionRecord[],
  where = "detections",
  leniency: Leniency = {},
): CocoDetections {
  const builder = new DetectionsBuilder(where, truth, leniency, records.length);
  records.forEach((d, i) => {
    const [x, y, width, height] = boxOf(d.bbox, where, `[${i}].bbox`);
    builder.add(d.image_id, d.category_id, x, y, width, height, d.score);
  });
  return builder.build();
}

function boxOf(
  box: readonly number[],
  file: string,
  path: string,
): [number, number, number, number] {
  // In a loop of 100 boxes a picture: no callback.
  if (
    box.length !== 4 ||
    !(
      Number.isFinite(box[0]) &&
      Number.isFinite(box[1]) &&
      Number.isFinite(box[2]) &&
      Number.isFinite(box[3])
    )
  )
    throw notABox(file, path, JSON.stringify(box));
  return box as unknown as [number, number, number, number];
}
