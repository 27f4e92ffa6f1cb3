import { defaultIntervals } from "../stats/interval-plan.js";
import { quantileOfSorted } from "../stats/quantile.js";
import { undefinedScore, type Undefined } from "../stats/score.js";
import type { Score } from "../types.js";
import { drift, lagOneCorrelation, type Drift } from "./drift.js";

/** Samples in milliseconds, summarised; the samples themselves are kept beside it in the record. */
export interface LatencySummary {
  readonly n: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly meanMs: number;
  /** By percentile, as "50", "90", "95", "99": each with its distribution-free interval. */
  readonly percentiles: Readonly<Record<string, Score>>;
  readonly drift: Drift | null;
  /** Correlation of neighbouring samples; null where it cannot be computed. */
  readonly autocorrelation: number | null;
  /** Sentences for the reader: what weakens the intervals. */
  readonly cautions: readonly string[];
}

const percentiles = [50, 90, 95, 99];

/** @param samplesMs in the order in which they were taken. */
export function summarizeLatency(
  samplesMs: ArrayLike<number>,
  level = defaultIntervals.level,
): LatencySummary | Undefined {
  const n = samplesMs.length;
  if (n === 0) return undefinedScore("no samples");
  const sorted = Float64Array.from(samplesMs).sort();
  const trend = drift(samplesMs);
  const autocorrelation = lagOneCorrelation(samplesMs);
  const cautions: string[] = [];
  if (trend?.drifting)
    cautions.push(
      `the samples drift by ${(100 * trend.relativeChange).toFixed(1)}% from first to last`,
    );
  // Under independence the correlation is normal with deviation 1 / sqrt(n): 3.3 of it is one false
  // alarm in a thousand.
  if (autocorrelation !== null && autocorrelation > 3.3 / Math.sqrt(n)) {
    cautions.push(
      `neighbouring samples are alike (correlation ${autocorrelation.toFixed(2)}): intervals ` +
        "are narrower than they should be",
    );
  }
  let mean = 0;
  for (const ms of sorted) mean += ms / n;
  return {
    n,
    minMs: sorted[0]!,
    maxMs: sorted[n - 1]!,
    meanMs: mean,
    percentiles: Object.fromEntries(
      percentiles.map((p) => [String(p), quantileOfSorted(sorted, p / 100, level)]),
    ),
    drift: trend,
    autocorrelation,
    cautions,
  };
}
