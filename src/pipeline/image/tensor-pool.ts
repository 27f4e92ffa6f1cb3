/**
 * Hands out float buffers of one length and takes them back: a fresh 640 x 640 tensor costs a
 * millisecond of page faults.
 */
export class TensorPool {
  readonly #length: number;
  readonly #free: Float32Array[] = [];

  constructor(length: number) {
    this.#length = length;
  }

  /** A buffer with stale contents. */
  take(): Float32Array {
    return this.#free.pop() ?? new Float32Array(this.#length);
  }

  give(buffer: Float32Array): void {
    this.#free.push(buffer);
  }
}
