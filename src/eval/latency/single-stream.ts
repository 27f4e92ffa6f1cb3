import { monotonicClock } from "../../pipeline/stopwatch.js";
import type { Clock } from "../../pipeline/types.js";
import { defaultIntervals } from "../stats/interval-plan.js";
import { seriesQuantiles } from "../stats/series-quantile.js";
import type { Score } from "../types.js";
import { earlyStoppingEstimate, minQueries } from "./early-stopping.js";
import { isPromise } from "./stages.js";

/** One query after another, each sent when the one before is answered: what a single user waits. */
export interface SingleStreamOptions {
  readonly clock?: Clock;
  readonly percentile?: number;
  /** At least this many, and at least what early stopping needs (64 for p90). */
  readonly queries?: number;
  /** MLPerf asks for 600 s; ours is a choice of the experiment and stands in the record. */
  readonly durationMs?: number;
  readonly warmupQueries?: number;
}

export interface SingleStream {
  readonly scenario: "single-stream";
  /** In the order sent. */
  readonly samplesMs: Float64Array;
  readonly percentile: number;
  /** The sample percentile with its interval. */
  readonly latency: Score;
  /** LoadGen's result: an upper bound at 99% confidence. */
  readonly earlyStopping: Score;
}

/**
 * LoadGen's SingleStream scenario over `serve(query)`; queries are counted from 0 and the caller
 * maps them to inputs.
 */
export async function runSingleStream(
  serve: (query: number) => unknown,
  options: SingleStreamOptions = {},
): Promise<SingleStream> {
  const {
    clock = monotonicClock,
    percentile = 0.9,
    queries = 0,
    durationMs = 0,
    warmupQueries = 8,
  } = options;
  for (let i = 0; i < warmupQueries; i++) await serve(i);
  const least = Math.max(queries, minQueries(1, { percentile }));
  const samples: number[] = [];
  const begin = clock();
  while (samples.length < least || clock() - begin < durationMs) {
    const start = clock();
    const pending = serve(samples.length);
    if (isPromise(pending)) await pending;
    samples.push(clock() - start);
  }
  return judgeSingleStream(Float64Array.from(samples), percentile);
}

/**
 * The scenario's result from samples that were taken one query after another, such as the `overall`
 * ones of `measurePasses`.
 */
export function judgeSingleStream(
  samplesMs: Float64Array,
  percentile = 0.9,
  level = defaultIntervals.level,
): SingleStream {
  return {
    scenario: "single-stream",
    samplesMs,
    percentile,
    latency: seriesQuantiles(samplesMs, [percentile], level)[0]!,
    earlyStopping: earlyStoppingEstimate(samplesMs, { percentile }),
  };
}
