import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { readImageFolder } from "../../../../datasets/formats/image-folder.js";
import { readListPart } from "../../../../datasets/formats/released-list.js";
import type { ListRow } from "../../../../datasets/formats/paddleclas-list.js";
import { EmbedPool } from "../../../pipeline/embedding/embed-pool.js";
import { openEmbedder } from "../../../pipeline/embedding/embedder.js";
import { UserError, unreadable } from "../../../pipeline/errors.js";
import { loadCard, preprocessingOf } from "../../../pipeline/model/card.js";
import type { Progress } from "../../../pipeline/types.js";
import { pictureRef } from "../../experiments/pictures.js";
import { ObservationCaches } from "../../observe/cache.js";
import {
  embedPictures,
  type EmbeddingModel,
  type Embedded,
  type PictureRef,
} from "../../observe/observations.js";
import type { Warning } from "../warnings.js";
import type { LabelledVectors } from "./choice-data.js";
import type { Collected } from "./collected.js";

/** What embedding needs besides pictures and a model. */
export interface EmbedWork {
  /** Folder of the observations: what was embedded before is not embedded again. */
  readonly cacheRoot: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** A model by its card. */
export interface CardRef {
  readonly card: string;
  readonly modelFolder?: string;
}

/** Pictures to embed first: lists, or folders with a folder a class (ImageFolder). */
export interface PictureSource extends CardRef {
  readonly gallery: string;
  readonly queries?: string;
  /** Root of the lists' paths; left out: the folder of each list. */
  readonly images?: string;
}

/** Pictures with what is known of them. */
export interface PictureList {
  /** The list or folder that they come from. */
  readonly file: string;
  readonly rows: readonly ListRow[];
  readonly pictures: readonly PictureRef[];
}

/**
 * Embeds a gallery of pictures, and the queries where some are given, with a card's model.
 *
 * @throws UserError `gallery-empty` where no picture could be embedded, and what the readers of
 * lists and cards throw.
 */
export async function embedPictureLists(
  source: PictureSource,
  work: EmbedWork,
): Promise<Collected> {
  const gallery = await readPictures(source.gallery, source.images);
  const queries =
    source.queries === undefined ? null : await readPictures(source.queries, source.images);
  const name = basename(resolve(source.gallery));
  return embedLists({ name, model: source, gallery, queries }, work);
}

export interface EmbedLists {
  readonly name: string;
  readonly model: CardRef;
  readonly gallery: PictureList;
  readonly queries: PictureList | null;
  /** The version that the model is to have; left out: any. */
  readonly version?: string;
}

export async function embedLists(
  { name, model, gallery, queries, version }: EmbedLists,
  work: EmbedWork,
): Promise<Collected> {
  const opened = await openModel(model, version);
  const pool = new EmbedPool();
  const caches = new ObservationCaches(work.cacheRoot);
  try {
    const options = {
      caches,
      pool,
      protocol: "standard" as const,
      progress: work.progress,
      signal: work.signal,
    };
    const embed = async (list: PictureList): Promise<Side> =>
      sideOf(list, await embedPictures(opened, list.pictures, options));
    const side = await embed(gallery);
    const asked = queries && (await embed(queries));
    return {
      name,
      version: versionOf(opened, side, asked),
      gallery: side.vectors,
      queries: asked?.vectors ?? null,
      files: { gallery: gallery.file, queries: (queries ?? gallery).file },
      metric: null,
      cosine: false,
      warnings: [...side.warnings, ...(asked?.warnings ?? [])],
    };
  } finally {
    await pool.close();
    await caches.close();
  }
}

async function openModel(model: CardRef, version: string | undefined): Promise<EmbeddingModel> {
  const { card, modelFolder } = model;
  const folder = modelFolder === undefined ? {} : { modelFolder };
  const embedder = await openEmbedder(card, folder);
  try {
    if (version !== undefined && embedder.version !== version) throw changed(card, version);
    return {
      card,
      ...folder,
      version: embedder.version,
      preprocessing: preprocessingOf(await loadCard(card)),
      dim: embedder.dim,
      kind: embedder.kind,
    };
  } finally {
    await embedder.close();
  }
}

function changed(card: string, version: string): UserError {
  return new UserError({
    code: "model-changed",
    message: "the model is not the one that the record was made with",
    file: card,
    expected: `version ${version.slice(0, 12)}`,
    fix: "run the experiment again, or give the card and its pictures",
  });
}

interface Side {
  readonly vectors: LabelledVectors;
  readonly places: readonly string[];
  readonly warnings: readonly Warning[];
}

function sideOf({ file, rows }: PictureList, { vectors, places, errors }: Embedded): Side {
  const [first] = errors;
  if (places.length === 0) {
    throw new UserError({
      code: "gallery-empty",
      message: "no picture could be embedded",
      file,
      found: first ? `${errors.length} left out: ${first.message} (${first.item})` : "none",
      fix: "mend these pictures or paths, or look at the model with shitu inspect",
    });
  }
  const kept = places.map((place) => rows[place]!);
  const example = first ? `${first.message} (${first.item})` : "";
  return {
    vectors: {
      rows: vectors,
      labels: kept.map(({ label, uid }) => ({ label, uid: uid ?? null })),
    },
    places: kept.map((row) => row.path),
    warnings: first
      ? [
          {
            code: "pictures-left-out",
            message: `${errors.length} of ${rows.length} pictures left out: ${example}`,
          },
        ]
      : [],
  };
}

function versionOf(model: EmbeddingModel, ...sides: readonly (Side | null)[]): string {
  const hash = createHash("sha256").update(model.version);
  for (const side of sides) {
    if (side === null) continue;
    const { data } = side.vectors.rows;
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

/** A folder with a folder a class, or a list. */
async function readPictures(path: string, images: string | undefined): Promise<PictureList> {
  const about = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  const folder = about.isDirectory();
  const rows = folder ? await readImageFolder(path) : (await readListPart(path, "gallery")).rows;
  const root = folder ? path : (images ?? dirname(path));
  return { file: path, rows, pictures: rows.map((row) => pictureRef(root, row.path)) };
}
