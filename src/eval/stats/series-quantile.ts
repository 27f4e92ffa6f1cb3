import type { Score } from "../types.js";
import { studentQuantile } from "./clusters.js";
import { normalQuantile } from "./distributions.js";
import { seriesEffect, type SeriesGroups } from "./grouped-series.js";
import { wilsonInterval } from "./proportion.js";
import { quantileRanks, sampleQuantile } from "./quantile.js";
import { measured, undefinedScore } from "./score.js";
import { effectiveSize } from "./serial-correlation.js";

/** Limits of a quantile of samples that were taken one after another, or why there are none. */
export type SeriesInterval =
  | { readonly low: number; readonly high: number; readonly units: number }
  | { readonly why: string };

/**
 * Effective samples below which no interval is given: with fewer, the correlation is so strong for
 * the length of the run that its own estimate cannot be relied on (`bench/timing-coverage.ts`).
 */
export const leastEffective = 20;

/**
 * Order statistics that enclose the q-quantile with the level's probability, as `quantileOfSorted`
 * has them for independent samples, where the samples tell no more than their effective size: the
 * ranks are those of so many independent ones, at the same shares of the sample.
 *
 * @param samples in the order in which they were taken.
 */
export function seriesInterval(
  samples: ArrayLike<number>,
  q: number,
  level: number,
): SeriesInterval {
  const n = samples.length;
  if (quantileRanks(n, q, level) === null)
    return { why: `${n} samples are too few for an interval` };
  const effective = Math.floor(effectiveSize(samples));
  if (effective < Math.min(leastEffective, n / 2))
    return {
      why:
        `neighbouring samples are so alike that ${n} of them tell no more than ${effective} ` +
        `would (${leastEffective} at least are needed)`,
    };
  const ranks = quantileRanks(effective, q, level);
  if (ranks === null) return { why: `${effective} effective samples are too few for an interval` };
  const sorted = Float64Array.from(samples).sort();
  const low = Math.floor(((ranks[0] - 1) * n) / effective);
  const high = Math.ceil((ranks[1] * n) / effective) - 1;
  return { low: sorted[low]!, high: sorted[high]!, units: effective };
}

/**
 * The same where samples come in blocks, or are of items that come again: Woodruff's interval of a
 * quantile (1952), which is that of the share of samples below it, by Wilson's formula on the
 * effective size with Student's quantile for so few groups.
 */
export function groupedInterval(
  samples: ArrayLike<number>,
  q: number,
  level: number,
  groups: SeriesGroups,
): SeriesInterval {
  const n = samples.length;
  const sorted = Float64Array.from(samples).sort();
  const found = seriesEffect(samples, sampleQuantile(sorted, q), groups);
  if ("why" in found) return found;
  const { effect, units } = found;
  if (units < 2) return { why: "one group of samples only" };
  const student = studentQuantile(0.5 + level / 2, units - 1) / normalQuantile(0.5 + level / 2);
  const effective = n / effect / student ** 2;
  if (effective < Math.min(leastEffective, n / 2)) return { why: tooFew(n, effective) };
  const share = wilsonInterval(q * effective, effective, level);
  if (share.high * n > n - 1 || share.low * n < 1)
    return { why: `${Math.floor(effective)} effective samples are too few for an interval` };
  return {
    low: sampleQuantile(sorted, share.low),
    high: sampleQuantile(sorted, share.high),
    units: Math.floor(effective),
  };
}

function tooFew(n: number, effective: number): string {
  return (
    `samples are so alike that ${n} of them tell no more than ${Math.floor(effective)} would ` +
    `(${leastEffective} at least are needed)`
  );
}

/**
 * Several quantiles of samples that were taken one after another: as `quantiles`, but the intervals
 * heed that neighbours, blocks and repetitions of an item are alike, and there is none where that
 * leaves too little.
 */
export function seriesQuantiles(
  samples: ArrayLike<number>,
  qs: readonly number[],
  level: number,
  groups?: SeriesGroups,
): Score[] {
  const n = samples.length;
  if (n === 0) return qs.map(() => undefinedScore("no samples"));
  const sorted = Float64Array.from(samples).sort();
  return qs.map((q) => {
    const value = sampleQuantile(sorted, q);
    const found = groups
      ? groupedInterval(samples, q, level, groups)
      : seriesInterval(samples, q, level);
    if ("why" in found) return measured(value, n, null, found.why);
    const method = groups ? "woodruff-effective-size" : "order-statistics-effective-size";
    return measured(value, n, { ...found, level, method });
  });
}
