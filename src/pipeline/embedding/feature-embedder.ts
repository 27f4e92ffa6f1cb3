import { binarise, type BinariseRule } from "../index/binarise.js";
import { UserError } from "../errors.js";
import { normaliseRows } from "../image/normalise.js";
import { tensorLength, toTensor } from "../image/preprocess.js";
import { Stopwatch } from "../stopwatch.js";
import { TensorPool } from "../image/tensor-pool.js";
import type { Box, Codes, Embedder, Pixels, Preprocessing, Vectors } from "../types.js";

/**
 * An embedder that takes windows of a picture without copying them, and tells a stopwatch of
 * `preprocess` and `embed`.
 */
export interface WindowEmbedder extends Embedder {
  /**
   * A row a crop. @throws UserError `embedding-degenerate` naming the row, or `model-run-failed`.
   */
  embed(crops: readonly Pixels[], watch?: Stopwatch): Promise<Vectors | Codes>;
  /**
   * The same for windows of one picture: whole pixels, inside it, not empty.
   * @throws RangeError where a window is not.
   */
  embedWindows(
    pixels: Pixels,
    windows: readonly Box[],
    watch?: Stopwatch,
  ): Promise<Vectors | Codes>;
  close(): Promise<void>;
}

/** Turns preprocessed pictures into features: a network, or a formula. */
export interface FeatureSource {
  /** The only number of pictures that it takes at once; null where any will do. */
  readonly fixedBatch: number | null;
  /**
   * A row of features for each of `n` pictures in `tensor`; the result may be overwritten by the
   * next call.
   */
  rows(tensor: Float32Array, n: number): Promise<Float32Array>;
  close(): Promise<void>;
}

export interface FeatureEmbedderParts {
  readonly id: string;
  readonly version: string;
  /** Named in errors. */
  readonly file: string;
  /** Floats, or bits, a row. */
  readonly size: number;
  readonly normalise: boolean;
  readonly binarise: "none" | BinariseRule;
  readonly preprocessing: Preprocessing;
  readonly source: FeatureSource;
  /** Pictures at once, where the source leaves it open. Default 8. */
  readonly batch?: number;
}

interface Crop {
  readonly pixels: Pixels;
  readonly window?: Box;
}

/**
 * Preprocesses crops straight into a batch's tensor, takes their features, and normalises or
 * binarises them.
 */
export class FeatureEmbedder implements WindowEmbedder {
  readonly id: string;
  readonly version: string;
  readonly dim: number;
  readonly kind: "real" | "binary";
  /** Pictures at once. */
  readonly batch: number;
  readonly #parts: FeatureEmbedderParts;
  readonly #tensors: TensorPool;

  /** @throws UserError `batch` where the batch is no whole number above 0. */
  constructor(parts: FeatureEmbedderParts) {
    const batch = parts.source.fixedBatch ?? parts.batch ?? 8;
    if (!Number.isInteger(batch) || batch < 1)
      throw new UserError({
        code: "batch",
        message: "the batch size is wrong",
        expected: "a whole number above 0",
        found: String(batch),
        fix: "give 8, or leave it out",
      });
    this.id = parts.id;
    this.version = parts.version;
    this.dim = parts.size;
    this.kind = parts.binarise === "none" ? "real" : "binary";
    this.batch = batch;
    this.#parts = parts;
    this.#tensors = new TensorPool(batch * tensorLength(parts.preprocessing));
  }

  async embed(
    crops: readonly Pixels[],
    watch: Stopwatch = new Stopwatch(),
  ): Promise<Vectors | Codes> {
    return this.#embed(
      crops.map((pixels) => ({ pixels })),
      watch,
    );
  }

  async embedWindows(
    pixels: Pixels,
    windows: readonly Box[],
    watch: Stopwatch = new Stopwatch(),
  ): Promise<Vectors | Codes> {
    return this.#embed(
      windows.map((window) => ({ pixels, window })),
      watch,
    );
  }

  async close(): Promise<void> {
    await this.#parts.source.close();
  }

  async #embed(crops: readonly Crop[], watch: Stopwatch): Promise<Vectors | Codes> {
    const rows = new Float32Array(crops.length * this.dim);
    for (let from = 0; from < crops.length; from += this.batch) {
      await this.#forward(
        crops.slice(from, from + this.batch),
        rows.subarray(from * this.dim),
        watch,
      );
    }
    return watch.timeSync("embed", () => this.#finish(rows));
  }

  /**
   * One batch. Where a fixed one is not full, stale pictures fill it and their rows are dropped.
   */
  async #forward(crops: readonly Crop[], into: Float32Array, watch: Stopwatch): Promise<void> {
    const { preprocessing, source } = this.#parts;
    const length = tensorLength(preprocessing);
    const tensor = this.#tensors.take();
    try {
      watch.timeSync("preprocess", () => {
        crops.forEach(({ pixels, window }, i) => {
          toTensor(pixels, preprocessing, { out: tensor, offset: i * length }, window);
        });
      });
      const n = source.fixedBatch ?? crops.length;
      await watch.time("embed", async () => {
        const rows = await source.rows(tensor.subarray(0, n * length), n);
        into.set(rows.subarray(0, crops.length * this.dim));
      });
    } finally {
      this.#tensors.give(tensor);
    }
  }

  #finish(rows: Float32Array): Vectors | Codes {
    const { binarise: rule, normalise } = this.#parts;
    if (rule !== "none") {
      const codes = binarise(rows, this.dim, rule);
      if ("nanRow" in codes) throw this.#degenerate(codes.nanRow, rows);
      return codes;
    }
    const bad = normalise
      ? normaliseRows(rows, this.dim)
      : Math.floor(rows.findIndex((x) => !Number.isFinite(x)) / this.dim);
    if (bad >= 0) throw this.#degenerate(bad, rows);
    return { data: rows, dim: this.dim };
  }

  #degenerate(row: number, rows: Float32Array): UserError {
    const zeros = rows.subarray(row * this.dim, (row + 1) * this.dim).every((x) => x === 0);
    return new UserError({
      code: "embedding-degenerate",
      message: "a crop has no usable embedding",
      file: this.#parts.file,
      path: `row ${row}`,
      expected: "finite numbers, not all zero",
      found: zeros ? "only zeros" : "NaN, or a norm that is not finite",
      fix: "look at that crop; if it is a normal picture, the export is broken",
    });
  }
}
