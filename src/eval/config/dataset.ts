import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { readClassFolders } from "../../../datasets/formats/class-folders.js";
import { vocFiles } from "../../../datasets/formats/voc-xml.js";
import { UserError } from "../../pipeline/errors.js";
import { readYaml, unreadable } from "../../pipeline/schema.js";
import { readRegular } from "../../pipeline/regular-file.js";
import { resolvePath } from "./config.js";

/**
 * Data set manifests: what a folder of pictures is, where its lists are, and how it is to be
 * evaluated.
 */

/** A path, or several of which the first that is there is taken: releases differ in layout. */
type Place = z.ZodType<string, string | string[]>;

function listSchema(place: Place) {
  return z.strictObject({
    list: place.describe(
      "PaddleClas list: path<delimiter>label[<delimiter>uid], that of a release, csv whose " +
        "header names path and label, or a folder with a folder a class",
    ),
    delimiter: z.enum(["tab", "space", "auto"]).default("auto"),
    images: place.optional().describe("image root, where it differs from the data set's"),
  });
}

function boxesSchema(place: Place) {
  const every = z
    .number()
    .int()
    .positive()
    .default(1)
    .describe("of the pictures each so-manieth, where a release names no part that is held out");
  return z.discriminatedUnion("format", [
    z.strictObject({ format: z.literal("coco-json"), path: place }),
    z.strictObject({ format: z.literal("icartoonface-csv"), path: place, every }),
    z.strictObject({
      format: z.literal("voc-xml"),
      path: place,
      every,
      /** Whether xmax is the last pixel, counted from 1, or a coordinate; see `readVocTruth`. */
      boxes: z.enum(["auto", "inclusive", "as-is"]).default("auto"),
    }),
    z.strictObject({
      format: z.enum(["yolo", "labelme", "cvat-xml", "openimages-csv"]),
      path: place.describe("folder of yolo's and labelme's files, else the file"),
    }),
  ]);
}

/** The row of the paper's Table 1 or 2 that states how many pictures and classes there are. */
const stated = z.strictObject({ table: z.number().int().min(1).max(2), row: z.string() });

function schemaOf(place: Place) {
  const list = listSchema(place);
  const annotations = boxesSchema(place);
  const head = {
    schema: z.literal(1),
    name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, {
      error: "expected kebab-case: lower case letters, digits, dashes",
    }),
    title: z.string(),
    version: z.number().int().positive(),
    licence: z.string(),
    origin: z.string(),
    images: place.describe("image root"),
    stated: stated.optional(),
    training: list.optional().describe("what models were trained on: counted, never evaluated"),
  };
  return z.discriminatedUnion("task", [
    z.strictObject({
      ...head,
      task: z.literal("recognition"),
      evaluation: z.enum(["leave-one-out", "query-gallery"]),
      /**
       * What the third column of the lists means: `uid` excludes the query itself, `camera` is the
       * junk rule.
       */
      identity: z.enum(["none", "uid", "camera"]).default("none"),
      gallery: list,
      query: list.optional(),
    }),
    z.strictObject({ ...head, task: z.literal("detection"), annotations }),
    /** Query scenes with boxes and labels, searched in a gallery of its own: end to end. */
    z.strictObject({
      ...head,
      task: z.literal("pipeline"),
      gallery: list,
      annotations,
      /** Category of objects that the gallery does not hold: an answer to one is a false accept. */
      unknown: z.string().optional(),
    }),
    z.strictObject({
      ...head,
      task: z.literal("classification"),
      validation: list.describe(
        "labels are names of the model's classes, or their numbers as the models were trained",
      ),
      names: place
        .optional()
        .describe("file of the classes' names, one a line: what the numbers of the list mean"),
      firstClass: z.number().int().min(0).max(1).default(0).describe("number of the first class"),
    }),
  ]);
}

type List = z.infer<ReturnType<typeof listSchema>>;
type Boxes = z.infer<ReturnType<typeof boxesSchema>>;
type Manifest = z.infer<ReturnType<typeof schemaOf>>;

