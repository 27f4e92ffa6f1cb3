import type { Score } from "../types.js";
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
 * Several quantiles of samples that were taken one after another: as `quantiles`, but the intervals
 * heed that neighbours are alike, and there is none where that leaves too little.
 */
export function seriesQuantiles(
  samples: ArrayLike<number>,
  qs: readonly number[],
  level: number,
): Score[] {
  const n = samples.length;
  if (n === 0) return qs.map(() => undefinedScore("no samples"));
  const sorted = Float64Array.from(samples).sort();
  return qs.map((q) => {
    const value = sampleQuantile(sorted, q);
    const found = seriesInterval(samples, q, level);
    if ("why" in found) return measured(value, n, null, found.why);
    return measured(value, n, { ...found, level, method: "order-statistics-effective-size" });
  });
}
