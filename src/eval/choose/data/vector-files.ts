import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { readFeatureSet, type FeatureSet } from "../../../../datasets/formats/feature-set.js";
import { readRowLabels } from "../../../../datasets/formats/row-labels.js";
import { readCodes } from "../../../../datasets/formats/vector-file.js";
import { UserError } from "../../../pipeline/errors.js";
import { rowCount } from "../../../pipeline/types.js";
import type { LabelledRow } from "../../metrics/index/neighbour-hits.js";
import type { LabelledVectors } from "./choice-data.js";
import type { Collected } from "./collected.js";

export interface VectorFiles {
  readonly gallery: string;
  readonly labels?: string;
  readonly queries?: string;
  readonly queryLabels?: string;
  /** The rows are codes, most significant bit first. */
  readonly packed: boolean;
}

/**
 * Vectors that lie in files.
 *
 * @throws UserError `rows-mismatch`, and what the readers throw.
 */
export async function readVectorFiles(files: VectorFiles): Promise<Collected> {
  const set = await readSet(files.gallery, files.packed);
  const given = files.queries === undefined ? null : await readSet(files.queries, files.packed);
  const asked = given?.rows ?? set.queries;
  const queryFile = files.queries ?? files.gallery;
  const askedSet = asked && { rows: asked, labels: given?.labels ?? null };
  return {
    name: basename(resolve(files.gallery)),
    version: await contentHash(files.gallery),
    gallery: await labelled(files.gallery, set, files.labels),
    queries: askedSet && (await labelled(queryFile, askedSet, files.queryLabels)),
    files: { gallery: files.gallery, queries: queryFile },
    metric: set.metric,
    cosine: set.cosine,
    warnings: [],
  };
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
