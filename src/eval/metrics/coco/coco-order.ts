/**
 * Stable orders of rows, by counting: linear in the rows, and equal to numpy's mergesort on equal
 * keys.
 */

export function identity(n: number): Int32Array {
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  return order;
}

/**
 * The rows of `order` by rising `key` (0 <= key < buckets), equal keys left as they stand. `start`,
 * if given, receives buckets + 1 offsets.
 */
export function orderByKey(
  order: Int32Array,
  key: Int32Array,
  buckets: number,
  start = new Int32Array(buckets + 1),
): Int32Array {
  start.fill(0);
  for (let i = 0; i < order.length; i++) start[key[order[i]!]! + 1]!++;
  for (let b = 0; b < buckets; b++) start[b + 1]! += start[b]!;
  const next = start.slice(0, buckets);
  const sorted = new Int32Array(order.length);
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    sorted[next[key[row]!]!++] = row;
  }
  return sorted;
}

/**
 * The rows of `order` by falling finite `score`, equal scores left as they stand: a radix sort on
 * the bits of the doubles.
 */
export function orderByFallingScore(order: Int32Array, score: Float64Array): Int32Array {
  const n = order.length;
  // Few rows are not worth counting into many buckets.
  const digitBits = n < 4096 ? 8 : 16;
  const buckets = 2 ** digitBits;
  const digitsPerWord = 32 / digitBits;
  // A double as an integer that falls as the score rises, in two words, the lower first; 0 and -0
  // are one.
  let keys: KeyWords = [new Uint32Array(n), new Uint32Array(n)];
  const words = new Uint32Array(2);
  const value = new Float64Array(words.buffer);
  const high = littleEndian ? 1 : 0;
  for (let i = 0; i < n; i++) {
    value[0] = score[order[i]!]! + 0;
    const negative = words[high]! >>> 31;
    keys[0][i] = negative ? words[1 - high]! : ~words[1 - high]!;
    keys[1][i] = negative ? words[high]! : ~words[high]! ^ 0x80000000;
  }
  let rows = order.slice();
  const count = new Int32Array(buckets);
  for (let digit = 0; digit < 2 * digitsPerWord; digit++) {
    const by = keys[digit < digitsPerWord ? 0 : 1];
    const shift = (digit % digitsPerWord) * digitBits;
    count.fill(0);
    for (let i = 0; i < n; i++) count[(by[i]! >>> shift) & (buckets - 1)]!++;
    // Scores from float32 have equal low bits: such a digit orders nothing.
    if (n === 0 || count[(by[0]! >>> shift) & (buckets - 1)] === n) continue;
    let total = 0;
    for (let b = 0; b < buckets; b++) {
      const here = count[b]!;
      count[b] = total;
      total += here;
    }
    const sorted = new Int32Array(n);
    const moved: KeyWords = [new Uint32Array(n), new Uint32Array(n)];
    for (let i = 0; i < n; i++) {
      const to = count[(by[i]! >>> shift) & (buckets - 1)]!++;
      sorted[to] = rows[i]!;
      moved[0][to] = keys[0][i]!;
      moved[1][to] = keys[1][i]!;
    }
    rows = sorted;
    keys = moved;
  }
  return rows;
}

type KeyWords = readonly [Uint32Array, Uint32Array];
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
