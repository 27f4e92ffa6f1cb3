import { Tensor } from "onnxruntime-node";
import { binarise } from "./binarise.js";
import { preprocessingOf, type Card } from "./card.js";
import { matrixOutput, mismatchIn } from "./card-check.js";
import { UserError } from "./errors.js";
import { loadModelFor, type LoadTimes, type Model, type ModelSettings } from "./model.js";
import { normaliseRows } from "./normalise.js";
import { tensorLength, toTensor } from "./preprocess.js";
import { Stopwatch } from "./stopwatch.js";
import { TensorPool } from "./tensor-pool.js";
import type { Box, Codes, Embedder, Pixels, Preprocessing, Vectors } from "./types.js";

/** An embedder that takes windows of a picture without copying them, and tells a stopwatch of `preprocess` and `embed`. */
export interface WindowEmbedder extends Embedder {
  /** A row a crop. @throws UserError `embedding-degenerate` naming the row, or `model-run-failed`. */
  embed(crops: readonly Pixels[], watch?: Stopwatch): Promise<Vectors | Codes>;
  /**
   * The same for windows of one picture: whole pixels, inside it, not empty.
   * @throws RangeError where a window is not.
   */
  embedWindows(pixels: Pixels, windows: readonly Box[], watch?: Stopwatch): Promise<Vectors | Codes>;
  close(): Promise<void>;
}

export interface EmbedderSettings extends ModelSettings {
  /** Crops a forward pass, where the model's batch is open. Default 8. */
  readonly batch?: number;
}

/**
 * Opens an embedder by its card.
 * @throws UserError of `loadModel`.
 */
export async function openEmbedder(cardFile: string, settings: EmbedderSettings = {}): Promise<OnnxEmbedder> {
  const model = await loadModelFor("recognition", cardFile, settings);
  return new OnnxEmbedder(model, settings.batch ?? 8);
}

/** What an embedder of this card yields: `dim` floats or bits a row. @throws UserError `card-mismatch` for other tasks. */
export function embeddingShape(card: Card): { readonly kind: "real" | "binary"; readonly dim: number } {
  if (card.task !== "recognition") throw mismatchIn(card.name)("task", card.task, "asked for recognition", "name the card of a recognition model");
  return { kind: card.recognition.binarise === "none" ? "real" : "binary", dim: card.recognition.size };
}

/** What is embedded: a picture or a window of it. */
interface Crop {
  readonly pixels: Pixels;
  readonly window?: Box;
}

/** Features of an ONNX model: L2-normalised floats, or binary codes, as its card says. */
export class OnnxEmbedder implements WindowEmbedder {
  readonly id: string;
  readonly version: string;
  readonly dim: number;
  readonly kind: "real" | "binary";
  readonly load: LoadTimes;
  /** Crops a forward pass: the model's own batch where that is fixed. */
  readonly batch: number;
  readonly #model: Model<"recognition">;
  readonly #preprocessing: Preprocessing;
  readonly #output: string;
  readonly #fixedBatch: boolean;
  readonly #tensors: TensorPool;

  constructor(model: Model<"recognition">, batch: number) {
    if (!Number.isInteger(batch) || batch < 1) throw new RangeError(`batch ${batch}: expected a whole number above 0`);
    const { size, output } = model.card.recognition;
    const { kind } = embeddingShape(model.card);
    const declared = model.imageInput.shape?.[0];
    this.id = model.id;
    this.version = model.version;
    this.dim = size;
    this.kind = kind;
    this.load = model.load;
    this.#fixedBatch = typeof declared === "number";
    this.batch = typeof declared === "number" ? declared : batch;
    this.#model = model;
    this.#preprocessing = preprocessingOf(model.card);
    this.#output = matrixOutput(model.outputs, output, ["recognition.output", "recognition.size", size], mismatchIn(model.file)).name;
    this.#tensors = new TensorPool(this.batch * tensorLength(this.#preprocessing));
  }

  async embed(crops: readonly Pixels[], watch: Stopwatch = new Stopwatch()): Promise<Vectors | Codes> {
    return this.#embed(crops.map((pixels) => ({ pixels })), watch);
  }

  async embedWindows(pixels: Pixels, windows: readonly Box[], watch: Stopwatch = new Stopwatch()): Promise<Vectors | Codes> {
    return this.#embed(windows.map((window) => ({ pixels, window })), watch);
  }

  async close(): Promise<void> {
    await this.#model.close();
  }

  async #embed(crops: readonly Crop[], watch: Stopwatch): Promise<Vectors | Codes> {
    const rows = new Float32Array(crops.length * this.dim);
    for (let from = 0; from < crops.length; from += this.batch) {
      await this.#forward(crops.slice(from, from + this.batch), rows.subarray(from * this.dim), watch);
    }
    return watch.timeSync("embed", () => this.#finish(rows));
  }

  /** One forward pass; a fixed batch that is not full runs with stale crops behind, whose rows are dropped. */
  async #forward(crops: readonly Crop[], into: Float32Array, watch: Stopwatch): Promise<void> {
    const { width, height, layout } = this.#preprocessing;
    const length = tensorLength(this.#preprocessing);
    const buffer = this.#tensors.take();
    try {
      watch.timeSync("preprocess", () => {
        crops.forEach(({ pixels, window }, i) => { toTensor(pixels, this.#preprocessing, { out: buffer, offset: i * length }, window); });
      });
      const n = this.#fixedBatch ? this.batch : crops.length;
      const input = new Tensor("float32", buffer.subarray(0, n * length), layout === "nchw" ? [n, 3, height, width] : [n, height, width, 3]);
      await watch.time("embed", async () => {
        const found = await this.#model.run({ [this.#model.imageInput.name]: input });
        into.set(this.#rowsOf(found[this.#output] as Tensor, n).subarray(0, crops.length * this.dim));
      });
    } finally {
      this.#tensors.give(buffer);
    }
  }

  #rowsOf({ data, dims, type }: Tensor, n: number): Float32Array {
    if (type !== "float32" || data.length !== n * this.dim) {
      throw mismatchIn(this.#model.file)("recognition.size", `${n} x ${this.dim} floats`, `${this.#output} ${type} [${dims.join(", ")}]`, "set recognition.size or recognition.output in the card to what the model yields");
    }
    return data as Float32Array;
  }

  #finish(rows: Float32Array): Vectors | Codes {
    const { binarise: rule, normalise } = this.#model.card.recognition;
    if (rule !== "none") {
      const codes = binarise(rows, this.dim, rule);
      if ("nanRow" in codes) throw this.#degenerate(codes.nanRow, "NaN in the model's output");
      return codes;
    }
    const bad = normalise ? normaliseRows(rows, this.dim) : rows.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) {
      const row = normalise ? bad : Math.floor(bad / this.dim);
      throw this.#degenerate(row, rows.subarray(row * this.dim, (row + 1) * this.dim).every((x) => x === 0) ? "only zeros in the model's output" : "NaN or infinity in the model's output");
    }
    return { data: rows, dim: this.dim };
  }

  #degenerate(row: number, found: string): UserError {
    return new UserError({ code: "embedding-degenerate", message: "a crop has no usable embedding", file: this.#model.file, path: `row ${row}`, expected: "finite numbers, not all zero", found, fix: "look at that crop; if it is a normal picture, the export is broken" });
  }
}
