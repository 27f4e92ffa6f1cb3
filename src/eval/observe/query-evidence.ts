import { basename } from "node:path";
import { z } from "zod";
import { readCocoTruth } from "../../../datasets/formats/coco-json.js";
import { UserError } from "../../pipeline/errors.js";
import { openRegular } from "../../pipeline/regular-file.js";
import { parseValue, unreadable } from "../../pipeline/schema.js";
import type { Box, Recognition } from "../../pipeline/types.js";
import { readStrictText } from "../../pipeline/strict-text.js";
import type { ImageEvidence, TruthObject } from "../metrics/end-to-end/f1-evidence.js";

/**
 * The two files that F1, waterfall and threshold calibration are computed from.
 *
 * Truth, as JSON: `{ "images": [{ "image": "a.jpg", "objects": [{ "label": "cola", "box": [x0, y0,
 * x1, y1] }] }] }`, boxes in pixels. A label of null is an object that the gallery lacks; a picture
 * with `"objects": []` shows nothing of the gallery at all. A COCO annotation file will do as well:
 * its category names are the labels.
 *
 * Observations, as JSON: the list that `shitu recognize --json` prints, or one observation a line
 * (.jsonl). An entry `{ "image", "error" }` stands for a picture that could not be read: all its
 * objects are missed.
 */
export interface TruthImage {
  readonly image: string;
  readonly truth: readonly TruthObject[];
  readonly unknown: readonly Box[];
}

/** What of an observation the metrics need. */
export interface ObservedImage {
  readonly image: string;
  /** px; 0 where the picture could not be read. */
  readonly width: number;
  readonly height: number;
  readonly recognitions: readonly Pick<Recognition, "box" | "label" | "score">[];
  readonly detections: readonly { readonly box: Box }[];
  /** Why there is no observation. */
  readonly error?: string;
}

const corner = z.number();
const boxSchema = z.strictObject({ x0: corner, y0: corner, x1: corner, y1: corner });

const truthSchema = z.strictObject({
  images: z.array(
    z.strictObject({
      image: z.string(),
      objects: z.array(
        z.strictObject({
          label: z.string().nullable(),
          box: z.tuple([corner, corner, corner, corner]),
        }),
      ),
    }),
  ),
});

// Not strict: an observation carries more (times, hits, neighbours) than is needed here.
const observationSchema = z.union([
  z.object({
    image: z.string(),
    width: z.number(),
    height: z.number(),
    detections: z.array(z.object({ box: boxSchema })),
    // JSON has no infinities: the score of a crop that found nothing is null.
    recognitions: z.array(
      z.object({ box: boxSchema, label: z.string().nullable(), score: z.number().nullable() }),
    ),
  }),
  z.object({ image: z.string(), error: z.object({ message: z.string() }) }),
]);

/**
 * Reads truth in either format.
 *
 * @param unknownLabels labels (or COCO categories) of objects that the gallery lacks.
 */
export async function readTruth(
  file: string,
  unknownLabels: readonly string[] = [],
): Promise<TruthImage[]> {
  const text = await readStrictText(file).catch((error: unknown) => {
    if (error instanceof UserError && error.code === "file-too-large") return null;
    throw error;
  });
  // No list of pictures and labels is so large, but an annotation file with outlines may be; it is
  // read in a window.
  const value = text === null ? { annotations: [] } : parseJson(text, file);
  const coco = typeof value === "object" && value !== null && "annotations" in value;
  const images = coco
    ? cocoImages(file)
    : parseValue(value, file, truthSchema).images.map((i) => ({
        image: i.image,
        objects: i.objects.map(({ label, box: [x0, y0, x1, y1] }) => ({
          label,
          box: { x0, y0, x1, y1 },
        })),
      }));
  const seen = new Map<string, number>();
  const labels = new Set<string>();
  const result = images.map(({ image, objects }, place): TruthImage => {
    const path = `images[${place}]`;
    const before = seen.get(image);
    if (before !== undefined)
      throw new UserError({
        code: "duplicate-image",
        message: `${image} is listed twice`,
        file,
        path,
        found: `also images[${before}]`,
        fix: "list each picture once, with all its objects",
      });
    seen.set(image, place);
    objects.forEach((o, i) => checkBox(o.box, file, `${path}.objects[${i}].box`));
    const known = objects.filter(
      (o): o is TruthObject => o.label !== null && !unknownLabels.includes(o.label),
    );
    for (const o of objects) if (o.label !== null) labels.add(o.label);
    return {
      image,
      truth: known,
      unknown: objects
        .filter((o) => o.label === null || unknownLabels.includes(o.label))
        .map((o) => o.box),
    };
  });
  const stray = unknownLabels.find((l) => !labels.has(l));
  if (stray !== undefined) {
    const first = [...labels].sort().slice(0, 12);
    throw new UserError({
      code: "unknown-label",
      message: `no object is labelled ${JSON.stringify(stray)}`,
      file,
      expected: `one of ${[...first, ...(labels.size > 12 ? ["…"] : [])].join(", ")}`,
      fix: "correct --unknown-label",
    });
  }
  return result;
}

