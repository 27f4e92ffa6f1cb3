import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { readYaml, unreadable } from "../../pipeline/schema.js";
import { resolvePath } from "./config.js";

/**
 * Data set manifests: what a folder of pictures is, where its lists are, and how it is to be
 * evaluated.
 */

const list = z.strictObject({
  list: z.string().describe("PaddleClas list: path<delimiter>label[<delimiter>uid]"),
  delimiter: z.enum(["tab", "space", "auto"]).default("auto"),
  images: z
    .string()
    .optional()
    .describe("image root of this list, where it differs from the data set's"),
});

const head = {
  schema: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, {
    error: "expected kebab-case: lower case letters, digits, dashes",
  }),
  title: z.string(),
  version: z.number().int().positive(),
  licence: z.string(),
  origin: z.string(),
  images: z.string().describe("image root"),
};

const recognition = z.strictObject({
  ...head,
  task: z.literal("recognition"),
  evaluation: z.enum(["leave-one-out", "query-gallery"]),
  /**
   * What the third column of the lists means: `uid` excludes the query itself, `camera` is the junk
   * rule.
   */
  identity: z.enum(["none", "uid", "camera"]).default("none"),
  gallery: list,
  query: list.optional(),
});

const boxes = z.discriminatedUnion("format", [
  z.strictObject({ format: z.literal("coco-json"), path: z.string() }),
  z.strictObject({
    format: z.literal("voc-xml"),
    path: z.string(),
    /** Whether xmax is the last pixel, counted from 1, or a coordinate; see `readVocTruth`. */
    boxes: z.enum(["auto", "inclusive", "as-is"]).default("auto"),
  }),
  z.strictObject({
    format: z.enum(["yolo", "labelme", "cvat-xml", "openimages-csv"]),
    path: z.string().describe("folder of yolo's and labelme's files, else the file"),
  }),
]);

const detection = z.strictObject({
  ...head,
  task: z.literal("detection"),
  annotations: boxes,
});

/**
 * Query scenes with boxes and labels, searched in a gallery of its own: the end-to-end test set.
 */
const pipeline = z.strictObject({
  ...head,
  task: z.literal("pipeline"),
  gallery: list,
  annotations: boxes,
  /** Category of objects that the gallery does not hold: an answer to one is a false accept. */
  unknown: z.string().optional(),
});

const classification = z.strictObject({
  ...head,
  task: z.literal("classification"),
  validation: list.describe(
    "labels are names of the model's classes, or their numbers as the models were trained",
  ),
  names: z
    .string()
    .optional()
    .describe("file of the classes' names, one a line: what the numbers of the list mean"),
  firstClass: z.number().int().min(0).max(1).default(0).describe("number of the first class"),
});

const manifestSchema = z.discriminatedUnion("task", [
  recognition,
  detection,
  pipeline,
  classification,
]);
type Manifest = z.infer<typeof manifestSchema>;

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

/** Reads a manifest, fills in settings and makes its paths absolute. */
export async function loadDataset(
  file: string,
  settings: Readonly<Record<string, string | null>>,
): Promise<DatasetManifest> {
  const path = resolve(file);
  const folder = dirname(path);
  const place = (p: string): string => resolvePath(p, folder, settings, file);
  const raw = await readYaml(path, manifestSchema);
  const hash = createHash("sha256").update(await readFile(path));
  const mix = async (p: string): Promise<void> => {
    hash.update(
      await readFile(p).catch((error: unknown) => {
        throw unreadable(p, error);
      }),
    );
  };
  const images = place(raw.images);
  const placedBoxes = async (b: z.infer<typeof boxes>): Promise<z.infer<typeof boxes>> => {
    const at = place(b.path);
    for (const part of await annotationFiles(at, endings[b.format])) await mix(part);
    return { ...b, path: at };
  };
  const placed = async (l: z.infer<typeof list>): Promise<z.infer<typeof list>> => {
    const listPath = place(l.list);
    await mix(listPath);
    return { ...l, list: listPath, images: l.images === undefined ? images : place(l.images) };
  };
  const placedNames = async (names: string): Promise<string> => {
    await mix(place(names));
    return place(names);
  };
  const finish = <T extends Manifest>(manifest: T): T & { file: string; hash: string } => ({
    ...manifest,
    file: path,
    hash: hash.digest("hex"),
  });
  switch (raw.task) {
    case "detection":
      return finish({ ...raw, images, annotations: await placedBoxes(raw.annotations) });
    case "pipeline":
      return finish({
        ...raw,
        images,
        gallery: await placed(raw.gallery),
        annotations: await placedBoxes(raw.annotations),
      });
    case "classification":
      return finish({
        ...raw,
        images,
        validation: await placed(raw.validation),
        ...(raw.names !== undefined && { names: await placedNames(raw.names) }),
      });
    case "recognition": {
      const gallery = await placed(raw.gallery);
      const query = raw.query && (await placed(raw.query));
      return finish({ ...raw, images, gallery, ...(query && { query }) });
    }
  }
}

/** What the files of a format's folder end in; null where it is one file. */
const endings: Readonly<Record<z.infer<typeof boxes>["format"], string | null>> = {
  "coco-json": null,
  "voc-xml": ".xml",
  yolo: ".txt",
  labelme: ".json",
  "cvat-xml": null,
  "openimages-csv": null,
};

/** The annotation files of a folder, in order of name, or the one file. */
async function annotationFiles(folder: string, ending: string | null): Promise<string[]> {
  if (ending === null) return [folder];
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  return names
    .filter((n) => n.endsWith(ending))
    .sort()
    .map((n) => join(folder, n));
}
