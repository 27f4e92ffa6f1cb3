import { embedFiles } from "../pipeline/embed-pool.js";
import { UserError, type Complaint } from "../pipeline/errors.js";
import { decode } from "../pipeline/image.js";
import type { TimedDetector } from "../pipeline/detector.js";
import type { Classifier } from "../pipeline/classifier.js";
import type { Codes, Detection, Pixels, Progress, Protocol, Vectors } from "../pipeline/types.js";
import { fileHash, ObservationCache, type CacheKey } from "./cache.js";
import { engineVersion } from "./engine-version.js";

/** A picture to observe: `item` as its list names it, `file` where it lies, or why it cannot be used. */
export type PictureRef = { readonly item: string } & ({ readonly file: string } | { readonly complaint: Complaint });

export interface ItemError {
  readonly item: string;
  readonly code: string;
  readonly message: string;
}

export interface ObserveOptions {
  readonly cacheRoot: string;
  readonly protocol: Protocol;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface EmbeddingModel {
  readonly card: string;
  readonly modelFolder?: string;
  readonly version: string;
  readonly preprocessing: unknown;
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
}

/** Embeds pictures whole, on all cores; what the cache holds is not embedded again, what is new goes there at once. */
export async function embedPictures(model: EmbeddingModel, pictures: readonly PictureRef[], options: ObserveOptions): Promise<Embedded> {
  const cache = await ObservationCache.open(options.cacheRoot, {
    what: "embedding", model: model.version, preprocessing: model.preprocessing, protocol: options.protocol, engine: engineVersion(),
  });
  // Rows are kept as bytes: the cache, floats and codes alike.
  const width = model.kind === "real" ? model.dim * 4 : model.dim / 8;
  const data = new Uint8Array(pictures.length * width);
  const complaints: (Complaint | undefined)[] = pictures.map((p) => ("complaint" in p ? p.complaint : undefined));
  let writing: Promise<void> = Promise.resolve();
  const broken = new AbortController();
  try {
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
    const files = missing.map((place) => (pictures[place] as { file: string }).file);
    await embedFiles(files, { card: model.card, ...(model.modelFolder !== undefined && { modelFolder: model.modelFolder }), signal: AbortSignal.any([options.signal, broken.signal]) }, ({ index, row, complaint }) => {
      const place = missing[index]!;
      options.progress(++done, pictures.length);
      if (complaint) complaints[place] = complaint;
      else if (row) {
        const payload = Buffer.from(row.buffer.slice(row.byteOffset, row.byteOffset + row.byteLength));
        data.set(payload, place * width);
        writing = writing.then(() => cache.put(hashes[place]!, payload));
        // A log that cannot be written stops the pool at once; the error itself is thrown below.
        writing.catch((error: unknown) => { broken.abort(error); });
      }
    });
    await writing;
  } finally {
    await writing.catch(() => undefined); // on an abort: what was delivered is still written
    await cache.close();
  }
  const places = pictures.flatMap((_, place) => (complaints[place] ? [] : [place]));
  const kept = new Uint8Array(places.length * width);
  places.forEach((place, row) => { kept.set(data.subarray(place * width, (place + 1) * width), row * width); });
  const vectors: Vectors | Codes = model.kind === "real" ? { data: new Float32Array(kept.buffer), dim: model.dim } : { data: kept, bits: model.dim };
  return { vectors, places, errors: errorsOf(pictures, complaints) };
}

export interface Detected {
  /** For each picture its detections and size, or null where it could not be used. */
  readonly found: readonly ({ readonly detections: readonly Detection[]; readonly width: number; readonly height: number } | null)[];
  readonly errors: readonly ItemError[];
}

/** Detects in pictures one by one, decoding the next meanwhile; cached like embeddings. */
export async function detectPictures(detector: TimedDetector, preprocessing: unknown, pictures: readonly PictureRef[], options: ObserveOptions): Promise<Detected> {
  const { values, errors } = await observeEach(
    { what: "detections", model: detector.version, preprocessing, protocol: options.protocol, engine: engineVersion() },
    pictures, options,
    async (pixels) => packDetections({ detections: await detector.detect(pixels), width: pixels.width, height: pixels.height }),
  );
  return { found: values.map((v) => v && unpackDetections(v)), errors };
}

export interface Classified {
  /** For each picture a score a class, or null where it could not be used. */
  readonly scores: readonly (Float32Array | null)[];
  readonly errors: readonly ItemError[];
}

/** Classifies pictures one by one; cached like embeddings. */
export async function classifyPictures(classifier: Classifier, preprocessing: unknown, pictures: readonly PictureRef[], options: ObserveOptions): Promise<Classified> {
  const { values, errors } = await observeEach(
    { what: "classes", model: classifier.version, preprocessing, protocol: options.protocol, engine: engineVersion() },
    pictures, options,
    async (pixels) => new Uint8Array(Float32Array.from(await classifier.classify(pixels)).buffer),
  );
  return { scores: values.map((v) => v && new Float32Array(new Uint8Array(v).buffer)), errors };
}

/** One payload a picture, from the cache or measured now; null where a picture could not be used. */
async function observeEach(key: CacheKey, pictures: readonly PictureRef[], options: ObserveOptions, measure: (pixels: Pixels) => Promise<Uint8Array>): Promise<{ values: (Uint8Array | null)[]; errors: ItemError[] }> {
  const cache = await ObservationCache.open(options.cacheRoot, key);
  const complaints: (Complaint | undefined)[] = pictures.map((p) => ("complaint" in p ? p.complaint : undefined));
  const values: (Uint8Array | null)[] = pictures.map(() => null);
  try {
    const hashes = await hashAll(pictures, complaints);
    const missing = pictures.flatMap((_, place) => {
      if (complaints[place]) return [];
      const cached = cache.get(hashes[place]!);
      if (!cached) return [place];
      values[place] = cached;
      return [];
    });
    let done = pictures.length - missing.length;
    const decoding = (place: number | undefined) => place === undefined ? undefined : decode((pictures[place] as { file: string }).file).then((pixels) => ({ pixels }), (error: unknown) => ({ error }));
    let next = decoding(missing[0]);
    for (const [i, place] of missing.entries()) {
      options.signal.throwIfAborted();
      const decoded = await next!;
      next = decoding(missing[i + 1]);
      let value: Uint8Array | undefined;
      try {
        if ("error" in decoded) throw decoded.error;
        value = values[place] = await measure(decoded.pixels);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        complaints[place] = error.complaint;
      }
      // Outside of the above: a disk that is full says nothing about the picture.
      if (value) await cache.put(hashes[place]!, value);
      options.progress(++done, pictures.length);
    }
  } finally {
    await cache.close();
  }
  return { values, errors: errorsOf(pictures, complaints) };
}

async function hashAll(pictures: readonly PictureRef[], complaints: (Complaint | undefined)[]): Promise<(string | undefined)[]> {
  const hashes: (string | undefined)[] = new Array<undefined>(pictures.length).fill(undefined);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < pictures.length) {
      const place = next++;
      const picture = pictures[place]!;
      if (!("file" in picture)) continue;
      try {
        hashes[place] = await fileHash(picture.file);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        complaints[place] = error.complaint;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return hashes;
}

function errorsOf(pictures: readonly PictureRef[], complaints: readonly (Complaint | undefined)[]): ItemError[] {
  return pictures.flatMap(({ item }, place) => {
    const complaint = complaints[place];
    return complaint ? [{ item, code: complaint.code, message: complaint.message }] : [];
  });
}

/** width, height, then class, score, x0, y0, x1, y1 of each box, as float64. */
function packDetections({ detections, width, height }: NonNullable<Detected["found"][number]>): Uint8Array {
  const flat = Float64Array.of(width, height, ...detections.flatMap((d) => [d.classId, d.score, d.box.x0, d.box.y0, d.box.x1, d.box.y1]));
  return new Uint8Array(flat.buffer);
}

function unpackDetections(bytes: Uint8Array): NonNullable<Detected["found"][number]> {
  const flat = new Float64Array(new Uint8Array(bytes).buffer);
  const detections: Detection[] = [];
  for (let i = 2; i < flat.length; i += 6) {
    detections.push({ classId: flat[i]!, score: flat[i + 1]!, box: { x0: flat[i + 2]!, y0: flat[i + 3]!, x1: flat[i + 4]!, y1: flat[i + 5]! } });
  }
  return { detections, width: flat[0]!, height: flat[1]! };
}
