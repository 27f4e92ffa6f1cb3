// data/: files, galleries, records or pictures of a user in; the vectors to choose an index for
// out. It never sees an index.
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { UserError } from "../../../pipeline/errors.js";
import { isCodes, type Codes, type IndexMetric, type Vectors } from "../../../pipeline/types.js";
import { drawVectors, type DrawnSpec } from "../../experiments/index-vectors.js";
import { ObservationCaches } from "../../observe/cache.js";
import { normalizeRows, unevenNorms } from "../../observe/feature-rows.js";
import type { Warning } from "../warnings.js";
import { holdOut, splitQueries, type ChoiceData } from "./choice-data.js";
import type { Collected } from "./collected.js";
import {
  embedLists,
  embedPictureLists,
  type EmbedLists,
  type EmbedWork,
  type PictureSource,
} from "./pictures.js";
import { embedRecord } from "./record-vectors.js";
import { readVectorFiles, type VectorFiles } from "./vector-files.js";

/** Where the vectors of a choice come from. */
export type ChoiceSource =
  | { readonly kind: "files"; readonly files: VectorFiles }
  | { readonly kind: "pictures"; readonly pictures: PictureSource }
  | { readonly kind: "lists"; readonly lists: EmbedLists }
  | { readonly kind: "record"; readonly folder: string; readonly cell?: string }
  | { readonly kind: "drawn"; readonly name: string; readonly spec: DrawnSpec };

export interface ReadOptions {
  /** What the files do not say themselves. */
  readonly metric?: IndexMetric;
  readonly normalize: boolean;
  readonly seed: string;
  readonly work: EmbedWork;
}

/** What a path stands for: a record where it is the folder of one, else files of vectors. */
export function sourceOf(files: VectorFiles, cell?: string): ChoiceSource {
  if (!existsSync(join(files.gallery, "run.json"))) return { kind: "files", files };
  return { kind: "record", folder: files.gallery, ...(cell !== undefined && { cell }) };
}

/**
 * Reads and checks everything, and splits gallery and queries.
 *
 * @throws UserError `rows-mismatch`, `features-dim`, `all-equal`, `zero-vector`, `too-few-vectors`,
 * and what the readers throw.
 */
export async function readChoiceData(
  source: ChoiceSource,
  options: ReadOptions,
): Promise<{ data: ChoiceData; warnings: Warning[] }> {
  const found = await collect(source, options.work);
  const { gallery, queries, files } = found;
  const normalize = options.normalize || found.cosine;
  const told = options.metric ?? found.metric ?? "inner-product";
  const metric = isCodes(gallery.rows) ? "hamming" : told;
  const warnings = [...found.warnings, ...prepare(gallery.rows, files.gallery, normalize, metric)];
  if (queries) {
    requireSameWidth(gallery.rows, queries.rows, files.queries);
    prepare(queries.rows, files.queries, normalize, metric);
  }
  const { seed } = options;
  const split = queries ? splitQueries(gallery, queries, seed) : holdOut(gallery, seed);
  const version = `${found.version}${normalize ? " normalized" : ""}`;
  const { name } = found;
  return { data: { name, version, metric, heldOut: queries === null, ...split }, warnings };
}

function collect(source: ChoiceSource, work: EmbedWork): Promise<Collected> {
  switch (source.kind) {
    case "files":
      return readVectorFiles(source.files);
    case "pictures":
      return embedPictureLists(source.pictures, work);
    case "lists":
      return embedLists(source.lists, work);
    case "record":
      return embedRecord(source.folder, source.cell, work);
    case "drawn":
      return drawn(source.name, source.spec, work);
  }
}

async function drawn(name: string, spec: DrawnSpec, { cacheRoot }: EmbedWork): Promise<Collected> {
  const caches = new ObservationCaches(cacheRoot);
  const set = await drawVectors(spec, caches).finally(() => caches.close());
  return {
    name,
    version: set.version,
    gallery: { rows: set.gallery, labels: set.labels },
    queries: { rows: set.queries, labels: set.queryLabels },
    files: { gallery: name, queries: name },
    metric: null,
    cosine: false,
    warnings: [],
  };
}

function requireSameWidth(gallery: Vectors | Codes, queries: Vectors | Codes, file: string): void {
  const show = (rows: Vectors | Codes): string =>
    isCodes(rows) ? `${rows.bits} bits` : `${rows.dim} floats`;
  if (show(gallery) === show(queries)) return;
  throw new UserError({
    code: "features-dim",
    message: "queries and gallery have not the same width",
    file,
    expected: show(gallery),
    found: show(queries),
    fix: "embed both with one model",
  });
}

/** Scales where asked to, and looks for what makes a comparison meaningless. */
function prepare(
  rows: Vectors | Codes,
  file: string,
  normalize: boolean,
  metric: IndexMetric,
): Warning[] {
  requireDifferent(rows, file);
  if (isCodes(rows)) return [];
  if (normalize) normalizeRows(rows, file);
  if (metric !== "inner-product" || normalize) return [];
  const uneven = unevenNorms(rows);
  if (uneven === null) return [];
  return [{ code: "norms", message: `${basename(file)}: ${uneven}; so does --normalize` }];
}

function requireDifferent(rows: Vectors | Codes, file: string): void {
  const width = isCodes(rows) ? rows.bits / 8 : rows.dim;
  const { data } = rows;
  for (let i = width; i < data.length; i++) if (data[i] !== data[i % width]) return;
  if (data.length === width) return;
  throw new UserError({
    code: "all-equal",
    message: "all vectors are equal: every neighbour is as good as any",
    file,
    expected: "vectors that differ",
    found: `${data.length / width} equal rows`,
    fix: "look at the model that made them: a constant output means broken weights or input",
  });
}
