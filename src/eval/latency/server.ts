import { monotonicClock } from "../../pipeline/stopwatch.js";
import type { Clock } from "../../pipeline/types.js";
import { defaultIntervals } from "../stats/interval-plan.js";
import { seriesQuantiles } from "../stats/series-quantile.js";
import type { Score } from "../types.js";
import { Random } from "../stats/random.js";
import { minQueries } from "./early-stopping.js";
import { judgeQueue, serviceTimes } from "./queue-replay.js";
import { realTimer, type Timer } from "./timer.js";

/**
 * Queries arrive as they please (a Poisson process) and must be answered within a bound: what a
 * service can promise.
 */
export interface ServerOptions {
  readonly timer?: Timer;
  /** Mean arrivals a second. */
  readonly qps: number;
  readonly latencyBoundMs: number;
  readonly percentile?: number;
  readonly confidence?: number;
  /** Confidence of the latency's interval. */
  readonly level?: number;
  /** At least this many, at least 400, and at least what early stopping needs (459 for p99). */
  readonly queries?: number;
  readonly durationMs?: number;
  readonly seed?: number | string;
}

export interface ServerRun {
  readonly scenario: "server";
  readonly qps: number;
  /** From each query's scheduled arrival to its answer, in order of arrival. */
  readonly samplesMs: Float64Array;
  readonly queries: number;
  /** When each query was to arrive, in ms from the first one's. */
  readonly arrivalsMs: Float64Array;
  /** Queries above the bound. */
  readonly over: number;
  readonly latency: Score;
  /** `met` and `missed` hold at 99% confidence; `cannot tell` lies between. */
  readonly verdict: "met" | "missed" | "cannot tell";
  /** Shares of late queries over the replays of the verdict, lowest and highest. */
  readonly late: readonly [number, number] | null;
  /** Whether it ended early because the bound could no longer be met within the planned queries. */
  readonly cutShort: boolean;
  /**
   * The latest that a query was sent after its scheduled arrival: the sender itself fell behind.
   */
  readonly sentLateMs: number;
}

/**
 * LoadGen's Server scenario. Latency counts from the scheduled arrival, so that a system which
 * blocks the sender does not hide the wait. The number of queries is fixed before the run and
 * judged once, after it, by replays of its service times; a run whose late queries are already
 * several times what the bound allows ends early.
 *
 * @param serve answers a query (counted from 0); may work on several at once.
 */
export async function runServer(
  serve: (query: number) => unknown,
  options: ServerOptions,
): Promise<ServerRun> {
  const {
    timer = realTimer,
    qps,
    latencyBoundMs,
    percentile = 0.99,
    level = defaultIntervals.level,
    seed = 0,
  } = options;
  if (!(qps > 0)) throw new RangeError(`arrivals a second must be positive, got ${qps}`);
  const count = queriesAt(options);
  const random = new Random(seed).split("arrivals");
  const latencies = new Float64Array(count).fill(NaN);
  const scheduled = new Float64Array(count);
  const pending: Promise<void>[] = [];
  let failure: { error: unknown } | undefined;
  let over = 0;
  let oldest = 0;
  let sent = 0;
  let sentLateMs = 0;
  let arrival = timer.now();
  for (; sent < count; sent++) {
    arrival += (1000 / qps) * random.exponential();
    await timer.sleepUntil(arrival);
    const now = timer.now();
    sentLateMs = Math.max(sentLateMs, now - arrival);
    while (oldest < sent && !Number.isNaN(latencies[oldest]!)) oldest++;
    let waiting = 0;
    for (let i = oldest; i < sent && now - scheduled[i]! > latencyBoundMs; i++)
      if (Number.isNaN(latencies[i]!)) waiting++;
    if (failure || over + waiting > hopeless * count * (1 - percentile) + fewLate) break;
    const query = sent;
    scheduled[query] = arrival;
    pending.push(
      (async () => {
        try {
          await serve(query);
          latencies[query] = timer.now() - scheduled[query]!;
          if (latencies[query]! > latencyBoundMs) over++;
        } catch (error) {
          failure ??= { error };
        }
      })(),
    );
  }
  await Promise.all(pending);
  if (failure) throw failure.error;
  const samplesMs = latencies.slice(0, sent);
  const arrivalsMs = scheduled.slice(0, sent).map((ms) => ms - scheduled[0]!);
  const cutShort = sent < count;
  const judged = judgeQueue(serviceTimes({ arrivalsMs, latenciesMs: samplesMs }), {
    qps,
    boundMs: latencyBoundMs,
    percentile,
  });
  // Cut short with most queries late, there are too few service times, and no need of them.
  const lost = cutShort && over > sent / 2;
  return {
    scenario: "server",
    qps,
    samplesMs,
    arrivalsMs,
    queries: sent,
    over,
    latency: seriesQuantiles(samplesMs, [percentile], level)[0]!,
    verdict: lost ? "missed" : judged.verdict,
    late: judged.late,
    cutShort,
    sentLateMs,
  };
}

