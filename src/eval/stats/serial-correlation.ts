/**
 * How much n samples tell where neighbours are alike: intervals that take them as independent are
 * too narrow by the root of n over the effective size. Everything is computed on ranks, so that one
 * spike neither makes nor hides a correlation.
 */

/** Ranks from 1; equal values share their mean rank. */
export function midRanks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort(
    (a, b) => values[a]! - values[b]!,
  );
  const ranks = new Float64Array(values.length);
  for (let at = 0, next = 0; at < order.length; at = next) {
    while (next < order.length && values[order[next]!] === values[order[at]!]) next++;
    for (let i = at; i < next; i++) ranks[order[i]!] = (at + 1 + next) / 2;
  }
  return ranks;
}

/**
 * Autocorrelations of the ranks at lags 1 to `lags`, each raised by 1 / n, which is what taking off
 * the sample's own mean costs; null where all values are equal.
 */
export function rankCorrelations(values: ArrayLike<number>, lags: number): Float64Array | null {
  const n = values.length;
  const ranks = midRanks(values);
  const centred = ranks.map((r) => r - (n + 1) / 2);
  const squares = centred.reduce((s, c) => s + c * c, 0);
  if (!(squares > 0)) return null;
  return Float64Array.from({ length: Math.min(lags, n - 1) }, (_, k) => {
    let products = 0;
    for (let i = k + 1; i < n; i++) products += centred[i]! * centred[i - k - 1]!;
    return products / squares + 1 / n;
  });
}

/** Lags that are looked at. Beyond them a run is too short to tell anything but drift. */
const mostLags = 120;

/**
 * Variance of a mean of the samples over what it would be if they were independent: the larger of
 * Geyer's initial monotone sequence (Geyer 1992, "Practical Markov Chain Monte Carlo", section 3.3)
 * over the rank correlations, which sees slow waves under fast noise, and (1 + r) / (1 - r) for the
 * correlation r of neighbours, corrected for its bias (Kendall 1954). At least 1: that neighbours
 * are unlike narrows no interval here.
 *
 * @param samples in the order in which they were taken.
 */
export function correlationTime(samples: ArrayLike<number>): number {
  const n = samples.length;
  if (n < 4) return 1;
  const at = rankCorrelations(samples, Math.min(mostLags, Math.floor(n / 2)));
  if (at === null) return 1;
  const first = Math.min(0.99, Math.max(0, at[0]! + (3 * Math.max(0, at[0]!)) / n));
  return Math.max(1, (1 + first) / (1 - first), initialMonotoneSum(at));
}

/** Of the pairs of correlations at lags 0 and 1, 2 and 3, …: while positive, never rising. */
function initialMonotoneSum(at: Float64Array): number {
  let sum = -1;
  let before = Infinity;
  for (let m = 0; 2 * m < at.length; m++) {
    const pair = (m === 0 ? 1 : at[2 * m - 1]!) + at[2 * m]!;
    if (pair <= 0) break;
    before = Math.min(before, pair);
    sum += 2 * before;
  }
  return sum;
}

/** Independent samples that would tell as much. */
export function effectiveSize(samples: ArrayLike<number>): number {
  return samples.length / correlationTime(samples);
}
