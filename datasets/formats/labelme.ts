import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError, unreadable } from "../../src/pipeline/errors.js";
import { parseValue } from "../../src/pipeline/schema.js";
import { readStrictText } from "../../src/pipeline/strict-text.js";
import type { Note } from "./coco-set.js";
import type { NamedBox, NamedBoxes, NamedImage } from "./named-boxes.js";

const point = z.tuple([z.number(), z.number()]);
const annotation = z.looseObject({
  shapes: z.array(
    z.looseObject({
      label: z.string().min(1),
      points: z.array(point).min(1),
      shape_type: z.string().default("polygon"),
      score: z.number().nullish(),
      difficult: z.boolean().nullish(),
    }),
  ),
  imagePath: z.string().nullish(),
  imageWidth: z.number().nullish(),
  imageHeight: z.number().nullish(),
});

/**
 * Reads a folder of LabelMe's annotations, one JSON file a picture: rectangles as boxes, other
 * outlines as the boxes around them with their own area; points and lines are counted and left out.
 * A shape's `score` (X-AnyLabeling) makes it a detection.
 *
 * @throws UserError `file-unreadable`, `json-syntax`, `schema` with file and key.
 */
export async function readLabelMe(folder: string): Promise<NamedBoxes> {
  const entries = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  const images: NamedImage[] = [];
  const boxes: NamedBox[] = [];
  const left: string[] = [];
  for (const name of entries.filter((n) => n.endsWith(".json")).sort()) {
    const file = join(folder, name);
    const read = parseValue(await readJson(file), file, annotation);
    const path = (read.imagePath ?? name.slice(0, -".json".length)).replaceAll("\\", "/");
    // Written from where the annotations are; pictures are looked up under their own root.
    const image = path.replace(/^(?:\.{1,2}\/)+/, "");
    images.push({ name: image, width: read.imageWidth ?? 0, height: read.imageHeight ?? 0 });
    read.shapes.forEach((shape, i) => {
      const at = `${file} shapes[${i}]`;
      const outline = outlineOf(shape);
      if (outline === null) left.push(at);
      else
        boxes.push({
          ...{ image, label: shape.label, at, score: shape.score ?? null },
          ...outline,
          ignore: shape.difficult === true,
        });
    });
  }
  const message = "shapes of no area (points, lines), left out";
  const notes: Note[] =
    left.length === 0 ? [] : [{ code: "no-area", message, count: left.length, first: left[0]! }];
  return { file: folder, images, classes: null, boxes, relative: false, notes };
}

const areas = new Set(["rectangle", "polygon", "rotation", "mask"]);

function outlineOf({
  points,
  shape_type: type,
}: {
  points: readonly (readonly [number, number])[];
  shape_type: string;
}): Pick<NamedBox, "box" | "area"> | null {
  if (!areas.has(type) || points.length < 2) return null;
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const box = [left, top, Math.max(...xs) - left, Math.max(...ys) - top] as const;
  if (type === "rectangle" || points.length < 3) return { box };
  // The shoelace formula.
  const twice = points.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
  return { box, area: Math.abs(twice) / 2 };
}

export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readStrictText(file)) as unknown;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const found = (error as Error).message;
    const complaint = { code: "json-syntax", message: "not JSON", file, found };
    throw new UserError(complaint, { cause: error });
  }
}
