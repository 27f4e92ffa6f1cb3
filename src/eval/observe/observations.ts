// observe/: models and pictures in; detections, embeddings and class scores out, measured or from
// the cache. It never sees the truth.
import { setImmediate as breathe } from "node:timers/promises";
import type { EmbedPool } from "../../pipeline/embedding/embed-pool.js";
import { UserError, type Complaint } from "../../pipeline/errors.js";
import { decode } from "../../pipeline/image/image.js";
import type { TimedDetector } from "../../pipeline/detection/timed-detector.js";
import type { Classifier } from "../../pipeline/classification/classifier.js";
import type {
  Codes,
  Pixels,
  Preprocessing,
  Progress,
  Protocol,
  Vectors,
} from "../../pipeline/types.js";
import type { CacheKey, ObservationCache, ObservationCaches } from "./cache.js";
import { engineVersion } from "./engine-version.js";
import { outsideLoop } from "./loop-time.js";
import { PictureDetections } from "./picture-detections.js";
import { isAsHashed, knownHash, pictureHash, readHashed } from "./picture-hash.js";

/**
 * A picture to observe: `item` as its list names it, `file` where it lies, or why it cannot be
 * used.
 */
export type PictureRef = { readonly item: string } & (
  { readonly file: string } | { readonly complaint: Complaint }
);

export interface ItemError {
  readonly item: string;
  readonly code: string;
  readonly message: string;
}

