import type { Score } from "../types.js";
import { binomialCdf, binomialQuantile } from "./distributions.js";
import { defaultIntervals } from "./interval-plan.js";
import { measured, undefinedScore } from "./score.js";

/**
 * Quantile of a sorted sample, interpolated linearly between order statistics (Hyndman and Fan's
 * type 7, as NumPy does).
 */
export function sampleQuantile(sorted: ArrayLike<number>, q: number): number {
  const place = (sorted.length - 1) * q;
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(sorted.length - 1, below + 1)]!;
  return low + (high - low) * (place - below);
}

/**
 * The q-quantile of a sorted sample with a distribution-free interval: the number of samples at or
 * below the true quantile is binomial(n, q) whatever the distribution, so ranks chosen from that
 * binomial enclose it (David and Nagaraja, Order Statistics, 7.1). The equal-tailed ranks are drawn
 * in, one step at a time, as long as the level holds; where n is too small for any, there is no
 * interval. Samples must be independent: drift or bursts void the promise.
 */
export function quantileOfSorted(
  sorted: ArrayLike<number>,
  q: number,
  level = defaultIntervals.level,
): Score {
  const n = sorted.length;
  if (n === 0) return undefinedScore("no samples");
  const ranks = quantileRanks(n, q, level);
  const value = sampleQuantile(sorted, q);
  if (ranks === null)
    return measured(value, n, null, `no two of ${n} samples enclose it with that confidence`);
  const [low, high] = [sorted[ranks[0] - 1]!, sorted[ranks[1] - 1]!];
  return measured(value, n, { low, high, level, method: "order-statistics", units: n });
}

/** Several quantiles of an unsorted sample. */
export function quantiles(
  samples: ArrayLike<number>,
  qs: readonly number[],
  level = defaultIntervals.level,
): Score[] {
  const sorted = Float64Array.from(samples).sort();
  return qs.map((q) => quantileOfSorted(sorted, q, level));
}

/**
 * Ranks l < u, from 1, with P(x(l) <= quantile <= x(u)) >= level; null where no two order
 * statistics reach it.
 */
export function quantileRanks(
  n: number,
  q: number,
  level = defaultIntervals.level,
): [number, number] | null {
  if (!(q > 0 && q < 1)) throw new RangeError(`a quantile lies strictly between 0 and 1, got ${q}`);
  const coverage = (l: number, u: number): number =>
    binomialCdf(u - 1, n, q) - binomialCdf(l - 1, n, q);
  const tail = (1 - level) / 2;
  let l = Math.max(1, binomialQuantile(tail, n, q));
  let u = Math.min(n, binomialQuantile(1 - tail, n, q) + 1);
  // Near the ends of the sample one tail has too few ranks: the other may make up for it.
  while (coverage(l, u) < level) {
    if (l > 1) l--;
    else if (u < n) u++;
    else return null;
  }
  for (;;) {
    const raised = l + 1 < u ? coverage(l + 1, u) : 0;
    const lowered = l < u - 1 ? coverage(l, u - 1) : 0;
    if (Math.max(raised, lowered) < level) return [l, u];
    if (raised >= lowered) l++;
    else u--;
  }
}
