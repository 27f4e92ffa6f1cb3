// agreement/: the answers of two models to the same pictures in; how far they agree out. It never
// sees the truth.
/** How alike two lists of numbers are: embeddings, scores, values inside a graph. */

/** The cosine of the angle between two vectors; null where one is all zero or not finite. */
export function cosine(first: ArrayLike<number>, second: ArrayLike<number>): number | null {
  let dot = 0;
  let a = 0;
  let b = 0;
  for (let i = 0; i < first.length; i++) {
    dot += first[i]! * second[i]!;
    a += first[i]! ** 2;
    b += second[i]! ** 2;
  }
  const value = dot / Math.sqrt(a * b);
  return Number.isFinite(value) ? Math.max(-1, Math.min(1, value)) : null;
}

/** What two equal lists are called: no error, so no ratio. Beyond float32's 150 dB. */
export const equalDb = 200;

/**
 * Signal to noise in dB: 10 log10 of the baseline's energy over the energy of the difference.
 *
 * @returns at most `equalDb`; -Infinity where the second is not finite; null where the baseline is
 * all zero and the second is not, so that there is no signal to measure by.
 */
export function snrDb(baseline: ArrayLike<number>, candidate: ArrayLike<number>): number | null {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < baseline.length; i++) {
    const difference = candidate[i]! - baseline[i]!;
    if (!Number.isFinite(difference))
      return Object.is(baseline[i], candidate[i]) ? null : -Infinity;
    signal += baseline[i]! ** 2;
    noise += difference ** 2;
  }
  if (noise === 0) return equalDb;
  return signal === 0 ? null : Math.min(equalDb, 10 * Math.log10(signal / noise));
}

export interface Distribution {
  readonly n: number;
  readonly mean: number;
  /** Quantiles of the worse side: the share of items that are worse. */
  readonly p1: number;
  readonly p5: number;
  readonly median: number;
  readonly worst: number;
}

/** A distribution of agreements of which higher is better; quantiles by nearest rank. */
export function distributionOf(values: ArrayLike<number>): Distribution | null {
  const n = values.length;
  if (n === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * n) - 1)]!;
  let sum = 0;
  for (const value of sorted) sum += value;
  return { n, mean: sum / n, p1: at(0.01), p5: at(0.05), median: at(0.5), worst: sorted[0]! };
}

/** Cosine of each row of two sets of vectors; null where a row has none. */
export function rowCosines(
  first: Float32Array,
  second: Float32Array,
  dim: number,
): (number | null)[] {
  if (first.length !== second.length || first.length % dim !== 0) {
    throw new RangeError(`${first.length} and ${second.length} floats are not rows of ${dim}`);
  }
  return Array.from({ length: first.length / dim }, (_, row) => {
    const [from, to] = [row * dim, (row + 1) * dim];
    return cosine(first.subarray(from, to), second.subarray(from, to));
  });
}