function cocoImages(
  file: string,
): { image: string; objects: { label: string | null; box: Box }[] }[] {
  const { images, categories, image, category, box, crowd } = readCocoTruth(file);
  const result = images.map((i) => ({
    image: i.fileName ?? String(i.id),
    objects: [] as { label: string | null; box: Box }[],
  }));
  image.forEach((i, g) => {
    if (crowd[g]) return; // a region of many objects has no one label
    const [x, y, w, h] = [box[4 * g]!, box[4 * g + 1]!, box[4 * g + 2]!, box[4 * g + 3]!];
    result[i]!.objects.push({
      label: categories[category[g]!]!.name,
      box: { x0: x, y0: y, x1: x + w, y1: y + h },
    });
  });
  return result;
}

/** Reads observations, from JSON or JSON lines. */
export async function readObservations(file: string): Promise<ObservedImage[]> {
  const entries = file.endsWith(".jsonl")
    ? await linesOf(file)
    : list(parseJson(await readStrictText(file), file), file).map((value, i) => ({
        path: `[${i}]`,
        value,
      }));
  const seen = new Map<string, string>();
  return entries.map(({ path, value }): ObservedImage => {
    const o = within(path, file, () => parseValue(value, file, observationSchema));
    const before = seen.get(o.image);
    if (before !== undefined)
      throw new UserError({
        code: "duplicate-image",
        message: `${o.image} was observed twice`,
        file,
        path,
        found: `also ${before}`,
        fix: "keep one observation a picture",
      });
    seen.set(o.image, path);
    if ("error" in o)
      return {
        image: o.image,
        width: 0,
        height: 0,
        recognitions: [],
        detections: [],
        error: o.error.message,
      };
    const recognitions = o.recognitions.map(({ box, label, score }, i) => {
      const at = `${path}.recognitions[${i}]`;
      checkBox(box, file, `${at}.box`);
      if (label !== null && score === null)
        throw new UserError({
          code: "score-missing",
          message: "a label without a score",
          file,
          path: `${at}.score`,
          expected: "a finite number",
          found: "null",
          fix: "write the score, or null for both",
        });
      return { box, label, score: score ?? 0 };
    });
    return {
      image: o.image,
      width: o.width,
      height: o.height,
      recognitions,
      detections: o.detections,
    };
  });
}

/** What the two files say together. */
export interface QueryEvidence {
  readonly images: readonly ImageEvidence[];
  /** In the order of `images`; null where a picture was not observed. */
  readonly observed: readonly (ObservedImage | null)[];
  /** Pictures that were not observed, whose objects count as missed. */
  readonly unobserved: readonly { readonly image: string; readonly why: string }[];
}

/**
 * Joins truth and observations by picture.
 *
 * @param byFileName compares the last part of paths only, for lists that name pictures from
 * different folders.
 * @param allowMissing counts a picture without an observation as seen and found empty.
 * @throws UserError `observation-unknown`, `observation-missing`, `duplicate-image`.
 */
