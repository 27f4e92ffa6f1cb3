import type { RankArguments, RankResult } from "../../../native/ranks.js";

/**
 * `rankRows` in plain TypeScript: the fallback where the addon is not built, and its oracle. The
 * scores are the same to the last bit. One query against n vectors of dim floats costs n * dim
 * multiplications, 1 to 2 ns each.
 */
export function rankRowsPlain({
  queries,
  gallery,
  dim,
  markedStart,
  marked,
  excludedStart,
  excluded,
  top,
}: Omit<RankArguments, "threads" | "galleryNorm">): RankResult {
  const count = markedStart.length - 1;
  const size = gallery.length / dim;
  const result: RankResult = {
    scores: new Float64Array(marked.length),
    above: new Int32Array(marked.length),
    tied: new Int32Array(marked.length),
    tiedBefore: new Int32Array(marked.length),
    topRows: new Int32Array(count * top).fill(-1),
    topScores: new Float64Array(count * top).fill(-Infinity),
  };
  const score = scorer(queries, gallery, dim);
  const all = new Float64Array(size);
  const kind = new Uint8Array(size); // 0 ordinary, 1 marked, 2 excluded
  for (let q = 0; q < count; q++) {
    kind.fill(0);
    for (let i = markedStart[q]!; i < markedStart[q + 1]!; i++) kind[marked[i]!] = 1;
    for (let i = excludedStart[q]!; i < excludedStart[q + 1]!; i++) kind[excluded[i]!] = 2;
    for (let row = 0; row < size; row++) if (kind[row] !== 2) all[row] = score(q, row);
    keepBest(all, kind, top, result.topScores.subarray(q * top), result.topRows.subarray(q * top));
    const begin = markedStart[q]!;
    const end = markedStart[q + 1]!;
    if (begin === end) continue;
    for (let i = begin; i < end; i++) result.scores[i] = all[marked[i]!]!;
    countAround(
      all,
      kind,
      { marked: marked.subarray(begin, end), scores: result.scores.subarray(begin, end) },
      {
        above: result.above.subarray(begin, end),
        tied: result.tied.subarray(begin, end),
        tiedBefore: result.tiedBefore.subarray(begin, end),
      },
    );
  }
  return result;
}

/** The score of query q and gallery row g: an inner product, or minus the Hamming distance. */
export function scorer(
  queries: Float32Array | Uint8Array,
  gallery: Float32Array | Uint8Array,
  dim: number,
): (q: number, g: number) => number {
  if (queries instanceof Float32Array && gallery instanceof Float32Array)
    return (q, g) => innerProduct(queries, q * dim, gallery, g * dim, dim);
  return (q, g) => {
    let distance = 0;
    for (let i = 0, a = q * dim, b = g * dim; i < dim; i++)
      distance += onesOf[queries[a + i]! ^ gallery[b + i]!]!;
    return 0 - distance; // 0 - 0 is 0, not -0
  };
}

const onesOf = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let b = byte; b > 0; b >>= 1) ones += b & 1;
  return ones;
});

/**
 * The inner product that scores are compared by. Products of two floats are exact in double, so
 * only the order of the additions matters: four running sums, element i in sum i mod 4, joined as
 * (0 + 1) + (2 + 3). The addon's `Exact` does the same.
 */
export function innerProduct(
  a: Float32Array,
  aStart: number,
  b: Float32Array,
  bStart: number,
  dim: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 4 <= dim; i += 4) {
    s0 += a[aStart + i]! * b[bStart + i]!;
    s1 += a[aStart + i + 1]! * b[bStart + i + 1]!;
    s2 += a[aStart + i + 2]! * b[bStart + i + 2]!;
    s3 += a[aStart + i + 3]! * b[bStart + i + 3]!;
  }
  if (i < dim) s0 += a[aStart + i]! * b[bStart + i]!;
  if (i + 1 < dim) s1 += a[aStart + i + 1]! * b[bStart + i + 1]!;
  if (i + 2 < dim) s2 += a[aStart + i + 2]! * b[bStart + i + 2]!;
  return s0 + s1 + (s2 + s3);
}

/** Insertion into a short sorted list: greater score first, then smaller row. */
function keepBest(
  all: Float64Array,
  kind: Uint8Array,
  top: number,
  scores: Float64Array,
  rows: Int32Array,
): void {
  if (top === 0) return;
  for (let row = 0; row < all.length; row++) {
    const value = all[row]!;
    if (kind[row] === 2 || (rows[top - 1]! >= 0 && value <= scores[top - 1]!)) continue;
    let place = top - 1;
    while (place > 0 && (rows[place - 1]! < 0 || scores[place - 1]! < value)) {
      scores[place] = scores[place - 1]!;
      rows[place] = rows[place - 1]!;
      place--;
    }
    scores[place] = value;
    rows[place] = row;
  }
}

interface Around {
  readonly above: Int32Array;
  readonly tied: Int32Array;
  readonly tiedBefore: Int32Array;
}

/** Counts ordinary rows between the distinct scores of the marked rows, then sums up. */
function countAround(
  all: Float64Array,
  kind: Uint8Array,
  { marked, scores }: { marked: Int32Array; scores: Float64Array },
  out: Around,
): void {
  const values = Float64Array.from(new Set(scores)).sort(); // ascending
  // passed[i]: greater than exactly i of the values
  const passed = new Int32Array(values.length + 1);
  const tiedRows: number[][] = Array.from(values, () => []);
  const lowest = values[0]!;
  for (let row = 0; row < all.length; row++) {
    const value = all[row]!;
    if (value < lowest || kind[row] !== 0) continue;
    const less = lowerBound(values, value);
    if (values[less] === value) tiedRows[less]!.push(row);
    passed[less]!++;
  }
  const above = new Int32Array(values.length);
  for (let i = values.length - 1, sum = 0; i >= 0; i--) above[i] = sum += passed[i + 1]!;
  for (let i = 0; i < marked.length; i++) {
    const place = lowerBound(values, scores[i]!);
    const rows = tiedRows[place]!;
    out.above[i] = above[place]!;
    out.tied[i] = rows.length;
    out.tiedBefore[i] = lowerBound(rows, marked[i]!);
  }
}

/** How many of the ascending values are less. */
function lowerBound(values: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
