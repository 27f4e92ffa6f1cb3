import { UserError } from "../../pipeline/errors.js";
import { Gallery } from "../../pipeline/gallery/gallery.js";
import type { Protocol } from "../../pipeline/types.js";
import { isCodes, type Codes, type Vectors } from "../../pipeline/types.js";
import type { SystemSpec } from "../config/config.js";
import type { PipelineDataset, RecognitionDataset } from "../config/dataset.js";
import { embedPictures, type ItemError } from "../observe/observations.js";
import type { CellContext } from "./cell.js";
import { indexPoints, withOneThread } from "./index-points.js";
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
  system: SystemSpec,
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
      vectors,
      places.map((place) => listed.rows[place]!),
    ),
  );
  if (isCodes(vectors) !== (embedder.kind === "binary"))
    throw new Error("vectors and embedder differ in kind");
  return { gallery, rows: vectors, errors };
}
