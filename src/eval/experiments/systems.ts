import { UserError } from "../../pipeline/errors.js";
import { Gallery } from "../../pipeline/gallery/gallery.js";
import type { Protocol } from "../../pipeline/types.js";
import { isCodes, type Codes, type Vectors } from "../../pipeline/types.js";
import type { SystemSpec } from "../config/config.js";
import type { PipelineDataset, RecognitionDataset } from "../config/dataset.js";
import { embedPictures, type ItemError } from "../observe/observations.js";
import type { CellContext } from "./cell.js";
import { indexPoints, withOneThread } from "./index-points.js";
import { gaussians, uniform } from "../../pipeline/seeded-random.js";
import { listPictures } from "./pictures.js";

export interface SystemGallery {
  readonly gallery: Gallery;
  /** Its vectors, for other indexes of the same rows. */
  readonly rows: Vectors | Codes;
  readonly errors: readonly ItemError[];
}

/**
 * The gallery of a system on a data set: its list embedded (or taken from the cache) and indexed.
 * The caller closes it.
 */
export async function openSystemGallery(
  system: SystemSpec & { readonly distractors?: number },
  dataset: RecognitionDataset | PipelineDataset,
  protocol: Protocol,
  { resources, signal, progress }: CellContext,
): Promise<SystemGallery> {
  const points = indexPoints(system.index);
  if (points.length !== 1)
    throw new UserError({
      code: "schema",
      message: "a system has one index: give one value for each of its parameters",
      file: resources.loaded.file,
      path: `systems, ${system.name}`,
      found: `${points.length} points`,
    });
  const { distractors = 0 } = system;
  const embedder = await resources.embedder(system.embedder);
  const listed = await listPictures(dataset, "gallery", protocol, resources);
  const model = {
    ...resources.place(system.embedder),
    version: embedder.version,
    preprocessing: await resources.preprocessing(system.embedder),
    dim: embedder.dim,
    kind: embedder.kind,
  };
  const { vectors, places, errors } = await embedPictures(model, listed.pictures, {
    caches: resources.caches,
    pool: resources.pool,
    protocol,
    progress,
    signal,
  });
  const gallery = await withOneThread(() =>
    Gallery.build(
      {
        model: { id: embedder.id, version: embedder.version },
        kind: embedder.kind,
        dim: embedder.dim,
        protocol,
        engine: system.index.engine,
        factory: system.index.factory,
        parameters: points[0]!.parameters,
      },
      withDistractors(vectors, distractors),
      [...places.map((place) => listed.rows[place]!), ...distractorRows(distractors)],
    ),
  );
  if (isCodes(vectors) !== (embedder.kind === "binary"))
    throw new Error("vectors and embedder differ in kind");
  return { gallery, rows: vectors, errors };
}

/** The vectors, and so many drawn ones behind them: of length 1, as embeddings are, or bits. */
function withDistractors(vectors: Vectors | Codes, count: number): Vectors | Codes {
  if (count === 0) return vectors;
  if (isCodes(vectors)) {
    const drawn = Uint8Array.from({ length: count * (vectors.bits / 8) }, byteOf(uniform(1)));
    return {
      ...vectors,
      data: joined(new Uint8Array(vectors.data.length + drawn.length), vectors.data, drawn),
    };
  }
  const { dim } = vectors;
  const drawn = gaussians(count * dim, 1);
  for (let row = 0; row < count; row++) normalise(drawn.subarray(row * dim, (row + 1) * dim));
  const data = joined(new Float32Array(vectors.data.length + drawn.length), vectors.data, drawn);
  return { ...vectors, data };
}

const byteOf = (next: () => number) => (): number => Math.floor(256 * next());

function joined<T extends Float32Array | Uint8Array>(whole: T, first: T, second: T): T {
  whole.set(first, 0);
  whole.set(second, first.length);
  return whole;
}

function normalise(row: Float32Array): void {
  const length = Math.hypot(...row);
  for (let i = 0; i < row.length; i++) row[i] = row[i]! / length;
}

function distractorRows(count: number): { path: string; label: string }[] {
  return Array.from({ length: count }, (_, i) => ({ path: `drawn/${i}`, label: `drawn ${i}` }));
}
