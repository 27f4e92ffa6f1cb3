import { fileURLToPath } from "node:url";
import { UserError } from "../../pipeline/errors.js";
import type { LatencyMeasurement } from "../config/config.js";
import {
  measureColdStart,
  type ColdStartKey,
  type ColdStartSample,
} from "../latency/cold-start.js";
import type { ColdSystem } from "../latency/cold-recognizer.js";
import { runOffline } from "../latency/offline.js";
import { foreseenQps } from "../latency/queue-replay.js";
import { findMaxQps, queriesAt, runServer, type ServerRun } from "../latency/server.js";
import { judgeSingleStream } from "../latency/single-stream.js";
import type { Finding, RecordedScore } from "../record/record.js";
import { defaultIntervals } from "../stats/interval-plan.js";
import { quantiles, sampleQuantile } from "../stats/quantile.js";
import { measured, named, undefinedScore } from "../stats/score.js";
import type { Interval, Score, ScoreName } from "../types.js";
import type { CellContext } from "./cell.js";
import { withSavedGallery, type OpenSystem, type RecognitionService } from "./timed-system.js";

/** What a scenario adds to its cell. */
export interface ScenarioResult {
  readonly scores: readonly RecordedScore[];
  readonly samples: Readonly<Record<string, readonly number[]>>;
  readonly findings?: readonly Finding[];
}

/** LoadGen's SingleStream from the samples of whole pictures: early stopping's upper bounds. */
export function singleStreamScores(overallMs: readonly number[]): RecordedScore[] {
  return [0.9, 0.99].map((percentile) => {
    const { earlyStopping } = judgeSingleStream(Float64Array.from(overallMs), percentile);
    const of = { percentile: percentText(percentile) };
    return named(
      { metric: "single-stream-latency", unit: "ms", better: "lower", of },
      earlyStopping,
    );
  });
}

export async function measureOffline(
  service: RecognitionService,
  { pictures, rounds }: NonNullable<LatencyMeasurement["offline"]>,
  level = defaultIntervals.level,
): Promise<ScenarioResult> {
  const { throughput, roundsMs } = await runOffline((count) => service.serveAll(count), {
    samples: pictures,
    rounds,
    level,
  });
  service.check();
  return {
    scores: [
      named(
        { metric: "throughput", unit: "per-second", better: "higher", of: { scenario: "offline" } },
        throughput,
      ),
    ],
    samples: { offline: [...roundsMs] },
  };
}

/** The search begins a little below the rate that the pictures' own times let expect. */
const firstShare = 0.9;

/**
 * @param picturesMs times of pictures one after another, for the first rate.
 * @param throughput what the system does where all pictures are there at once, if that is known.
 */
export async function measureServer(
  service: RecognitionService,
  picturesMs: readonly number[],
  settings: NonNullable<LatencyMeasurement["server"]>,
  { level = defaultIntervals.level, throughput }: { level?: number; throughput?: Score },
): Promise<ScenarioResult> {
  const { boundMs, percentile, queries, ratio, mostRuns, mostSeconds } = settings;
  const times = Float64Array.from(picturesMs);
  const foreseen =
    foreseenQps(times, { boundMs, percentile }) ?? 500 / sampleQuantile(times.slice().sort(), 0.5);
  const startQps = firstShare * foreseen;
  const { qps, unmetQps, runs, outOfTime } = await findMaxQps(
    async (rate) => {
      const run = await runServer((query) => service.serve(query), {
        qps: rate,
        latencyBoundMs: boundMs,
        percentile,
        queries,
        // Arrivals of its own for each rate: a lucky sequence does not stay so.
        seed: `server ${rateText(rate)}`,
        level,
      });
      service.check();
      return run;
    },
    {
      startQps,
      ratio,
      step: Math.max(1.25, ratio),
      mostRuns,
      mostMs: 1000 * mostSeconds,
      queries: queriesAt({ qps: startQps, percentile, queries }),
    },
  );
  const of = { percentile: percentText(percentile), boundMs: String(boundMs) };
  const found = runs.findLast((r) => r.qps === qps);
  const ended = outOfTime ? " (the search ended for want of time)" : "";
  const bracket = (met: number, { queries: units }: ServerRun): Interval | null =>
    unmetQps === null
      ? null
      : {
          low: met,
          high: unmetQps,
          level: 0.99,
          method: `met, and the lowest rate tried above it that was not${ended}`,
          units,
        };
  const late = outOfTime ? `, and a lower one would have taken more than ${mostSeconds} s` : "";
  const rate =
    qps === null || !found
      ? undefinedScore(
          `no rate from ${rateText(runs.at(-1)!.qps)} a second on met the bound of ` +
            `${boundMs} ms${late}`,
        )
      : measured(qps, found.queries, bracket(qps, found), `no rate tried was too high${ended}`);
  return {
    scores: [
      named({ metric: "server-rate", unit: "per-second", better: "higher", of }, rate),
      ...runs.map((run) =>
        named(
          {
            metric: "server-latency",
            unit: "ms",
            better: "lower",
            of: { ...of, rate: rateText(run.qps) },
          },
          run.latency,
        ),
      ),
    ],
    samples: Object.fromEntries(
      runs.flatMap((run) => [
        [`server ${rateText(run.qps)}/s`, [...run.samplesMs]],
        [`server ${rateText(run.qps)}/s arrivals`, [...run.arrivalsMs]],
      ]),
    ),
    findings: [
      ...runs.map((run): Finding => ({
        about: "server",
        of: { ...of, rate: rateText(run.qps) },
        verdict: run.verdict,
        why: serverWhy(run, boundMs),
      })),
      ...beyondThroughput(qps, throughput, of),
    ],
  };
}

