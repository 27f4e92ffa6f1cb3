import type { Measured } from "../types.js";
import { normalQuantile } from "./distributions.js";
import { defaultIntervals } from "./interval-plan.js";
import { leaveOneOut, type ResampledStatistic } from "./resampled-statistic.js";
import { measured, undefinedScore, type Undefined } from "./score.js";

/** The statistic as it is, not corrected, with an interval around the value less its bias. */
export interface Jackknifed extends Measured {
  readonly standardError: number;
  /** Estimated expectation of the value less the truth. */
  readonly bias: number;
}

/**
 * The jackknife's interval (Efron and Tibshirani 1993, chapter 11): bias and standard error from
 * leaving out each item, and a normal interval around the bias-corrected value. For averages of
 * many ratios of small counts, such as a macro F1 with a few pictures a label: each ratio is
 * biased, the average does not average that out, and the bootstrap doubles it instead of removing
 * it.
 *
 * @param range the statistic's own limits, which the interval does not leave.
 */
export function jackknife(
  statistic: ResampledStatistic,
  {
    level = defaultIntervals.level,
    range = [-Infinity, Infinity] as readonly [number, number],
  } = {},
): Jackknifed | Undefined {
  const { n } = statistic;
  const value = statistic.evaluate(new Uint32Array(n).fill(1));
  if (value === null) return undefinedScore(n === 0 ? "no items" : "undefined on these items");
  const left = leaveOneOut(
    statistic,
    Int32Array.from({ length: n }, (_, i) => i),
    n,
  );
  const refuse = (why: string): Jackknifed => ({
    ...measured(value, n, null, why),
    standardError: 0,
    bias: 0,
  });
  if (n < 2) return refuse("one item only");
  let mean = 0;
  for (const v of left) {
    if (v === null) return refuse("undefined without one of the items");
    mean += v / n;
  }
  let squares = 0;
  for (const v of left) squares += (v! - mean) ** 2;
  const bias = (n - 1) * (mean - value);
  const standardError = Math.sqrt(((n - 1) / n) * squares);
  // Up to rounding.
  if (standardError <= 1e-12 * Math.abs(value))
    return { ...refuse("leaving out an item changes nothing"), bias };
  const half = normalQuantile(0.5 + level / 2) * standardError;
  const clip = (x: number): number => Math.min(range[1], Math.max(range[0], x));
  const [low, high] = [clip(value - bias - half), clip(value - bias + half)];
  return {
    ...measured(value, n, { low, high, level, method: "jackknife", units: n }),
    standardError,
    bias,
  };
}
