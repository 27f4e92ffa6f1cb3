import { basename } from "node:path";
import { readListPart } from "../../../datasets/formats/released-list.js";
import type { ImageList } from "../../../datasets/formats/paddleclas-list.js";
import { readCodes, readVectors } from "../../../datasets/formats/vector-file.js";
import { UserError } from "../../pipeline/errors.js";
import { rulesOf } from "../../pipeline/protocol.js";
import { isCodes, type Codes, type Protocol, type Vectors } from "../../pipeline/types.js";
import type { CacheKey, ObservationCache, ObservationCaches } from "../observe/cache.js";
import { moduleFile } from "../observe/code-hash.js";
import { codeVersion } from "../observe/code-version.js";
import type { IndexMeasurement } from "../config/config.js";
import { evidenceHash } from "../observe/derived.js";
import { fileHash } from "../observe/file-hash.js";
import { normalizeRows, requireFit, unevenNorms } from "../observe/feature-rows.js";
import type { LabelledRow } from "../metrics/index/neighbour-hits.js";
import type { Resources } from "../observe/resources.js";
import { Random } from "../stats/random.js";

/** Vectors to index and to search with, and the labels of their rows. */
export interface VectorSet {
  readonly gallery: Vectors | Codes;
  readonly labels: readonly LabelledRow[];
  /** The gallery itself where it is searched with itself. */
  readonly queries: Vectors | Codes;
  readonly queryLabels: readonly LabelledRow[];
  readonly leaveOneOut: boolean;
  /** What tells these vectors from others: how they were drawn, or what the files hold. */
  readonly version: string;
  readonly notes: readonly string[];
}

export interface VectorSource {
  readonly name: string;
  /** The files that it reads: none where the vectors are drawn. @throws UserError of `path`. */
  files(): readonly string[];
  /** @throws UserError what is wrong with the files. */
  load(): Promise<VectorSet>;
}

export type DrawnSpec = NonNullable<IndexMeasurement["vectors"]>;
type Files = NonNullable<IndexMeasurement["features"]>;

/** Where the vectors of an index measurement come from: drawn, or read from files. */
export function vectorSource(
  { vectors, features }: IndexMeasurement,
  protocol: Protocol,
  resources: Resources,
): VectorSource {
  if (vectors)
    return {
      name: `${vectors.rows} x ${vectors.dim}`,
      files: () => [],
      load: () => drawVectors(vectors, resources.caches),
    };
  if (!features)
    throw new Error("the schema lets no index measurement without vectors or features pass");
  return {
    // A setting stands for a path: only its value has a name.
    name: features.name ?? basename(nameable(features.gallery, resources)),
    files: () =>
      [features.gallery, features.galleryList, features.query, features.queryList]
        .filter((path) => path !== undefined)
        .map((path) => resources.path(path)),
    load: () => readFeatures(features, protocol, (path) => resources.path(path)),
  };
}

