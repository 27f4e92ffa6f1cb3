/**
 * Decompresses an LZ4 frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), what
 * Arrow's buffers are in where pyarrow writes Feather by default. Checksums are passed over.
 *
 * @throws RangeError where the bytes are no such frame.
 */
export function decompressLz4Frame(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 7 || view.getUint32(0, true) !== 0x184d2204)
    throw new RangeError("no LZ4 frame");
  const [flags, block] = [bytes[4]!, bytes[5]!];
  const hasSize = (flags & 0x08) !== 0;
  let at = 7 + (hasSize ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0);
  const checksum = (flags & 0x10) !== 0 ? 4 : 0;
  const largest = 1 << (8 + 2 * ((block >> 4) & 7));
  const output = new Output(largest);
  for (;;) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) return output.bytes();
    const length = size & 0x7fffffff;
    if (length > bytes.length - at) throw new RangeError("an LZ4 block is cut");
    const part = bytes.subarray(at, at + length);
    if (size >>> 31 === 1) output.append(part);
    else decompressBlock(part, output);
    at += length + checksum;
  }
}

/** Bytes that grow; what was written before may be copied, across blocks. */
class Output {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  append(part: Uint8Array): void {
    this.#reserve(part.length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }

  /** Overlapping copies repeat what they have just written. */
  repeat(distance: number, length: number): void {
    if (distance === 0 || distance > this.#length)
      throw new RangeError("an LZ4 match lies before the beginning");
    this.#reserve(length);
    for (let i = 0; i < length; i++, this.#length++)
      this.#bytes[this.#length] = this.#bytes[this.#length - distance]!;
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Sequences of literals and matches (lz4_Block_format.md). */
function decompressBlock(bytes: Uint8Array, output: Output): void {
  let at = 0;
  const more = (length: number): number => {
    if (length < 15) return length;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError("an LZ4 length is cut");
      length += byte;
      if (byte !== 255) return length;
    }
  };
  while (at < bytes.length) {
    const token = bytes[at++]!;
    const literals = more(token >> 4);
    if (literals > bytes.length - at) throw new RangeError("LZ4 literals are cut");
    output.append(bytes.subarray(at, at + literals));
    at += literals;
    if (at === bytes.length) return;
    if (at + 2 > bytes.length) throw new RangeError("an LZ4 match is cut");
    const distance = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    output.repeat(distance, more(token & 15) + 4);
  }
}
