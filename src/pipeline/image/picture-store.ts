import type { Interpolation } from "../types.js";

/**
 * Room for one resized picture in the shared memory of a pool; `filled` where an earlier model of
 * the same input size left it there.
 */
export interface Slot {
  readonly offset: number;
  readonly filled: boolean;
}

/** A size that models take pictures at. */
export interface InputSize {
  readonly width: number;
  readonly height: number;
  readonly interpolation: Interpolation;
}

/**
 * Pictures as 8-bit RGB at the size that a model takes, by content, in memory that threads share:
 * models of one input size then decode and resize a picture once. Bounded: what finds no room is
 * not kept, and nothing is put out, since sweeps go through their pictures in the same order again
 * and again, where the last one put out is always the next one needed.
 */
export class PictureStore {
  readonly memory: SharedArrayBuffer;
  readonly #places = new Map<string, { readonly offset: number; filled: boolean }>();
  #used = 0;

  /**
   * @param bytes most that is held; memory that is never written to costs nothing on the usual
   * systems.
   */
  constructor(bytes: number) {
    this.memory = new SharedArrayBuffer(bytes);
  }

  /** The room of a picture at a size; null where there is none left. */
  slot(hash: string, { width, height, interpolation }: InputSize): Slot | null {
    const name = `${hash} ${width} ${height} ${interpolation}`;
    const known = this.#places.get(name);
    if (known) return { ...known };
    const bytes = width * height * 3;
    if (this.#used + bytes > this.memory.byteLength) return null;
    this.#places.set(name, { offset: this.#used, filled: false });
    this.#used += bytes;
    return { offset: this.#used - bytes, filled: false };
  }

  /** Says that a picture was written to its room. */
  fill(hash: string, { width, height, interpolation }: InputSize): void {
    const place = this.#places.get(`${hash} ${width} ${height} ${interpolation}`);
    if (place) place.filled = true;
  }
}
