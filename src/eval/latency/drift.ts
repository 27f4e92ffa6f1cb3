import { normalCdf } from "../stats/distributions.js";
import { sampleQuantile } from "../stats/quantile.js";

/**
 * Whether samples, in the order in which they were taken, rise or fall: a machine that heats up, a
 * warm-up that was too short.
 */
export interface Drift {
  /**
   * Change from the first block to the last along the fitted line, over the median; 0.1 is 10%
   * slower at the end.
   */
  readonly relativeChange: number;
  /** Two-sided p of Mann and Kendall's trend test. */
  readonly p: number;
  readonly drifting: boolean;
}

const mostBlocks = 40;

/**
 * Mann and Kendall's trend test and Theil and Sen's slope over medians of consecutive blocks, so
 * that spikes weigh nothing. It is drift where p < 0.01 and the change is more than 2%.
 *
 * @param samples in time order.
 * @returns null for fewer than 20 samples.
 */
export function drift(
  samples: ArrayLike<number>,
  { alarm = 0.01, negligible = 0.02 } = {},
): Drift | null {
  const n = samples.length;
  if (n < 20) return null;
  const blocks = Math.min(mostBlocks, n);
  const medians = Array.from({ length: blocks }, (_, b) => {
    const block = Float64Array.from(
      { length: Math.floor(((b + 1) * n) / blocks) - Math.floor((b * n) / blocks) },
      (_unused, i) => samples[Math.floor((b * n) / blocks) + i]!,
    );
    return sampleQuantile(block.sort(), 0.5);
  });
  let s = 0;
  const slopes: number[] = [];
  for (let i = 0; i < blocks; i++) {
    for (let j = i + 1; j < blocks; j++) {
      s += Math.sign(medians[j]! - medians[i]!);
      slopes.push((medians[j]! - medians[i]!) / (j - i));
    }
  }
  const z = (s - Math.sign(s)) / Math.sqrt(varianceOfS(medians));
  const p = s === 0 ? 1 : 2 * (1 - normalCdf(Math.abs(z)));
  const median = sampleQuantile(Float64Array.from(samples).sort(), 0.5);
  const relativeChange =
    median > 0
      ? (sampleQuantile(Float64Array.from(slopes).sort(), 0.5) * (blocks - 1)) / median
      : 0;
  return { relativeChange, p, drifting: p < alarm && Math.abs(relativeChange) > negligible };
}

/** Kendall 1975, with the correction for ties. */
function varianceOfS(values: readonly number[]): number {
  const n = values.length;
  const ties = new Map<number, number>();
  for (const v of values) ties.set(v, (ties.get(v) ?? 0) + 1);
  let sum = n * (n - 1) * (2 * n + 5);
  for (const t of ties.values()) sum -= t * (t - 1) * (2 * t + 5);
  return sum / 18;
}

/**
 * Correlation of neighbouring samples, -1 to 1: near 0 where samples are independent. Null for
 * fewer than 3 samples or no spread.
 */
export function lagOneCorrelation(samples: ArrayLike<number>): number | null {
  const n = samples.length;
  if (n < 3) return null;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += samples[i]! / n;
  let squares = 0;
  let products = 0;
  for (let i = 0; i < n; i++) {
    const d = samples[i]! - mean;
    squares += d * d;
    if (i > 0) products += d * (samples[i - 1]! - mean);
  }
  return squares > 0 ? products / squares : null;
}