/** No queue answers more than its system does at full stretch: such a rate needs a word. */
export function beyondThroughput(
  qps: number | null,
  throughput: Score | undefined,
  of: Readonly<Record<string, string>>,
): Finding[] {
  if (qps === null || !throughput || throughput.value === null) return [];
  const most = throughput.interval?.high ?? throughput.value;
  if (qps <= most) return [];
  const why =
    `${rateText(qps)} a second is more than the ${rateText(throughput.value)} a second ` +
    `(${rateText(most)} at most) that the system answers where all pictures are there at once: ` +
    "the machine was faster during one of the two";
  return [{ about: "server", of: { ...of, rate: rateText(qps) }, verdict: "cannot tell", why }];
}

function serverWhy(run: ServerRun, boundMs: number): string {
  const { queries, over, cutShort, sentLateMs, late: shares } = run;
  const ended = cutShort ? "; ended early, far beyond what the bound allows" : "";
  const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
  const replayed =
    shares === null
      ? "; too few independent service times to replay"
      : `; ${percent(shares[0])} to ${percent(shares[1])} in replays under other arrivals`;
  const late =
    sentLateMs > boundMs / 10
      ? `; the sender itself was up to ${sentLateMs.toFixed(1)} ms late, which counts as waiting`
      : "";
  return `${over} of ${queries} queries took longer than ${boundMs} ms${replayed}${ended}${late}`;
}

function rateText(qps: number): string {
  return qps.toPrecision(4);
}

/** 0.9 is "90", 0.999 is "99.9". */
function percentText(share: number): string {
  return String(Number((100 * share).toPrecision(10)));
}

const coldModule = fileURLToPath(
  new URL(
    `../latency/cold-recognizer${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`,
    import.meta.url,
  ),
);
const phases = {
  process: "processMs",
  import: "importMs",
  load: "loadMs",
  first: "firstMs",
  total: "totalMs",
} as const satisfies Record<string, ColdStartKey>;
const memory = {
  "peak-memory": "peakRssBytes",
  "start-memory": "startRssBytes",
} as const satisfies Record<string, ColdStartKey>;

/**
 * A system started from nothing in fresh processes. An index that cannot be saved has no cold
 * start, and the scores say why.
 */
export async function measureCold(
  system: OpenSystem,
  { processes }: NonNullable<LatencyMeasurement["coldStart"]>,
  { signal, intervals }: Pick<CellContext, "signal" | "intervals">,
): Promise<ScenarioResult> {
  const time = (phase: string): ScoreName => ({
    metric: "cold-start",
    unit: "ms",
    better: "lower",
    of: { phase },
  });
  let samples: readonly ColdStartSample[];
  try {
    samples = await withSavedGallery(system, async (gallery) => {
      const from: ColdSystem = { ...system.place, gallery, picture: system.pictures[0]!.file };
      return (await measureColdStart(coldModule, [from], { rounds: processes, signal })).samples;
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { scores: [named(time("total"), undefinedScore(error.message))], samples: {} };
  }
  const lists: Record<string, { head: ScoreName; values: number[] }> = {};
  for (const [phase, key] of Object.entries(phases))
    lists[`cold-start ${phase}`] = { head: time(phase), values: samples.map((s) => s[key] ?? 0) };
  for (const part of Object.keys(samples[0]!.partsMs)) {
    lists[`model-load ${part}`] = {
      head: { metric: "model-load", unit: "ms", better: "lower", of: { part } },
      values: samples.map((s) => s.partsMs[part]!),
    };
  }
  for (const [name, key] of Object.entries(memory))
    lists[name] = {
      head: { metric: name, unit: "bytes", better: "lower", of: { process: "fresh" } },
      values: samples.map((s) => s[key]),
    };
  return {
    scores: Object.values(lists).map(({ head, values }) =>
      named(head, quantiles(values, [0.5], intervals.level)[0]!),
    ),
    samples: Object.fromEntries(Object.entries(lists).map(([name, { values }]) => [name, values])),
  };
}
