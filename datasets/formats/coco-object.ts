import { z } from "zod";
import { parseValue } from "../../src/pipeline/schema.js";
import { readJson } from "./labelme.js";
import type { NamedBox, NamedBoxes } from "./named-boxes.js";

const id = z.union([z.number(), z.string()]);
const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const object = z.looseObject({
  images: z.array(z.looseObject({ id, file_name: z.string().nullish() })),
  categories: z.array(z.looseObject({ id, name: z.string() })),
  annotations: z.array(
    z.looseObject({
      image_id: id,
      category_id: id,
      bbox: box,
      score: z.number().nullish(),
    }),
  ),
});

/**
 * Reads detections written as a whole COCO object whose annotations have scores, with images and
 * categories of their own numbering, as CVAT, FiftyOne and Label Studio export them.
 *
 * @throws UserError `file-unreadable`, `json-syntax`, `schema` with the key.
 */
export async function readCocoObject(file: string): Promise<NamedBoxes> {
  const read = parseValue(await readJson(file), file, object);
  const names = new Map(read.images.map((i) => [i.id, i.file_name ?? String(i.id)]));
  const labels = new Map(read.categories.map((c) => [c.id, c.name]));
  const boxes = read.annotations.map((a, i): NamedBox => ({
    image: names.get(a.image_id) ?? String(a.image_id),
    label: labels.get(a.category_id) ?? String(a.category_id),
    box: a.bbox,
    score: a.score ?? null,
    at: `annotations[${i}]`,
  }));
  const message = "detections, found by file name and by category name";
  return {
    ...{ file, boxes, classes: null, relative: false },
    images: [...names.values()].map((name) => ({ name, width: 0, height: 0 })),
    notes: [{ code: "name-matched", message, count: boxes.length, first: "annotations[0]" }],
  };
}
