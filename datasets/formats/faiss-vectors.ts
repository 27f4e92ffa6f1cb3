import { loadIndex } from "../../src/pipeline/index/engine.js";
import { UserError } from "../../src/pipeline/errors.js";
import { FaissIndex } from "../../src/pipeline/index/faiss.js";
import type { Codes, IndexMetric, VectorIndex, Vectors } from "../../src/pipeline/types.js";

/** What an index holds, taken out of it again: in the order of the ids. */
export interface StoredVectors {
  readonly rows: Vectors | Codes;
  readonly metric: IndexMetric;
}

const rowsAtOnce = 100_000;

/**
 * Reads the vectors out of an index file of Faiss: flat, HNSW and IVF, real or binary.
 *
 * @throws UserError `file-unreadable`, `index-corrupt` (also for a type whose structure cannot be
 * checked, by its name), `index-ids` where ids have gaps
 */
export async function readFaissVectors(file: string): Promise<StoredVectors> {
  return withVectorsOf(await FaissIndex.read(file, "index file"), file);
}

/** The same from the bytes of an index that an engine of ours saved. */
export async function readSavedVectors(
  saved: Parameters<typeof loadIndex>[0],
  ids: Float64Array,
): Promise<StoredVectors> {
  const index = await loadIndex(saved);
  if (index instanceof FaissIndex) return withVectorsOf(index, saved.file ?? "the gallery", ids);
  index.close();
  throw new UserError({
    code: "gallery-engine",
    message: "only galleries of the engine faiss give their vectors back",
    expected: "faiss",
    found: saved.engine,
    fix: "give the features as .npy",
  });
}

async function withVectorsOf(
  index: FaissIndex,
  file: string,
  given?: Float64Array,
): Promise<StoredVectors> {
  try {
    const ids = given ?? contiguousIds(index);
    const width = index.kind === "binary" ? index.dim / 8 : index.dim;
    const data =
      index.kind === "binary"
        ? new Uint8Array(ids.length * width)
        : new Float32Array(ids.length * width);
    for (let from = 0; from < ids.length; from += rowsAtOnce) {
      data.set(await index.reconstruct(ids.slice(from, from + rowsAtOnce)), from * width);
    }
    const rows =
      data instanceof Float32Array ? { data, dim: index.dim } : { data, bits: index.dim };
    return { rows, metric: index.metric };
  } catch (error) {
    throw withGaps(error, file);
  } finally {
    index.close();
  }
}

function contiguousIds({ size }: VectorIndex): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => i);
}

/** Reconstruction by a missing id is how a gap shows. */
function withGaps(error: unknown, file: string): unknown {
  if (!(error instanceof UserError) || !/is not in the index/.test(error.message)) return error;
  return new UserError(
    {
      code: "index-ids",
      message: "the ids in the index have gaps, and no list says which there are",
      file,
      expected: "ids from 0, each once",
      found: error.complaint.message,
      fix: "give the features as .npy",
    },
    { cause: error },
  );
}
