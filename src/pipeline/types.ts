/**
 * Contracts of the pipeline: pixels and vectors, never ground truth. All coordinates are pixels,
 * all times milliseconds.
 */

/** 8-bit RGB, row-major, `data.length === width * height * 3`. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Half-open: covers x0 <= x < x1 and y0 <= y < y1, in pixels of the original picture. */
export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export interface Detection {
  readonly box: Box;
  readonly score: number;
  readonly classId: number;
}

/** n rows of `dim` floats, row-major. */
export interface Vectors {
  readonly data: Float32Array;
  readonly dim: number;
}

/** n rows of `bits / 8` bytes, the most significant bit of a byte first. */
export interface Codes {
  readonly data: Uint8Array;
  readonly bits: number;
}

/**
 * k neighbours for each of n queries, row-major n x k, best first. `rows[i]` is -1 where the index
 * returned fewer than k, and its score -Infinity (inner product) or Infinity (distances). `scores`
 * are inner products (higher is better), squared L2 or Hamming distances (lower is better), as the
 * index's metric says.
 */
export interface Neighbours {
  readonly k: number;
  readonly rows: Float64Array;
  readonly scores: Float32Array;
}

/** One gallery entry found for a query. */
export interface Hit {
  readonly row: number;
  readonly label: string;
  readonly score: number;
  /** The gallery picture, as its list names it. */
  readonly path: string;
}

/**
 * What became of one box: `below-threshold` and `suppressed` boxes carry the label that they would
 * have had; an `empty` one covers no whole pixel, so there was nothing to embed.
 */
export interface Recognition {
  readonly box: Box;
  readonly detectionScore: number;
  readonly label: string | null;
  readonly score: number;
  readonly fate: "kept" | "below-threshold" | "suppressed" | "empty";
  readonly hits: readonly Hit[];
}

export type Stage =
  "decode" | "preprocess" | "detect" | "crop" | "embed" | "classify" | "search" | "suppress";

/** All that one picture yielded, with the time of each stage in milliseconds. */
export interface Observation {
  readonly image: string;
  readonly width: number;
  readonly height: number;
  readonly detections: readonly Detection[];
  readonly recognitions: readonly Recognition[];
  readonly stageMs: Readonly<Partial<Record<Stage, number>>>;
  /** From the first stage to the last, what lies between them included. */
  readonly overallMs: number;
}

export type { Protocol } from "./protocol.js";

export type Interpolation = "linear" | "cubic";

/** Where a picture lies in a frame of another aspect ratio, and the value (0 to 255) around it. */
export interface Letterbox {
  readonly place: "corner" | "centre";
  readonly fill: number;
}

/**
 * How pixels become a tensor: resize to width x height, then (value * scale - mean[c]) / std[c] in
 * float32.
 */
export interface Preprocessing {
  /**
   * Resize so that the shorter side has so many px, the aspect ratio kept, and cut the middle of
   * `width` x `height` out (PaddleClas's ResizeImage with `resize_short`, then CropImage). Left
   * out: the picture is stretched.
   */
  readonly resizeShort?: number;
  /** Scale so that the whole picture fits, the aspect ratio kept; see `letterboxOf`. */
  readonly letterbox?: Letterbox;
  readonly width: number;
  readonly height: number;
  readonly interpolation: Interpolation;
  readonly colour: "rgb" | "bgr";
  readonly layout: "nchw" | "nhwc";
  readonly scale: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/**
 * Copied into every record: what it is and which version (a content hash where there is a file).
 */
export interface Stamped {
  readonly id: string;
  readonly version: string;
}

export interface Detector extends Stamped {
  detect(pixels: Pixels): Promise<Detection[]>;
}

export interface Embedder extends Stamped {
  /** Floats a vector, or bits a code. */
  readonly dim: number;
  readonly kind: "real" | "binary";
  embed(crops: readonly Pixels[]): Promise<Vectors | Codes>;
}

export type IndexMetric = "inner-product" | "l2" | "hamming";

/**
 * A vector index. Every method rejects or throws a UserError on a wrong dimension, NaN, or use
 * after `close`.
 */
export interface VectorIndex extends Stamped {
  readonly kind: "real" | "binary";
  readonly metric: IndexMetric;
  /** Floats a vector, or bits a code. */
  readonly dim: number;
  /** Vectors held. */
  readonly size: number;
  readonly trained: boolean;
  /**
   * What the user should know of this index, such as too few training points; grows as calls are
   * made.
   */
  readonly warnings: readonly string[];
  train(rows: Vectors | Codes): Promise<void>;
  /**
   * Adds rows; ids go on from the largest so far (0 in a new index) unless given (non-negative
   * integers below 2^53, each used once).
   */
  add(rows: Vectors | Codes, ids?: Float64Array): Promise<void>;
  search(queries: Vectors | Codes, k: number): Promise<Neighbours>;
  /** The same on the calling thread, for latency loops. */
  searchSync(queries: Vectors | Codes, k: number): Neighbours;
  /**
   * Run-time parameters, such as { nprobe: 8 } or { efSearch: 64 }; an unknown name is refused with
   * the valid ones.
   */
  set(parameters: Readonly<Record<string, number>>): void;
  /**
   * Removes by id, returns how many were there; the other ids stay as they are. HNSW refuses
   * (`remove-unsupported`).
   */
  remove(ids: Float64Array): Promise<number>;
  /** The index as bytes that `load` of the same engine reads back. */
  serialize(): Promise<Uint8Array>;
  /** Size of the serialized index in bytes. */
  bytes(): number;
  close(): void;
}

/** Milliseconds since an arbitrary start. Injected everywhere, so that tests need no real time. */
export type Clock = () => number;

/** Told of progress by long work; `total` may grow. */
export type Progress = (done: number, total: number) => void;

export function isCodes(rows: Vectors | Codes): rows is Codes {
  return "bits" in rows;
}

/** Number of rows held. */
export function rowCount(rows: Vectors | Codes): number {
  return isCodes(rows) ? rows.data.length / (rows.bits / 8) : rows.data.length / rows.dim;
}