function nameable(path: string, resources: Resources): string {
  try {
    return resources.path(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return path; // the cell will say what is missing
  }
}

/**
 * @throws UserError `features-query` where only one of query and queryList is given,
 * `rows-mismatch`, `features-dim`, and what the readers throw.
 */
async function readFeatures(
  files: Files,
  protocol: Protocol,
  place: (path: string) => string,
): Promise<VectorSet> {
  if ((files.query === undefined) !== (files.queryList === undefined)) {
    throw new UserError({
      code: "features-query",
      message: "queries are features and their list",
      path: files.query === undefined ? "features.query" : "features.queryList",
      found: "one of the two",
      fix: "give both, or neither to search the gallery with itself",
    });
  }
  const gallery = await readSide(
    place(files.gallery),
    place(files.galleryList),
    "gallery",
    files,
    protocol,
  );
  if (files.query === undefined) {
    return {
      gallery: gallery.rows,
      labels: gallery.labels,
      queries: gallery.rows,
      queryLabels: gallery.labels,
      leaveOneOut: true,
      version: gallery.version,
      notes: gallery.notes,
    };
  }
  const query = await readSide(
    place(files.query),
    place(files.queryList!),
    "query",
    files,
    protocol,
  );
  if (width(query.rows) !== width(gallery.rows)) {
    throw new UserError({
      code: "features-dim",
      message: "queries and gallery have not the same width",
      file: query.file,
      expected: `${width(gallery.rows)}, as ${gallery.file}`,
      found: String(width(query.rows)),
      fix: "embed both with one model",
    });
  }
  return {
    gallery: gallery.rows,
    labels: gallery.labels,
    queries: query.rows,
    queryLabels: query.labels,
    leaveOneOut: false,
    version: `${gallery.version} ${query.version}`,
    notes: [...gallery.notes, ...query.notes],
  };
}

interface Side {
  readonly file: string;
  readonly rows: Vectors | Codes;
  readonly labels: readonly LabelledRow[];
  readonly version: string;
  readonly notes: readonly string[];
}

async function readSide(
  file: string,
  listFile: string,
  part: "gallery" | "query",
  { packed, normalize }: Files,
  protocol: Protocol,
): Promise<Side> {
  const list = await readListPart(listFile, part, {
    labels: rulesOf(protocol).labels,
  });
  const rows = packed ? await readCodes(file) : await readVectors(file);
  requireFit(file, rows, list);
  const notes: string[] = [];
  if (!isCodes(rows)) {
    const uneven = normalize ? null : unevenNorms(rows);
    if (normalize) normalizeRows(rows, file);
    if (uneven !== null)
      notes.push(`${basename(file)}: ${uneven}; so does features.normalize: true`);
  }
  return {
    file,
    rows,
    labels: labelsOf(list),
    version: `${await fileHash(file)} ${await fileHash(listFile)}${normalize ? " normalized" : ""}`,
    notes,
  };
}

function labelsOf({ rows, columns }: ImageList): LabelledRow[] {
  return rows.map(({ label, uid }) => ({ label, uid: columns === 3 ? uid! : null }));
}

function width(rows: Vectors | Codes): number {
  return isCodes(rows) ? rows.bits : rows.dim;
}

/** Bytes of one set that is worth keeping: 300,000 vectors of 512 floats. A log is read whole. */
const mostKept = 600 << 20;

/**
 * Unit vectors around random centres, a label a centre: normalise(centre + spread * noise), both of
 * unit length in expectation. Gallery and queries are drawn alike, from streams of their own. What
 * was drawn is cached: millions of normals take longer to draw than to read.
 */
export async function drawVectors(spec: DrawnSpec, caches: ObservationCaches): Promise<VectorSet> {
  const { rows, dim, queries } = spec;
  const key: CacheKey = {
    what: "vectors",
    model: "drawn around centres",
    preprocessing: spec,
    protocol: "any",
    engine: codeVersion([moduleFile("experiments/index-vectors"), moduleFile("stats/random")]),
  };
  const keep = (rows + queries) * (dim + 1) * 4 <= mostKept;
  let centres: Float32Array | undefined;
  const draw = (n: number, stream: string, cache: ObservationCache | null): Drawn => {
    const hash = evidenceHash({ spec, stream });
    const cached = cache?.get(hash);
    if (cached?.byteLength === n * (dim + 1) * 4) return drawnFrom(cached, n, dim);
    centres ??= drawCentres(spec);
    const payload = drawAround(centres, spec, n, stream);
    cache?.put(hash, payload);
    // the entry's own bytes: one copy is enough
    return drawnFrom(cache?.get(hash) ?? payload, n, dim);
  };
  const drawBoth = (cache: ObservationCache | null): [Drawn, Drawn] => [
    draw(rows, "gallery", cache),
    draw(queries, "queries", cache),
  ];
  const [gallery, query] = keep
    ? await caches.use(key, (cache) => Promise.resolve(drawBoth(cache)))
    : drawBoth(null);
  return {
    gallery: gallery.vectors,
    labels: gallery.labels,
    queries: query.vectors,
    queryLabels: query.labels,
    leaveOneOut: false,
    version: JSON.stringify(spec),
    notes: [],
  };
}

interface Drawn {
  readonly vectors: Vectors;
  readonly labels: readonly LabelledRow[];
}

function drawCentres({ dim, labels, seed }: DrawnSpec): Float32Array {
  const centres = new Float32Array(labels * dim);
  const random = new Random(`${seed}/centres`);
  for (let i = 0; i < centres.length; i++) centres[i] = random.normal();
  return centres;
}

/** The numbers of n labels (u32), then n vectors (float32). */
function drawAround(
  centres: Float32Array,
  { dim, labels, spread, seed }: DrawnSpec,
  n: number,
  stream: string,
): Uint8Array {
  const source = new Random(`${seed}/${stream}`);
  const payload = new Uint8Array(n * (dim + 1) * 4);
  const numbers = new Uint32Array(payload.buffer, 0, n);
  const data = new Float32Array(payload.buffer, n * 4);
  for (let row = 0; row < n; row++) {
    const label = (numbers[row] = source.below(labels));
    let squares = 0;
    for (let d = 0; d < dim; d++) {
      const x = centres[label * dim + d]! + spread * source.normal();
      data[row * dim + d] = x;
      squares += x * x;
    }
    const norm = Math.sqrt(squares);
    for (let d = 0; d < dim; d++) data[row * dim + d]! /= norm;
  }
  return payload;
}

function drawnFrom(payload: Uint8Array, n: number, dim: number): Drawn {
  const { buffer, byteOffset } = payload.byteOffset % 4 === 0 ? payload : Uint8Array.from(payload);
  const labels = Array.from(new Uint32Array(buffer, byteOffset, n), (label): LabelledRow => ({
    label: String(label),
    uid: null,
  }));
  return { vectors: { data: new Float32Array(buffer, byteOffset + n * 4, n * dim), dim }, labels };
}
