// latency/: work to be timed in; samples, verdicts and certificates out, with the clock injected.
// It never sees labels or accuracy.
import { Bench } from "tinybench";
import { monotonicClock } from "../../pipeline/stopwatch.js";
import type { Clock } from "../../pipeline/types.js";

/** One thing to be timed over and over. */
export interface StageTask {
  readonly name: string;
  /** The timed work; a promise is awaited. */
  run(iteration: number): unknown;
  /** Not timed: makes ready. */
  before?(iteration: number): void | Promise<void>;
  /**
   * Not timed: throws where the result is not that of the first round, because a fast wrong answer
   * is no measurement.
   */
  check?(result: unknown, iteration: number): void;
}

export interface StageOptions {
  readonly clock?: Clock;
  /** Both must be reached before the warm-up ends; its samples are dropped. */
  readonly warmupIterations?: number;
  readonly warmupMs?: number;
  /** Both must be reached before the measurement ends. */
  readonly iterations?: number;
  readonly timeMs?: number;
  readonly signal?: AbortSignal;
}

/** Every sample of a stage, in the order taken. */
export interface StageSamples {
  readonly stage: string;
  readonly samplesMs: Float64Array;
}

/**
 * Times each task under tinybench, one task after the other: it decides when warm-up and
 * measurement end, and the injected clock is read around the work alone. tinybench sorts the
 * samples that it keeps, so they are kept here, in time order, for drift to be seen.
 *
 * @throws whatever a task or its check throws: a stage that failed once has no samples.
 */
export async function measureStages(
  tasks: readonly StageTask[],
  options: StageOptions = {},
): Promise<StageSamples[]> {
  const clock = options.clock ?? monotonicClock;
  const results: StageSamples[] = [];
  for (const task of tasks) {
    const kept: number[] = [];
    await drive(task.name, options, async (recording, iteration) => {
      await task.before?.(iteration);
      const start = clock();
      const pending = task.run(iteration);
      // Awaiting costs a turn of the microtask queue: only where there is something to await.
      const result = isPromise(pending) ? await pending : pending;
      const ms = clock() - start;
      task.check?.(result, iteration);
      if (recording) kept.push(ms);
      return ms;
    });
    results.push({ stage: task.name, samplesMs: Float64Array.from(kept) });
  }
  return results;
}

/** What one pass of a pipeline says of itself. */
export interface TimedPass {
  readonly stageMs: Readonly<Partial<Record<string, number>>>;
  readonly overallMs: number;
}

/**
 * Times a pipeline that clocks its own stages, such as the recognizer: each iteration gives one
 * sample of every stage, and one of "overall". A stage that a pass did not enter has 0 ms in it, so
 * that all lists have equal length and stages add up.
 */
export async function measurePasses(
  run: (iteration: number) => Promise<TimedPass>,
  options: StageOptions = {},
): Promise<StageSamples[]> {
  const passes: TimedPass[] = [];
  await drive("overall", options, async (recording, iteration) => {
    const pass = await run(iteration);
    if (recording) passes.push(pass);
    return pass.overallMs;
  });
  const stages = [...new Set(passes.flatMap((p) => Object.keys(p.stageMs)))];
  return [
    ...stages.map((stage) => ({
      stage,
      samplesMs: Float64Array.from(passes, (p) => p.stageMs[stage] ?? 0),
    })),
    { stage: "overall", samplesMs: Float64Array.from(passes, (p) => p.overallMs) },
  ];
}

/**
 * One tinybench task whose iterations report their own duration. `iteration` counts from 0 in the
 * warm-up and again in the run.
 */
async function drive(
  name: string,
  options: StageOptions,
  once: (recording: boolean, iteration: number) => Promise<number>,
): Promise<void> {
  const {
    clock = monotonicClock,
    warmupIterations = 8,
    warmupMs = 200,
    iterations = 64,
    timeMs = 1000,
    signal,
  } = options;
  const bench = new Bench({
    now: clock,
    throws: true,
    warmup: warmupIterations > 0 || warmupMs > 0,
    warmupIterations,
    warmupTime: warmupMs,
    iterations,
    time: timeMs,
    ...(signal && { signal }),
  });
  let recording = false;
  let iteration = 0;
  bench.add(
    name,
    async () => {
      const ms = await once(recording, iteration++);
      return { overriddenDuration: ms, overriddenIterationCost: ms };
    },
    {
      async: true,
      beforeAll(mode) {
        recording = mode === "run";
        iteration = 0;
      },
    },
  );
  await bench.run();
  signal?.throwIfAborted();
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}
