import { readFactory, type Factory } from "../../../pipeline/index/factory.js";

/**
 * What a saved Faiss index takes, from its format (`faiss/impl/index_write.cpp`): so many bytes a
 * vector, so many a list, and a head that does not grow.
 */
export interface ByteLaw {
  readonly perVector: number;
  readonly perList: number;
}

const idBytes = 8;
const floatBytes = 4;

/**
 * The law of a factory string; null for one whose format is not known here.
 *
 * The links of an HNSW graph depend on levels that are drawn: their expectation is taken, which
 * the sum over thousands of vectors meets within a fraction of a percent.
 */
export function byteLaw(factory: string, dim: number): ByteLaw | null {
  const read = readFactory(factory);
  const mapped = read.plain !== factory;
  const law = innerLaw(read, dim);
  if (law === null) return null;
  return { ...law, perVector: law.perVector + (mapped ? idBytes : 0) };
}

function innerLaw(
  { binary, plain, family, links, before, after }: Factory,
  dim: number,
): ByteLaw | null {
  const stored = after.join(",") || "Flat";
  if (family === "ivf" && before.length === 0) return ivfLaw(binary, stored, dim);
  if (family === "hnsw" && before.length === 0) return hnswLaw(binary, links, stored, dim);
  const code = codeBytes(plain, dim);
  return code === null ? null : { perVector: code, perList: 0 };
}

function ivfLaw(binary: boolean, code: string, dim: number): ByteLaw | null {
  const stored = binary ? dim / 8 : codeBytes(code, dim);
  if (stored === null) return null;
  // A list has its centroid and its length.
  const centroid = binary ? dim / 8 : dim * floatBytes;
  return { perVector: stored + idBytes, perList: centroid + 8 };
}

function hnswLaw(binary: boolean, degree: number, code: string, dim: number): ByteLaw | null {
  const stored = binary ? dim / 8 : codeBytes(code, dim);
  if (stored === null) return null;
  // Twice the degree on the lowest level; one vector in `degree` is on the next, and so on.
  const links = 2 * degree + degree / (degree - 1);
  const level = 4;
  const offset = 8;
  return { perVector: stored + links * 4 + level + offset, perList: 0 };
}

/** Bytes of one stored vector. */
function codeBytes(code: string, dim: number): number | null {
  if (code === "Flat") return dim * floatBytes;
  if (code === "BFlat") return dim / 8;
  if (code === "SQ8") return dim;
  if (code === "SQfp16") return dim * 2;
  const pq = /^PQ(\d+)(?:x(\d+))?$/.exec(code);
  return pq ? Math.ceil((Number(pq[1]) * Number(pq[2] ?? 8)) / 8) : null;
}

/**
 * Standard deviation of the bytes of further vectors: those of an HNSW graph draw how many levels
 * they are on, geometrically by 1 in `degree`, and each level has its links. 0 for other indexes.
 */
export function bytesNoise(factory: string, added: number): number {
  const degree = Number(/HNSW(\d+)/.exec(factory)?.[1] ?? 0);
  if (degree < 2) return 0;
  const variance = 1 / degree / (1 - 1 / degree) ** 2;
  return 4 * degree * Math.sqrt(Math.max(0, added) * variance);
}

/** Bytes at another size, from those measured at one. */
export function bytesAt(
  law: ByteLaw,
  measured: { readonly size: number; readonly lists: number; readonly bytes: number },
  wanted: { readonly size: number; readonly lists: number },
): number {
  const vectors = law.perVector * (wanted.size - measured.size);
  return measured.bytes + vectors + law.perList * (wanted.lists - measured.lists);
}
