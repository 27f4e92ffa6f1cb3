/** `nextKey` found a key that is not in the table, or the object's end. */
export const unknownKey = -1;
export const endOfObject = -2;

/**
 * The keys that a reader asks for, found by length and first byte. At most 31 ASCII characters
 * each.
 */
export class KeyTable {
  readonly names: readonly string[];
  readonly #bytes: readonly Uint8Array[];
  readonly #index = new Int8Array(32 * 128).fill(-1);

  constructor(names: readonly string[]) {
    this.names = names;
    this.#bytes = names.map((name) => Buffer.from(name, "latin1"));
    this.#bytes.forEach((bytes, i) => {
      const slot = (bytes.length << 7) | bytes[0]!;
      if (this.#index[slot] !== -1)
        throw new RangeError(
          `keys ${names[i]} and ${names[this.#index[slot]!]} share length and first letter`,
        );
      this.#index[slot] = i;
    });
  }

  /** The key in buffer[from, to), or -1. */
  find(buffer: Uint8Array, from: number, to: number): number {
    const length = to - from;
    const first = buffer[from]!;
    if (length > 31 || length === 0 || first > 127) return unknownKey;
    const found = this.#index[(length << 7) | first]!;
    if (found < 0) return unknownKey;
    const bytes = this.#bytes[found]!;
    for (let i = 1; i < length; i++) if (buffer[from + i] !== bytes[i]) return unknownKey;
    return found;
  }
}
