/**
 * A statistic as the bootstrap wants it: computed from how often each item was drawn, and from
 * evidence gathered once.
 */
export interface ResampledStatistic {
  /** Items that a resample draws from. */
  readonly n: number;
  /**
   * The statistic where item i counts `weights[i]` times; null where it is undefined. `weights` is
   * reused by the caller.
   */
  evaluate(weights: Uint32Array): number | null;
  /**
   * Optional short cut for BCa: the statistic without each unit in turn, item i belonging to unit
   * `unitOf[i]`.
   */
  leaveOut?(unitOf: Int32Array, units: number): (number | null)[];
}

/** The statistic without each unit in turn, by its short cut where it has one. */
export function leaveOneOut(
  statistic: ResampledStatistic,
  unitOf: Int32Array,
  units: number,
): (number | null)[] {
  if (statistic.leaveOut) return statistic.leaveOut(unitOf, units);
  const weights = new Uint32Array(statistic.n);
  return Array.from({ length: units }, (_, unit) => {
    for (let i = 0; i < weights.length; i++) weights[i] = unitOf[i] === unit ? 0 : 1;
    return statistic.evaluate(weights);
  });
}

/**
 * A statistic that depends only on sums over the items: a mean, a ratio of sums, F1 from counts of
 * hits and misses.
 *
 * @param columns one array of n numbers for each sum.
 * @param of the statistic from the sums, null where undefined.
 */
export function sumsStatistic(
  columns: readonly ArrayLike<number>[],
  of: (sums: Float64Array) => number | null,
): ResampledStatistic {
  const n = columns[0]?.length ?? 0;
  if (columns.some((c) => c.length !== n)) throw new RangeError("columns differ in length");
  const width = columns.length;
  const held = columns.map((column) => Float64Array.from(column));
  const sums = new Float64Array(width);
  return {
    n,
    evaluate(weights) {
      for (let j = 0; j < width; j++) sums[j] = weightedSum(weights, held[j]!);
      return n === 0 ? null : of(sums);
    },
    leaveOut(unitOf, units) {
      const total = new Float64Array(width);
      const parts = new Float64Array(units * width);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < width; j++) {
          total[j]! += held[j]![i]!;
          parts[unitOf[i]! * width + j]! += held[j]![i]!;
        }
      }
      return Array.from({ length: units }, (_, unit) =>
        of(total.map((t, j) => t - parts[unit * width + j]!)),
      );
    },
  };
}

/**
 * Four sums side by side, since each addition waits for the one before it: the inner loop of every
 * bootstrap.
 */
function weightedSum(weights: Uint32Array, values: Float64Array): number {
  const n = values.length;
  const even = n - (n % 4);
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = 0; i < even; i += 4) {
    a += weights[i]! * values[i]!;
    b += weights[i + 1]! * values[i + 1]!;
    c += weights[i + 2]! * values[i + 2]!;
    d += weights[i + 3]! * values[i + 3]!;
  }
  for (let i = even; i < n; i++) a += weights[i]! * values[i]!;
  return a + b + (c + d);
}

/** The mean of one number an item. */
export function meanStatistic(values: ArrayLike<number>): ResampledStatistic {
  const ones = new Float64Array(values.length).fill(1);
  return sumsStatistic([values, ones], (sums) => (sums[1]! > 0 ? sums[0]! / sums[1]! : null));
}

/**
 * A sum over a sum, each over the items, such as correct objects over objects where images are
 * drawn.
 */
export function ratioStatistic(
  numerators: ArrayLike<number>,
  denominators: ArrayLike<number>,
): ResampledStatistic {
  return sumsStatistic([numerators, denominators], (sums) =>
    sums[1]! > 0 ? sums[0]! / sums[1]! : null,
  );
}
