import { readListPart } from "../../datasets/formats/released-list.js";
import { cacheFolder } from "../eval/config/paths.js";
import { pictureRef } from "../eval/experiments/pictures.js";
import { ObservationCaches } from "../eval/observe/cache.js";
import { embedPictures, type Embedded } from "../eval/observe/observations.js";
import { SharedWork } from "../eval/observe/resources.js";
import { openEmbedder } from "../pipeline/embedding/embedder.js";
import { UserError } from "../pipeline/errors.js";
import type { GalleryEntry, GalleryFailure, GalleryModel } from "../pipeline/gallery/gallery.js";
import { checkShape, pickFactory } from "../pipeline/index/factory.js";
import { loadCard, preprocessingOf } from "../pipeline/model/card.js";
import { rulesOf, type Protocol } from "../pipeline/protocol.js";
import type { Codes, Vectors } from "../pipeline/types.js";
import { withContent } from "./gallery-duplicates.js";
import { choice, whole } from "./options.js";
import { progressBar } from "./progress.js";

/** The options of `gallery build` and `gallery append` that say what to embed, and by what. */
export interface EmbedListOptions {
  readonly list: string;
  readonly images?: string;
  readonly delimiter: string;
  readonly embedder?: string;
  readonly embedderFolder?: string;
  /** Names of before. */
  readonly card?: string;
  readonly modelFolder?: string;
  readonly workers?: string;
  readonly cache?: string;
}

export interface EmbeddedList {
  readonly rows: Vectors | Codes;
  /** The entries that worked, in the order of the rows. */
  readonly entries: readonly GalleryEntry[];
  /** The others, each with why: never skipped in silence. */
  readonly failures: readonly GalleryFailure[];
}

export interface EmbedListSettings {
  readonly model: GalleryModel;
  readonly kind: "real" | "binary";
  readonly dim: number;
}

/**
 * Embeds the pictures of a list on all cores. Each embedding is kept under `--cache` as it comes:
 * after an end before time, and in the next run, none is made again. Given the index that is meant,
 * refuses before any work what it could not be built of.
 *
 * @param from the model where the options name none, the index that is meant, and which of the
 *   listed entries are wanted, asked before any is embedded.
 */
export async function embedList(
  options: EmbedListOptions,
  protocol: Protocol,
  from: {
    readonly model?: GalleryModel;
    readonly factory?: { readonly engine: string; readonly factory: string };
    choose?(model: GalleryModel, all: readonly GalleryEntry[]): Promise<readonly GalleryEntry[]>;
  },
): Promise<{ settings: EmbedListSettings; embedded: EmbeddedList }> {
  const delimiter = choice("--delimiter", options.delimiter, ["tab", "space", "auto"]);
  const labels = rulesOf(protocol).labels;
  const { rows: all } = await readListPart(options.list, "gallery", { delimiter, labels });
  const { card, folder } = placeOf(options, from.model);
  // Opened once here, so that a card that lies about its model is told before any work starts.
  const embedder = await openEmbedder(card, folder === undefined ? {} : { modelFolder: folder });
  const { id, version, kind, dim } = embedder;
  await embedder.close();
  if (from.factory) refuseShape({ kind, dim, count: all.length, protocol }, from.factory);
  const model = { id, version, card, ...(folder !== undefined && { folder }) };
  const root = options.images ?? (await rootOf(options.list));
  const entries = withContent(all, root);
  const rows = (await from.choose?.(model, entries)) ?? entries;
  if (rows.length === 0) return { settings: { model, kind, dim }, embedded: nothing(kind, dim) };
  const pictures = rows.map((row) => pictureRef(root, row.path));
  const workers =
    options.workers === undefined ? {} : { workers: whole("--workers", options.workers) };
  const work = new SharedWork(workers);
  const caches = new ObservationCaches(cacheFolder(options.cache));
  const bar = progressBar("embedding");
  try {
    const embedding = {
      ...{ card, version, kind, dim },
      preprocessing: preprocessingOf(await loadCard(card)),
      ...(folder !== undefined && { modelFolder: folder }),
    };
    const found = await embedPictures(embedding, pictures, {
      ...{ caches, protocol, pool: work.pool },
      progress: bar.report,
      signal: new AbortController().signal,
    });
    return { settings: { model, kind, dim }, embedded: listed(found, rows) };
  } finally {
    bar.stop();
    await caches.close();
    await work.close();
  }
}

function nothing(kind: "real" | "binary", dim: number): EmbeddedList {
  const rows =
    kind === "real" ? { data: new Float32Array(0), dim } : { data: new Uint8Array(0), bits: dim };
  return { rows, entries: [], failures: [] };
}

function listed(
  { vectors, places, complaints }: Embedded,
  rows: readonly GalleryEntry[],
): EmbeddedList {
  return {
    rows: vectors,
    entries: places.map((place) => rows[place]!),
    failures: complaints.flatMap((complaint, place) =>
      complaint ? [{ path: rows[place]!.path, complaint }] : [],
    ),
  };
}

function placeOf(
  { embedder, embedderFolder, card, modelFolder }: EmbedListOptions,
  from: GalleryModel | undefined,
): { card: string; folder: string | undefined } {
  const named = embedder ?? card;
  const folder = embedderFolder ?? modelFolder;
  if (named !== undefined) return { card: named, folder };
  if (from?.card !== undefined) return { card: from.card, folder: folder ?? from.folder };
  throw new UserError({
    code: "embedder-unknown",
    message: from ? "the gallery does not say where its model's card is" : "no model is named",
    fix: "give --embedder card.yaml",
  });
}

function refuseShape(
  {
    kind,
    dim,
    count,
    protocol,
  }: { kind: "real" | "binary"; dim: number; count: number; protocol: Protocol },
  { engine, factory: name }: { engine: string; factory: string },
): void {
  if (engine !== "faiss") return;
  const { factory } = pickFactory({ name, kind, count, protocol });
  checkShape({ kind, dim, metric: kind === "real" ? "inner-product" : "hamming" }, factory);
}

/** A folder of classes is its own image root. */
async function rootOf(list: string): Promise<string> {
  const { stat } = await import("node:fs/promises");
  if ((await stat(list)).isDirectory()) return list;
  throw new UserError({
    code: "bad-option",
    message: "where the listed pictures are is not said",
    expected: "--images <folder>",
    found: "no --images",
    fix: "give the image root that the list's paths are relative to",
  });
}