export type DatasetManifest = Manifest & {
  /** The manifest's own path. */
  readonly file: string;
  /** Hash of the manifest and of the lists it names; the pictures have hashes of their own. */
  readonly hash: string;
};
export type RecognitionDataset = Extract<DatasetManifest, { task: "recognition" }>;
export type DetectionDataset = Extract<DatasetManifest, { task: "detection" }>;
export type PipelineDataset = Extract<DatasetManifest, { task: "pipeline" }>;
export type ClassificationDataset = Extract<DatasetManifest, { task: "classification" }>;

/** A manifest with absolute paths, nothing of what it names read. */
type PlacedManifest = Manifest & { readonly file: string };

/** Reads a manifest, fills in settings and makes its paths absolute. */
export async function loadDataset(
  file: string,
  settings: Readonly<Record<string, string | null>>,
): Promise<DatasetManifest> {
  const placed = await placeDataset(file, settings);
  const hash = createHash("sha256").update(await readRegular(placed.file));
  for (const part of partsOf(placed)) hash.update(await contentOf(part));
  return { ...placed, hash: hash.digest("hex") };
}

/** The same without a look at the lists and annotations: they may be missing. */
export async function placeDataset(
  file: string,
  settings: Readonly<Record<string, string | null>>,
): Promise<PlacedManifest> {
  const path = resolve(file);
  const folder = dirname(path);
  const place = (p: string): string => resolvePath(p, folder, settings, file);
  const raw = await readYaml(path, schemaOf(placeSchema(place)));
  const images = place(raw.images);
  const boxes = (b: Boxes): Boxes => ({ ...b, path: place(b.path) });
  const list = (l: List): List => ({
    ...l,
    list: place(l.list),
    // A folder of classes is its own list and image root.
    images:
      l.images !== undefined ? place(l.images) : isFolder(place(l.list)) ? place(l.list) : images,
  });
  // Evaluation reads none of it: it is no part of the hash.
  const training = raw.training && { training: list(raw.training) };
  const head = { images, file: path, ...training };
  switch (raw.task) {
    case "detection":
      return { ...raw, ...head, annotations: boxes(raw.annotations) };
    case "pipeline":
      return {
        ...raw,
        ...head,
        gallery: list(raw.gallery),
        annotations: boxes(raw.annotations),
      };
    case "classification": {
      const names = raw.names !== undefined && { names: place(raw.names) };
      return { ...raw, ...head, validation: list(raw.validation), ...names };
    }
    case "recognition": {
      const query = raw.query && { query: list(raw.query) };
      return { ...raw, ...head, gallery: list(raw.gallery), ...query };
    }
  }
}

/** A file's bytes; of a folder of classes the list that it stands for. */
async function contentOf(part: string): Promise<Uint8Array | string> {
  if (isFolder(part)) return JSON.stringify((await readClassFolders(part)).rows);
  return readRegular(part).catch((error: unknown) => {
    throw unreadable(part, error);
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The files that say what is evaluated. */
function partsOf(manifest: PlacedManifest): string[] {
  switch (manifest.task) {
    case "detection":
      return annotationFiles(manifest.annotations);
    case "pipeline":
      return [manifest.gallery.list, ...annotationFiles(manifest.annotations)];
    case "classification":
      return [manifest.validation.list, ...(manifest.names === undefined ? [] : [manifest.names])];
    case "recognition":
      return [manifest.gallery.list, ...(manifest.query ? [manifest.query.list] : [])];
  }
}

/** What the files of a format's folder end in; those that are not named are one file. */
const endings: Readonly<Partial<Record<Boxes["format"], string>>> = {
  yolo: ".txt",
  labelme: ".json",
};

/** All files that annotations consist of, in order of name. */
function annotationFiles(boxes: Boxes): string[] {
  const { path, format } = boxes;
  if (format === "voc-xml") return vocFiles(path, boxes.every).map((name) => join(path, name));
  const ending = endings[format];
  if (ending === undefined) return [path];
  try {
    const names = readdirSync(path).filter((n) => n.endsWith(ending));
    return names.sort().map((n) => join(path, n));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Of several places the first that is there, or else the first: that is the one to be missed. */
function placeSchema(placed: (path: string) => string): Place {
  const isThere = (path: string): boolean => {
    try {
      return existsSync(placed(path));
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
  };
  const several = z.array(z.string()).min(1);
  return z
    .union([z.string(), several])
    .transform((given) => (typeof given === "string" ? given : (given.find(isThere) ?? given[0]!)));
}
