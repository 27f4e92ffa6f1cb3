/** Bits set in each byte. */
const ones = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
});

/** Hamming distance of each row of two sets of packed codes, in bits. */
export function rowHamming(first: Uint8Array, second: Uint8Array, bits: number): Int32Array {
  const width = bits / 8;
  if (first.length !== second.length || !Number.isInteger(first.length / width)) {
    throw new RangeError(`${first.length} and ${second.length} bytes are not rows of ${bits} bits`);
  }
  const distances = new Int32Array(first.length / width);
  for (let i = 0; i < first.length; i++) {
    distances[Math.floor(i / width)]! += ones[first[i]! ^ second[i]!]!;
  }
  return distances;
}

/** How often each bit differs, as a share of the rows: a bit that always flips is inverted. */
export function bitFlips(first: Uint8Array, second: Uint8Array, bits: number): Float64Array {
  const width = bits / 8;
  const rows = first.length / width;
  const flips = new Float64Array(bits);
  for (let i = 0; i < first.length; i++) {
    const different = first[i]! ^ second[i]!;
    for (let bit = 0; bit < 8; bit++) {
      if ((different >> (7 - bit)) & 1) flips[(i % width) * 8 + bit]! += 1 / rows;
    }
  }
  return flips;
}
