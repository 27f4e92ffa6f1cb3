import type { CheckedRows } from "./row-checks.js";

/** Rows with their ids in one growing array, for the engines that scan. */
export class RowStore {
  readonly width: number;
  #data: Float32Array | Uint8Array;
  #ids: Float64Array;
  #size = 0;

  /** `width`: values a row (floats, or bytes of a code). */
  constructor(kind: "real" | "binary", width: number) {
    this.width = width;
    this.#data = kind === "real" ? new Float32Array(0) : new Uint8Array(0);
    this.#ids = new Float64Array(0);
  }

  get size(): number {
    return this.#size;
  }

  get ids(): Float64Array {
    return this.#ids.subarray(0, this.#size);
  }

  get data(): Float32Array | Uint8Array {
    return this.#data.subarray(0, this.#size * this.width);
  }

  add({ data, n }: CheckedRows, ids: Float64Array): void {
    this.#reserve(this.#size + n);
    this.#data.set(data, this.#size * this.width);
    this.#ids.set(ids, this.#size);
    this.#size += n;
  }

  /** Closes the gaps, in order; returns how many rows went. */
  remove(ids: Float64Array): number {
    const gone = new Set(ids);
    let kept = 0;
    for (let row = 0; row < this.#size; row++) {
      if (gone.has(this.#ids[row]!)) continue;
      this.#ids[kept] = this.#ids[row]!;
      this.#data.copyWithin(kept * this.width, row * this.width, (row + 1) * this.width);
      kept++;
    }
    const removed = this.#size - kept;
    this.#size = kept;
    return removed;
  }

  clear(): void {
    this.#data = this.#data.slice(0, 0);
    this.#ids = new Float64Array(0);
    this.#size = 0;
  }

  #reserve(rows: number): void {
    if (rows <= this.#ids.length) return;
    // The first block is taken as it comes, so that a gallery that is added at once takes no more
    // than its size.
    const capacity = this.#size === 0 ? rows : Math.max(rows, Math.ceil(this.#ids.length * 1.5));
    const ids = new Float64Array(capacity);
    ids.set(this.ids);
    this.#ids = ids;
    const data =
      this.#data instanceof Float32Array
        ? new Float32Array(capacity * this.width)
        : new Uint8Array(capacity * this.width);
    data.set(this.data);
    this.#data = data;
  }
}
