import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { readFeatureSet, type FeatureSet } from "../../../datasets/formats/feature-set.js";
import { readRowLabels } from "../../../datasets/formats/row-labels.js";
import { readCodes } from "../../../datasets/formats/vector-file.js";
import { UserError } from "../../pipeline/errors.js";
import {
  isCodes,
  rowCount,
  type Codes,
  type IndexMetric,
  type Vectors,
} from "../../pipeline/types.js";
import type { LabelledRow } from "../metrics/index/neighbour-hits.js";
import { normalizeRows, unevenNorms } from "../observe/feature-rows.js";
import { holdOut, splitQueries, type ChoiceData, type LabelledVectors } from "./choice-data.js";
import type { Warning } from "./warnings.js";

/** Where the vectors of a choice come from. */
export interface ChoiceFiles {
  readonly gallery: string;
  readonly labels?: string;
  readonly queries?: string;
  readonly queryLabels?: string;
  /** What the files do not say themselves. */
  readonly metric?: IndexMetric;
  readonly normalize: boolean;
  /** The rows are codes, most significant bit first. */
  readonly packed: boolean;
  readonly seed: string;
}

/**
 * Reads and checks everything, and splits gallery and queries.
 *
 * @throws UserError `rows-mismatch`, `features-dim`, `all-equal`, `zero-vector`, `too-few-vectors`,
 * and what the readers throw.
 */
export async function readChoiceData(
  files: ChoiceFiles,
): Promise<{ data: ChoiceData; warnings: Warning[] }> {
  const set = await readSet(files.gallery, files.packed);
  const given = files.queries === undefined ? null : await readSet(files.queries, files.packed);
  const normalize = files.normalize || set.cosine;
  const metric = isCodes(set.rows) ? "hamming" : (files.metric ?? set.metric ?? "inner-product");
  const gallery = await labelled(files.gallery, set, files.labels);
  const asked = given?.rows ?? set.queries;
  const queries =
    asked &&
    (await labelled(
      files.queries ?? files.gallery,
      { rows: asked, labels: given?.labels ?? null },
      files.queryLabels,
    ));
  const warnings = prepare(gallery.rows, files.gallery, normalize, metric);
  if (queries) {
    requireSameWidth(gallery.rows, queries.rows, files.queries ?? files.gallery);
    prepare(queries.rows, files.queries ?? files.gallery, normalize, metric);
  }
  const split = queries ? splitQueries(gallery, queries, files.seed) : holdOut(gallery, files.seed);
  const data: ChoiceData = {
    name: basename(resolve(files.gallery)),
    version: `${await contentHash(files.gallery)}${normalize ? " normalized" : ""}`,
    metric,
    heldOut: queries === null,
    ...split,
  };
  return { data, warnings };
}

async function readSet(path: string, packed: boolean): Promise<FeatureSet> {
  if (!packed) return readFeatureSet(path);
  const rows = await readCodes(path);
  return { rows, labels: null, queries: null, metric: "hamming", cosine: false };
}

async function labelled(
  file: string,
  { rows, labels }: Pick<FeatureSet, "rows" | "labels">,
  labelFile: string | undefined,
): Promise<LabelledVectors> {
  const own = labels && labels.map((label): LabelledRow => ({ label, uid: null }));
  const all = labelFile === undefined ? own : await readRowLabels(labelFile);
  if (all && all.length !== rowCount(rows)) {
    throw new UserError({
      code: "rows-mismatch",
      message: "there are not as many labels as vectors",
      file: labelFile ?? file,
      expected: `${rowCount(rows)} labels, one for each row of ${file}`,
      found: `${all.length}`,
      fix: "give the list that these vectors were made from",
    });
  }
  return { rows, labels: all };
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

/** Of a gallery's folder, its index counts. */
async function contentHash(path: string): Promise<string> {
  const folder = (await stat(path)).isDirectory();
  const names = ["gallery.json", "vector.index"].map((name) => join(path, name));
  for (const file of folder ? names : [path]) {
    const hash = createHash("sha256");
    try {
      const stream = createReadStream(file, { highWaterMark: 1 << 20 });
      for await (const chunk of stream) hash.update(chunk as Buffer);
      return hash.digest("hex");
    } catch (error) {
      if (!folder) throw error;
    }
  }
  return "";
}