export function joinEvidence(
  truth: readonly TruthImage[],
  observations: readonly ObservedImage[],
  files: { readonly truth: string; readonly observations: string },
  {
    byFileName = false,
    allowMissing = false,
  }: { byFileName?: boolean; allowMissing?: boolean } = {},
): QueryEvidence {
  if (truth.length === 0)
    throw new UserError({
      code: "empty-truth",
      message: "lists no picture",
      file: files.truth,
      path: "images",
      fix: "list the query pictures",
    });
  const key = (image: string): string => (byFileName ? basename(image) : image);
  const places = index(truth, key, files.truth);
  const byKey = new Map(observations.map((o) => [key(o.image), o]));
  index(observations, key, files.observations);
  const hint = byFileName
    ? "list it in the truth (with no objects if it shows none)"
    : "list it in the truth (with no objects if it shows none); --by-file-name ignores folders";
  const stray = observations.filter((o) => !places.has(key(o.image)));
  if (stray.length > 0)
    throw new UserError({
      code: "observation-unknown",
      message: `${stray.length} of ${observations.length} observed pictures are not in the truth`,
      file: files.observations,
      found: stray[0]!.image,
      expected: `a picture such as ${truth[0]!.image}`,
      fix: hint,
    });
  const observed = truth.map((t) => byKey.get(key(t.image)) ?? null);
  const missing = truth.filter((_, i) => observed[i] === null);
  if (missing.length > 0 && !allowMissing)
    throw new UserError({
      code: "observation-missing",
      message: `${missing.length} of ${truth.length} pictures were not observed`,
      file: files.observations,
      found: `nothing for ${missing[0]!.image}`,
      fix: "recognise them too; --allow-missing counts their objects as missed",
    });
  return {
    observed,
    images: truth.map(({ image, truth: objects, unknown }, i) => ({
      image,
      truth: objects,
      unknown,
      recognitions: observed[i]?.recognitions ?? [],
    })),
    unobserved: truth.flatMap(({ image }, i) => {
      const o = observed[i];
      const why = o ? o.error : "not observed";
      return why === undefined ? [] : [{ image, why }];
    }),
  };
}

function index(
  list_: readonly { readonly image: string }[],
  key: (image: string) => string,
  file: string,
): Map<string, number> {
  const places = new Map<string, number>();
  list_.forEach(({ image }, i) => {
    const before = places.get(key(image));
    if (before !== undefined)
      throw new UserError({
        code: "duplicate-image",
        message: `${image} and ${list_[before]!.image} have one file name`,
        file,
        fix: "do not join by file name",
      });
    places.set(key(image), i);
  });
  return places;
}

function checkBox(box: Box, file: string, path: string): void {
  // A crop that covers no pixel is the pipeline's own and harmless; one turned inside out is a
  // mix-up of formats.
  if (box.x1 >= box.x0 && box.y1 >= box.y0) return;
  throw new UserError({
    code: "box-inside-out",
    message: "a box whose second corner lies before its first",
    file,
    path,
    expected: "x0, y0, x1, y1",
    found: `${box.x0}, ${box.y0}, ${box.x1}, ${box.y1}`,
    fix: "write corners, not width and height",
  });
}

/** Line by line, so that the whole file may be larger than the longest string. */
async function linesOf(file: string): Promise<{ path: string; value: unknown }[]> {
  const handle = await openRegular(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  const entries: { path: string; value: unknown }[] = [];
  let number = 0;
  try {
    for await (const line of handle.readLines()) {
      const path = `line ${++number}`;
      if (line.trim() !== "") entries.push({ path, value: parseJson(line, file, path) });
    }
  } catch (error) {
    throw error instanceof UserError ? error : unreadable(file, error);
  } finally {
    await handle.close();
  }
  return entries;
}

function parseJson(text: string, file: string, path?: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(
      {
        code: "json-syntax",
        message: (error as Error).message,
        file,
        ...(path !== undefined && { path }),
        fix: "mend the JSON there",
      },
      { cause: error },
    );
  }
}

function list(value: unknown, file: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new UserError({
    code: "schema",
    message: "expected a list of observations",
    file,
    path: "(top level)",
    found: value === null ? "null" : typeof value,
    fix: "give what `shitu recognize --json` prints, or one observation a line in a .jsonl file",
  });
}

/** Puts the entry's place before the path of what went wrong in it. */
function within<T>(entry: string, file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { path } = error.complaint;
    throw new UserError(
      {
        ...error.complaint,
        file,
        path: path === undefined || path === "(top level)" ? entry : `${entry}.${path}`,
      },
      { cause: error },
    );
  }
}
