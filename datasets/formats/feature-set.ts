import { stat } from "node:fs/promises";
import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { UserError, oneOf } from "../../src/pipeline/errors.js";
import { openRegular } from "../../src/pipeline/regular-file.js";
import { readGallery } from "../../src/pipeline/gallery/gallery-store.js";
import { unreadable } from "../../src/pipeline/schema.js";
import type { Codes, IndexMetric, Vectors } from "../../src/pipeline/types.js";
import { readAnnHdf5 } from "./ann-hdf5.js";
import { readBigAnn } from "./big-ann.js";
import { readFaissVectors, readSavedVectors } from "./faiss-vectors.js";
import { requireFinite } from "./finite.js";
import { readBvecs } from "./fvecs.js";
import { readIdMap } from "./id-map-pickle.js";
import { readNpy, readNpyHeader } from "./npy.js";
import { readParquet } from "./parquet.js";
import { readVectors, vectorExtensions } from "./vector-file.js";

/** Vectors to search among, with what comes along with them. */
export interface FeatureSet {
  readonly rows: Vectors | Codes;
  readonly labels: readonly string[] | null;
  /** Vectors to ask for, where the file has some. */
  readonly queries: Vectors | null;
  /** How they are compared, where that is told. */
  readonly metric: IndexMetric | null;
  /** Cosines are meant: each vector is to be scaled to length 1. */
  readonly cosine: boolean;
}

type Reader = (file: string) => Promise<FeatureSet>;

const readers: Readonly<Record<string, Reader>> = {
  ".npy": readNpyFeatures,
  ".bvecs": async (file) => plain(bytesAsReals(await readBvecs(file))),
  ".fbin": async (file) => plain(await readBigAnn(file, "fbin")),
  ".u8bin": async (file) => plain(await readBigAnn(file, "u8bin")),
  ".i8bin": async (file) => plain(await readBigAnn(file, "i8bin")),
  ".hdf5": readHdf5Features,
  ".h5": readHdf5Features,
  ".parquet": async (file) => {
    const { vectors, labels } = await readParquet(file);
    return { ...plain(vectors), labels };
  },
};

/**
 * Reads vectors from any file that holds some, or from the folder of a gallery: ours
 * (`shitu gallery build`) or PaddleClas's (`vector.index` with its `id_map.pkl`).
 *
 * @throws UserError `features-format`, `vector-not-finite`, and what the formats' readers throw
 */
export async function readFeatureSet(path: string): Promise<FeatureSet> {
  const about = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  const set = about.isDirectory() ? await readFolder(path) : await readFile(path);
  if (!("bits" in set.rows)) requireFinite(set.rows, path);
  if (set.queries) requireFinite(set.queries, path);
  return set;
}

async function readFile(file: string): Promise<FeatureSet> {
  const extension = extname(file).toLowerCase();
  const reader = readers[extension];
  if (reader) return reader(file);
  if (vectorExtensions("real").includes(extension)) return plain(await readVectors(file));
  if (await isFaissIndex(file)) return withMetric(await readFaissVectors(file));
  const known = [...new Set([...Object.keys(readers), ...vectorExtensions("real")])];
  throw new UserError({
    code: "features-format",
    message: "vectors are not read from this kind of file",
    file,
    expected: `${oneOf(known)}, an index file of Faiss, or the folder of a gallery`,
    found: extension || "no extension",
    fix: "save them as .npy",
  });
}

async function readFolder(folder: string): Promise<FeatureSet> {
  if (existsSync(join(folder, "gallery.json"))) return readOwnGallery(folder);
  const index = join(folder, "vector.index");
  if (existsSync(index)) return readPaddleGallery(folder, index);
  throw new UserError({
    code: "features-format",
    message: "this folder holds no gallery",
    file: folder,
    expected: "gallery.json (of shitu gallery build), or vector.index (of PaddleClas)",
    fix: "give a file of vectors, or build a gallery",
  });
}

async function readOwnGallery(folder: string): Promise<FeatureSet> {
  const { manifest, index: bytes, rows } = await readGallery(folder);
  const { engine, factory, kind, metric, dim } = manifest;
  const sha256 = manifest.index.sha256;
  const ids = Float64Array.from(rows, (row) => row.id);
  const stored = await readSavedVectors({ engine, factory, kind, metric, dim, bytes, sha256 }, ids);
  return { ...withMetric(stored), labels: rows.map((row) => row.label) };
}

async function readPaddleGallery(folder: string, index: string): Promise<FeatureSet> {
  const set = withMetric(await readFaissVectors(index));
  const map = join(folder, "id_map.pkl");
  if (!existsSync(map)) return set;
  const lines = await readIdMap(map);
  const width = "bits" in set.rows ? set.rows.bits / 8 : set.rows.dim;
  const labels = Array.from({ length: set.rows.data.length / width }, (_, id) => {
    const line = lines.get(id);
    if (line !== undefined) return labelOf(line);
    const found = `${lines.size} entries, none for row ${id}`;
    throw new UserError({
      code: "pickle-format",
      message: "the id map lacks a row",
      file: map,
      found,
    });
  });
  return { ...set, labels };
}

/** `path<tab>label`, or with a space, as PaddleClas splits it. */
function labelOf(line: string): string {
  const [, ...rest] = line.includes("\t") ? line.split("\t") : line.split(/\s+/);
  return rest[0] ?? line;
}

async function readNpyFeatures(file: string): Promise<FeatureSet> {
  const { type, shape } = await readNpyHeader(file);
  if ((type !== "u1" && type !== "i1") || shape.length !== 2) return plain(await readVectors(file));
  const { data } = await readNpy(file);
  return plain({ data: Float32Array.from(data), dim: shape[1]! });
}

async function readHdf5Features(file: string): Promise<FeatureSet> {
  const { train, test, distance } = await readAnnHdf5(file);
  const cosine = distance === "angular";
  const metric = cosine ? "inner-product" : "l2";
  return { rows: train, labels: null, queries: test, metric, cosine };
}

/** Index files begin with four letters, of which the first is an I. */
async function isFaissIndex(file: string): Promise<boolean> {
  const handle = await openRegular(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && /^I[A-Za-z0-9]{3}$/.test(buffer.toString("latin1"));
  } finally {
    await handle.close();
  }
}

function plain(rows: Vectors | Codes): FeatureSet {
  return { rows, labels: null, queries: null, metric: null, cosine: false };
}

function withMetric({ rows, metric }: { rows: Vectors | Codes; metric: IndexMetric }): FeatureSet {
  return { ...plain(rows), metric };
}

/** 8-bit descriptors, such as SIFT's: a number a byte. */
function bytesAsReals({ data, bits }: Codes): Vectors {
  return { data: Float32Array.from(data), dim: bits / 8 };
}
