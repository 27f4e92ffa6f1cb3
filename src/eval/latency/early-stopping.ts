import { binomialCdf } from "../stats/distributions.js";
import { measured, undefinedScore } from "../stats/score.js";
import type { Score } from "../types.js";

/**
 * MLPerf LoadGen's early stopping (`loadgen/early_stopping.cc`; MLPerf Inference Rules, "Early
 * stopping"). A latency L meets the p-th percentile if at most a share 1 - p of all queries, past
 * and to come, exceed it. With t of n queries over L, that is believed at confidence c when t or
 * fewer would turn up with probability 1 - c at most if the true share over L were 1 - p:
 *
 *     P(Binomial(n, 1 - p) <= t) <= 1 - c
 */
export interface Percentile {
  /** 0.9 for SingleStream, 0.99 for Server and MultiStream. */
  readonly percentile: number;
  /** 0.99 in LoadGen. */
  readonly confidence?: number;
}

/**
 * Queries that must be run in all, with `over` of them above the latency, for the rule above to
 * hold: 64 for p90 and 662 for p99 with one over.
 */
export function minQueries(over: number, { percentile, confidence = 0.99 }: Percentile): number {
  const believed = (n: number): boolean => binomialCdf(over, n, 1 - percentile) <= 1 - confidence;
  let high = Math.max(2, 2 * (over + 1));
  while (!believed(high)) high *= 2;
  let low = over;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (believed(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * Whether n queries with `over` of them above the bound show, at that confidence, that the
 * percentile lies within it.
 */
export function boundMet(
  n: number,
  over: number,
  { percentile, confidence = 0.99 }: Percentile,
): boolean {
  return over < n && binomialCdf(over, n, 1 - percentile) <= 1 - confidence;
}

/** Whether they show, at that confidence, that it lies above. */
export function boundMissed(
  n: number,
  over: number,
  { percentile, confidence = 0.99 }: Percentile,
): boolean {
  return over > 0 && 1 - binomialCdf(over - 1, n, 1 - percentile) <= 1 - confidence;
}

/**
 * LoadGen's early-stopping estimate of a percentile: the t-th highest sample, t as large as the
 * rule allows. It lies above the true percentile with at least the confidence's probability, so it
 * is an upper bound and not the sample percentile; the fewer queries, the higher it comes out.
 */
export function earlyStoppingEstimate(samples: ArrayLike<number>, percentile: Percentile): Score {
  const n = samples.length;
  const needed = minQueries(1, percentile);
  if (n < needed) return undefinedScore(`${n} queries; early stopping needs ${needed} at least`);
  let low = 1;
  let high = n;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (boundMet(n, middle, percentile)) low = middle;
    else high = middle;
  }
  const sorted = Float64Array.from(samples).sort();
  const why =
    `LoadGen early stopping: an upper bound at ` +
    `${100 * (percentile.confidence ?? 0.99)}% confidence`;
  return measured(sorted[n - low]!, n, null, why);
}
