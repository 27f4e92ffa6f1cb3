/** Stable orders of rows, by counting: linear in the rows, and equal to numpy's mergesort on equal keys. */

export function identity(n: number): Int32Array {
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  return order;
}

/** The rows of `order` by rising `key` (0 <= key < buckets), equal keys left as they stand. `start`, if given, receives buckets + 1 offsets. */
export function orderByKey(order: Int32Array, key: Int32Array, buckets: number, start = new Int32Array(buckets + 1)): Int32Array {
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

/** The rows of `order` by falling finite `score`, equal scores left as they stand. */
export function orderByFallingScore(order: Int32Array, score: Float64Array): Int32Array {
  const n = order.length;
  // A double as an integer that falls as the score rises, in two words; 0 and -0 are one.
  const words = new Uint32Array(2);
  const value = new Float64Array(words.buffer);
  const high = littleEndian ? 1 : 0;
  let keys = [new Uint32Array(n), new Uint32Array(n)] as [Uint32Array, Uint32Array];
  const counts = Array.from({ length: 4 }, () => new Int32Array(65536));
  for (let i = 0; i < n; i++) {
    value[0] = score[order[i]!]! + 0;
    const negative = words[high]! >>> 31;
    const upper = negative ? words[high]! : ~words[high]! ^ 0x80000000;
    const lower = negative ? words[1 - high]! : ~words[1 - high]!;
    keys[0][i] = lower;
    keys[1][i] = upper;
    counts[0]![lower & 0xffff]!++;
    counts[1]![lower >>> 16]!++;
    counts[2]![upper & 0xffff]!++;
    counts[3]![upper >>> 16]!++;
  }
  let rows = order;
  for (let digit = 0; digit < 4; digit++) {
    const count = counts[digit]!;
    const word = digit >> 1;
    const shift = (digit & 1) * 16;
    // Scores from float32 have equal low bits: such a digit orders nothing.
    if (n === 0 || count[(keys[word]![0]! >>> shift) & 0xffff] === n) continue;
    let total = 0;
    for (let b = 0; b < 65536; b++) {
      const here = count[b]!;
      count[b] = total;
      total += here;
    }
    const sorted = new Int32Array(n);
    const moved = [new Uint32Array(n), new Uint32Array(n)] as [Uint32Array, Uint32Array];
    const by = keys[word]!;
    for (let i = 0; i < n; i++) {
      const to = count[(by[i]! >>> shift) & 0xffff]!++;
      sorted[to] = rows[i]!;
      moved[0][to] = keys[0][i]!;
      moved[1][to] = keys[1][i]!;
    }
    rows = sorted;
    keys = moved;
  }
  return rows === order ? order.slice() : rows;
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