/** A run ends early with so many times the late queries that the bound allows, and a few more. */
const hopeless = 3;
const fewLate = 20;

/** Fewer queries say too little of the service times. */
const leastQueries = 400;

/** How many queries a run plans to send. */
export function queriesAt({
  qps,
  percentile = 0.99,
  confidence = 0.99,
  queries = 0,
  durationMs = 0,
}: Pick<ServerOptions, "qps" | "percentile" | "confidence" | "queries" | "durationMs">): number {
  return Math.max(
    queries,
    leastQueries,
    minQueries(0, { percentile, confidence }),
    Math.ceil((qps * durationMs) / 1000),
  );
}

export interface ServerSearch {
  /** The highest rate that met the bound; null where none did. */
  readonly qps: number | null;
  /** The lowest rate above it that did not; null where the search ended before one was found. */
  readonly unmetQps: number | null;
  /** All runs, in order: none is hidden. */
  readonly runs: readonly ServerRun[];
  /** Whether the next run would have gone beyond the time allowed. */
  readonly outOfTime: boolean;
}

export interface SearchOptions {
  readonly startQps: number;
  /** The search ends where the rates met and not met are so close. */
  readonly ratio?: number;
  /** From rate to rate until one that is met and one that is not are known. */
  readonly step?: number;
  readonly mostRuns?: number;
  /**
   * No run is begun whose `queries` arrivals would end later than this, from the search's start.
   * The first is.
   */
  readonly mostMs?: number;
  readonly queries?: number;
  readonly clock?: Clock;
}

/**
 * The highest arrival rate that meets the bound, between a rate that did and one that did not, at
 * most `ratio` apart: goes up or down from `startQps` by `step` until both are known, then halves
 * the gap (in the logarithm).
 */
export async function findMaxQps(
  runAt: (qps: number) => Promise<ServerRun>,
  {
    startQps,
    ratio = 1.05,
    step = 2,
    mostRuns = 20,
    mostMs = Infinity,
    queries = 0,
    clock = monotonicClock,
  }: SearchOptions,
): Promise<ServerSearch> {
  const runs: ServerRun[] = [];
  let met: number | null = null;
  let unmet: number | null = null;
  let next = startQps;
  let outOfTime = false;
  const begin = clock();
  while (runs.length < mostRuns && (met === null || unmet === null || unmet / met > ratio)) {
    outOfTime = runs.length > 0 && clock() - begin + (1000 * queries) / next > mostMs;
    if (outOfTime) break;
    const run = await runAt(next);
    runs.push(run);
    if (run.verdict === "met") met = next;
    else unmet = next;
    if (met === null) next /= step;
    else if (unmet === null) next *= step;
    else next = Math.sqrt(met * unmet);
  }
  return { qps: met, unmetQps: unmet, runs, outOfTime };
}
