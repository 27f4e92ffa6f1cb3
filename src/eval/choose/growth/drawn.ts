import { normalizeRows, normRange } from "../../observe/feature-rows.js";
import { openIndex } from "../../../pipeline/index/engine.js";
import { isCodes, rowCount, type Codes, type Vectors } from "../../../pipeline/types.js";
import { Random } from "../../stats/random.js";

/** Middles of the mixture: the root of the number of vectors, and no more than this. */
const mostMiddles = 256;
const rounds = 5;
/** A part of the mixture with fewer vectors borrows its scatter from all. */
const leastMembers = 16;

/** A mixture fitted to vectors: middles, and the vectors that belong to each. */
export interface Mixture {
  readonly middles: Float32Array;
  readonly dim: number;
  /** Middle of each vector. */
  readonly belongs: Int32Array;
  readonly members: readonly (readonly number[])[];
}

/**
 * Fits a mixture by k-means from middles drawn among the vectors; each part keeps its own scatter
 * through the vectors that belong to it.
 */
export async function fitMixture(vectors: Vectors, seed: string): Promise<Mixture> {
  const { data, dim } = vectors;
  const n = rowCount(vectors);
  const count = Math.max(1, Math.min(mostMiddles, Math.floor(Math.sqrt(n))));
  const random = new Random(`${seed}/mixture`);
  const order = random.shuffled(Array.from({ length: n }, (_, i) => i)).slice(0, count);
  const middles = new Float32Array(count * dim);
  order.forEach((row, i) => middles.set(data.subarray(row * dim, (row + 1) * dim), i * dim));
  let belongs: Int32Array = new Int32Array(n);
  for (let round = 0; round < rounds; round++) {
    belongs = await nearestOf(vectors, { data: middles, dim });
    moveMiddles(vectors, belongs, middles);
  }
  const members = Array.from({ length: count }, (): number[] => []);
  belongs.forEach((middle, row) => members[middle]!.push(row));
  return { middles, dim, belongs, members };
}

async function nearestOf(vectors: Vectors, middles: Vectors): Promise<Int32Array> {
  const shape = { kind: "real", metric: "l2", dim: vectors.dim } as const;
  const index = await openIndex({ engine: "faiss", factory: "Flat", ...shape });
  try {
    await index.add(middles);
    return Int32Array.from((await index.search(vectors, 1)).rows);
  } finally {
    index.close();
  }
}

/** Each middle to the mean of what belongs to it; one without any stays. */
function moveMiddles({ data, dim }: Vectors, belongs: Int32Array, middles: Float32Array): void {
  const counts = new Float64Array(middles.length / dim);
  const sums = new Float64Array(middles.length);
  belongs.forEach((middle, row) => {
    counts[middle]!++;
    for (let d = 0; d < dim; d++) sums[middle * dim + d]! += data[row * dim + d]!;
  });
  for (let i = 0; i < sums.length; i++) {
    const count = counts[Math.floor(i / dim)]!;
    if (count > 0) middles[i] = sums[i]! / count;
  }
}

/**
 * Further vectors like those at hand: a middle by the weight of its part, and on it two deviations
 * of that part's own vectors, added and divided by the root of 2. Their mean and covariance are
 * those of the part (the smoothed bootstrap of Efron and Tibshirani, 16.5, with the data's own
 * deviations as its noise), and no drawn vector equals one at hand.
 */
export async function drawMore(vectors: Vectors, n: number, seed: string): Promise<Vectors> {
  const mixture = await fitMixture(vectors, seed);
  const { middles, dim, belongs, members } = mixture;
  const { data } = vectors;
  const have = rowCount(vectors);
  const random = new Random(`${seed}/more`);
  const drawn = new Float32Array(n * dim);
  for (let row = 0; row < n; row++) {
    const middle = belongs[random.below(have)]!;
    const own = members[middle]!;
    const donor = (): number =>
      own.length >= leastMembers ? own[random.below(own.length)]! : random.below(have);
    const [a, b] = [donor(), donor()];
    const [ofA, ofB] = [belongs[a]! * dim, belongs[b]! * dim];
    for (let d = 0; d < dim; d++) {
      const first = data[a * dim + d]! - middles[ofA + d]!;
      const second = data[b * dim + d]! - middles[ofB + d]!;
      drawn[row * dim + d] = middles[middle * dim + d]! + (first + second) * Math.SQRT1_2;
    }
  }
  const more = { data: drawn, dim };
  const [low, high] = normRange(vectors);
  if (low > 0.999 && high < 1.001) normalizeRows(more, "drawn vectors");
  return more;
}

/** The vectors at hand with as many drawn ones as a size needs; codes have no such model. */
export async function fillTo(
  rows: Vectors | Codes,
  size: number,
  seed: string,
): Promise<Vectors | null> {
  if (isCodes(rows)) return null;
  const have = rowCount(rows);
  const more = await drawMore(rows, size - have, seed);
  const data = new Float32Array(size * rows.dim);
  data.set(rows.data);
  data.set(more.data, have * rows.dim);
  return { data, dim: rows.dim };
}
