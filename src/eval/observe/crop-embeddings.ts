import { decode } from "../../pipeline/image/image.js";
import type { WindowEmbedder } from "../../pipeline/embedding/embedder.js";
import type { Box, Codes, Pixels, Preprocessing, Protocol, Vectors } from "../../pipeline/types.js";
import type { CacheKey, ObservationCache, ObservationCaches } from "./cache.js";
import { evidenceHash } from "./derived.js";
import { engineVersion } from "./engine-version.js";
import { pictureHash } from "./picture-hash.js";

/** Opens the cache of crops of an embedder while `work` goes on. */
export function withCrops<T>(
  caches: ObservationCaches,
  embedder: WindowEmbedder,
  { preprocessing, protocol }: { preprocessing: Preprocessing | null; protocol: Protocol },
  work: (crops: (file: string) => WindowEmbedder) => Promise<T>,
): Promise<T> {
  const key: CacheKey = {
    what: "crops",
    model: embedder.version,
    preprocessing,
    protocol,
    engine: engineVersion(),
  };
  return caches.use(key, (cache) => work((file) => new PictureCrops(file, embedder, cache)));
}

/**
 * An embedder for the windows of one picture file, which is decoded only for windows that were not
 * embedded before. Windows that go through the model together are kept together: others beside them
 * in a batch could change a vector's last bits.
 */
class PictureCrops implements WindowEmbedder {
  readonly #file: string;
  readonly #embedder: WindowEmbedder;
  readonly #cache: ObservationCache;
  #pixels: Promise<Pixels> | undefined;

  constructor(file: string, embedder: WindowEmbedder, cache: ObservationCache) {
    this.#file = file;
    this.#embedder = embedder;
    this.#cache = cache;
  }

  get id(): string {
    return this.#embedder.id;
  }
  get version(): string {
    return this.#embedder.version;
  }
  get dim(): number {
    return this.#embedder.dim;
  }
  get kind(): "real" | "binary" {
    return this.#embedder.kind;
  }

  embed(crops: readonly Pixels[]): Promise<Vectors | Codes> {
    return this.#embedder.embed(crops);
  }

  /** @param size of the picture; its pixels are read from the file where they are needed. */
  async embedWindows(size: Pixels, windows: readonly Box[]): Promise<Vectors | Codes> {
    const hash = evidenceHash({
      picture: pictureHash(this.#file),
      windows: windows.map(({ x0, y0, x1, y1 }) => [x0, y0, x1, y1]),
    });
    const { dim, kind } = this.#embedder;
    const width = kind === "real" ? dim * 4 : dim / 8;
    const cached = this.#cache.get(hash);
    // A payload of another length cannot be of this model.
    if (cached?.byteLength === windows.length * width) {
      const rows = Uint8Array.from(cached); // entries of a log are not aligned
      return kind === "real"
        ? { data: new Float32Array(rows.buffer), dim }
        : { data: rows, bits: dim };
    }
    const pixels = await (this.#pixels ??= decode(this.#file));
    if (pixels.width !== size.width || pixels.height !== size.height)
      throw new Error(`${this.#file} was ${size.width} x ${size.height} when its boxes were found`);
    const embedded = await this.#embedder.embedWindows(pixels, windows);
    // A copy: what is returned is the caller's, who may normalise it in place.
    this.#cache.put(
      hash,
      Uint8Array.from(
        new Uint8Array(embedded.data.buffer, embedded.data.byteOffset, embedded.data.byteLength),
      ),
    );
    return embedded;
  }

  /** The embedder belongs to whoever opened it. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
