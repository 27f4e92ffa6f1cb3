import { monotonicClock } from "../../pipeline/stopwatch.js";
import type { Clock } from "../../pipeline/types.js";
import { defaultIntervals } from "../stats/interval-plan.js";
import { quantiles } from "../stats/quantile.js";
import type { Score } from "../types.js";

/** All samples are there at the start, the system takes them as it likes: throughput. */
export interface OfflineOptions {
  readonly clock?: Clock;
  /** Samples in one query. */
  readonly samples: number;
  /** LoadGen sends one query; repeating it gives an interval. */
  readonly rounds?: number;
  readonly warmupRounds?: number;
  /** Confidence of the interval. */
  readonly level?: number;
}

export interface Offline {
  readonly scenario: "offline";
  readonly samples: number;
  /** Duration of each round in ms, in order. */
  readonly roundsMs: Float64Array;
  /** Median of the rounds' samples a second, with its distribution-free interval. */
  readonly throughput: Score;
}

/** LoadGen's Offline scenario: `serveAll(count)` resolves when all are answered. */
export async function runOffline(
  serveAll: (count: number) => unknown,
  {
    clock = monotonicClock,
    samples,
    rounds = 10,
    warmupRounds = 1,
    level = defaultIntervals.level,
  }: OfflineOptions,
): Promise<Offline> {
  for (let i = 0; i < warmupRounds; i++) await serveAll(samples);
  const roundsMs = new Float64Array(rounds);
  for (let i = 0; i < rounds; i++) {
    const start = clock();
    await serveAll(samples);
    roundsMs[i] = clock() - start;
  }
  return {
    scenario: "offline",
    samples,
    roundsMs,
    throughput: quantiles(
      roundsMs.map((ms) => (1000 * samples) / ms),
      [0.5],
      level,
    )[0]!,
  };
}