export interface ObserveOptions {
  readonly caches: ObservationCaches;
  readonly protocol: Protocol;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface EmbeddingModel {
  readonly card: string;
  readonly modelFolder?: string;
  readonly version: string;
  readonly preprocessing: Preprocessing | null;
  readonly kind: "real" | "binary";
  /** Floats a vector, or bits a code. */
  readonly dim: number;
}

export interface Embedded {
  /** One row a picture that worked. */
  readonly vectors: Vectors | Codes;
  /** Place of each row in the pictures asked for. */
  readonly places: readonly number[];
  readonly errors: readonly ItemError[];
  /** By place, what was wrong with a picture. */
  readonly complaints: readonly (Complaint | undefined)[];
}

/**
 * Embeds pictures whole, on all cores; what the cache holds is not embedded again, what is new goes
 * there at once.
 */
export function embedPictures(
  model: EmbeddingModel,
  pictures: readonly PictureRef[],
  options: ObserveOptions & { readonly pool: EmbedPool },
): Promise<Embedded> {
  return outsideLoop(() => embedAll(model, pictures, options));
}

async function embedAll(
  model: EmbeddingModel,
  pictures: readonly PictureRef[],
  options: ObserveOptions & { readonly pool: EmbedPool },
): Promise<Embedded> {
  // Rows are kept as bytes: the cache, floats and codes alike.
  const width = model.kind === "real" ? model.dim * 4 : model.dim / 8;
  const data = new Uint8Array(pictures.length * width);
  const complaints: (Complaint | undefined)[] = pictures.map((p) =>
    "complaint" in p ? p.complaint : undefined,
  );
  const key: CacheKey = {
    what: "embedding",
    model: model.version,
    preprocessing: model.preprocessing,
    protocol: options.protocol,
    engine: engineVersion(),
  };
  await options.caches.use(key, async (cache) => {
    const hashes = await hashAll(pictures, complaints);
    const missing: number[] = [];
    pictures.forEach((_, place) => {
      if (complaints[place]) return;
      const cached = cache.get(hashes[place]!);
      // A payload of another length cannot be of this model: measured again.
      if (cached?.byteLength === width) data.set(cached, place * width);
      else missing.push(place);
    });
    let done = pictures.length - missing.length;
    options.progress(done, pictures.length);
    const files = missing.map((place) => ({
      file: (pictures[place] as { file: string }).file,
      hash: hashes[place]!,
    }));
    // A log that cannot be written ends the run: `put` throws in `deliver`, and the pool passes it
    // on.
    await options.pool.embed(
      files,
      {
        card: model.card,
        ...(model.modelFolder !== undefined && { modelFolder: model.modelFolder }),
      },
      { signal: options.signal, size: sharedSize(model.preprocessing) },
      ({ index, row, complaint }) => {
        const place = missing[index]!;
        options.progress(++done, pictures.length);
        if (complaint) complaints[place] = complaint;
        else if (row) {
          const payload = new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
          data.set(payload, place * width);
          // A worker read the file anew: one that changed since it was hashed is another picture.
          const { file, hash } = files[index]!;
          if (isAsHashed(file, hash)) cache.put(hash, payload);
        }
      },
    );
  });
  const places = pictures.flatMap((_, place) => (complaints[place] ? [] : [place]));
  const kept = new Uint8Array(places.length * width);
  places.forEach((place, row) => {
    kept.set(data.subarray(place * width, (place + 1) * width), row * width);
  });
  const vectors: Vectors | Codes =
    model.kind === "real"
      ? { data: new Float32Array(kept.buffer), dim: model.dim }
      : { data: kept, bits: model.dim };
  return { vectors, places, errors: errorsOf(pictures, complaints), complaints };
}

/** The size at which models may share a picture; none where it is not stretched to it. */
function sharedSize(preprocessing: Preprocessing | null): Preprocessing | undefined {
  const kept = preprocessing?.resizeShort !== undefined || preprocessing?.letterbox !== undefined;
  return kept ? undefined : (preprocessing ?? undefined);
}

export interface Detected {
  /** For each picture its detections and size, or null where it could not be used. */
  readonly found: readonly (PictureDetections | null)[];
  readonly errors: readonly ItemError[];
}

/** Detects in pictures one by one, decoding the next meanwhile; cached like embeddings. */
export async function detectPictures(
  detector: TimedDetector,
  preprocessing: unknown,
  pictures: readonly PictureRef[],
  options: ObserveOptions,
): Promise<Detected> {
  const { values, errors } = await observeEach(
    {
      what: "detections",
      model: detector.version,
      preprocessing,
      protocol: options.protocol,
      engine: engineVersion(),
    },
    pictures,
    options,
    {
      measure: async (pixels) =>
        PictureDetections.of(await detector.detect(pixels), pixels.width, pixels.height),
      pack: ({ bytes }) => bytes,
      unpack: (bytes) => PictureDetections.fromBytes(bytes),
    },
  );
  return { found: values, errors };
}

export interface Classified {
  /** For each picture a score a class, or null where it could not be used. */
  readonly scores: readonly (Float32Array | null)[];
  readonly errors: readonly ItemError[];
}

/** Classifies pictures one by one; cached like embeddings. */
export async function classifyPictures(
  classifier: Classifier,
  preprocessing: unknown,
  pictures: readonly PictureRef[],
  options: ObserveOptions,
): Promise<Classified> {
  const { values, errors } = await observeEach(
    {
      what: "classes",
      model: classifier.version,
      preprocessing,
      protocol: options.protocol,
      engine: engineVersion(),
    },
    pictures,
    options,
    {
      measure: async (pixels) => Float32Array.from(await classifier.classify(pixels)),
      pack: (scores) => new Uint8Array(scores.buffer),
      unpack: (bytes) => new Float32Array(new Uint8Array(bytes).buffer),
    },
  );
  return { scores: values, errors };
}

/** How a model observes one picture, and how the cache keeps it. */
interface Observer<T> {
  measure(pixels: Pixels): Promise<T>;
  pack(value: T): Uint8Array;
  unpack(bytes: Uint8Array): T;
}

/** One value a picture, from the cache or measured now; null where a picture could not be used. */
async function observeEach<T>(
  key: CacheKey,
  pictures: readonly PictureRef[],
  options: ObserveOptions,
  { measure, pack, unpack }: Observer<T>,
): Promise<{ values: (T | null)[]; errors: ItemError[] }> {
  const complaints: (Complaint | undefined)[] = pictures.map((p) =>
    "complaint" in p ? p.complaint : undefined,
  );
  const values: (T | null)[] = pictures.map(() => null);
  await options.caches.use(key, async (cache) => {
    // While a picture is measured the next one is read and decoded.
    let next = prepare(pictures[0], cache);
    for (const [place] of pictures.entries()) {
      options.signal.throwIfAborted();
      const prepared = await next;
      next = prepare(pictures[place + 1], cache);
      let value: T | undefined;
      try {
        if ("error" in prepared) throw prepared.error;
        if ("pixels" in prepared) value = values[place] = await measure(prepared.pixels);
        else if ("cached" in prepared) values[place] = unpack(prepared.cached);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        complaints[place] = error.complaint;
      }
      // Outside of the above: a disk that is full says nothing about the picture.
      if (value !== undefined) cache.put((prepared as { hash: string }).hash, pack(value));
      options.progress(place + 1, pictures.length);
    }
  });
  return { values, errors: errorsOf(pictures, complaints) };
}

type Prepared =
  | { readonly cached: Uint8Array }
  | { readonly hash: string; readonly pixels: Pixels }
  | { readonly error: unknown }
  | Record<string, never>;

/**
 * What the cache holds of a picture, else its pixels: a file is read once for hash and pixels.
 * Never rejects.
 */
async function prepare(
  picture: PictureRef | undefined,
  cache: ObservationCache,
): Promise<Prepared> {
  if (!picture || !("file" in picture)) return {};
  try {
    const known = knownHash(picture.file);
    const before = known === null ? undefined : cache.get(known);
    if (before) return { cached: before };
    // On this thread: an inference blocks it, and would hold up each step of an asynchronous
    // reading.
    const { bytes, hash } = readHashed(picture.file);
    const cached = cache.get(hash);
    return cached ? { cached } : { hash, pixels: await decode(bytes, { file: picture.file }) };
  } catch (error) {
    return { error };
  }
}

/** Files hashed before others get their turn: a signal, the progress bar. */
const hashesAtOnce = 64;

async function hashAll(
  pictures: readonly PictureRef[],
  complaints: (Complaint | undefined)[],
): Promise<(string | undefined)[]> {
  const hashes: (string | undefined)[] = [];
  for (const [place, picture] of pictures.entries()) {
    if (place % hashesAtOnce === hashesAtOnce - 1) await breathe();
    try {
      hashes.push("file" in picture ? pictureHash(picture.file) : undefined);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      complaints[place] = error.complaint;
      hashes.push(undefined);
    }
  }
  return hashes;
}

function errorsOf(
  pictures: readonly PictureRef[],
  complaints: readonly (Complaint | undefined)[],
): ItemError[] {
  return pictures.flatMap(({ item }, place) => {
    const complaint = complaints[place];
    return complaint
      ? [
          {
            item,
            code: complaint.code,
            message:
              complaint.found === undefined
                ? complaint.message
                : `${complaint.message}: ${complaint.found}`,
          },
        ]
      : [];
  });
}
