import { normalQuantile } from "../stats/distributions.js";
import { studentQuantile } from "../stats/clusters.js";
import { correlationTime } from "../stats/serial-correlation.js";
import { leastEffective } from "../stats/series-quantile.js";

/** A ratio of totals and where the truth lies, or why that cannot be said. */
export type TotalRatio = { readonly value: number } & (
  { readonly low: number; readonly high: number; readonly units: number } | { readonly why: string }
);

/**
 * How many times as long the second took in all, with its interval: what many pictures one after
 * another cost, spikes included, where the median of the ratios is what the picture in the middle
 * costs. Linearised (delta method): each round adds second / mean second - first / mean first, and
 * these are counted by their effective number, with Student's quantile.
 */
export function totalRatio(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  level: number,
): TotalRatio {
  const n = first.length;
  const [a, b] = [mean(first), mean(second)];
  const parts = Float64Array.from({ length: n }, (_, i) => second[i]! / b - first[i]! / a);
  const squares = parts.reduce((s, z) => s + z * z, 0);
  const time = correlationTime(parts);
  const units = Math.floor(n / time);
  const value = b / a;
  if (units < leastEffective)
    return { value, why: `${n} rounds tell no more than ${units} independent ones would` };
  const half = studentQuantile(0.5 + level / 2, units - 1) * Math.sqrt((squares / n / n) * time);
  return { value, low: value * Math.exp(-half), high: value * Math.exp(half), units };
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/**
 * The smallest step between two different times of these lists, over their median, where most times
 * are equal to another: no verdict on their ratio can be finer than what the clock tells apart. 1
 * where all times are equal, since the step may then be as long as they are; 0 where most differ.
 */
export function relativeClockStep(...lists: readonly ArrayLike<number>[]): number {
  const sorted = Float64Array.from(lists.flatMap((l) => Array.from(l))).sort();
  const median = sorted[Math.floor(sorted.length / 2)]!;
  // Differences in the last bits are rounding of the clock's numbers and no steps.
  const rounding = 1e-12 * sorted.at(-1)!;
  let step = Infinity;
  let steps = 0;
  for (let i = 1; i < sorted.length; i++) {
    const gap = sorted[i]! - sorted[i - 1]!;
    if (gap <= rounding) continue;
    step = Math.min(step, gap);
    steps++;
  }
  if (step === Infinity) return 1;
  return steps < sorted.length / 2 ? step / median : 0;
}

/** Power at which the minimal detectable effect is stated. */
export const power = 0.8;

/**
 * The smallest true change, as a fraction, that an interval of this half width (in logarithms)
 * excludes from none in 80% of runs: the half width is z standard errors; level and power together
 * need z + z(power) of them.
 */
export function detectableEffect(half: number, level: number): number {
  const z = normalQuantile(0.5 + level / 2);
  return Math.expm1((half * (z + normalQuantile(power))) / z);
}
