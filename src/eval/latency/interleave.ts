import { monotonicClock } from "../../pipeline/stopwatch.js";
import type { Clock } from "../../pipeline/types.js";
import { Random } from "../stats/random.js";
import { isPromise } from "./stages.js";

/** One of the things that are compared. */
export interface Contender {
  readonly name: string;
  run(round: number): unknown;
  /** Not timed. */
  before?(round: number): void | Promise<void>;
}

export interface InterleaveOptions {
  readonly clock?: Clock;
  readonly rounds?: number;
  readonly warmupRounds?: number;
  /** Calls in one sample, for work too short for the clock; samples are milliseconds a call. */
  readonly callsPerSample?: number;
  readonly seed?: number | string;
}

export interface Interleaved {
  /** For each contender, a sample a round. */
  readonly samplesMs: readonly Float64Array[];
  readonly durationMs: number;
}

/**
 * Runs all contenders once in each round, in an order drawn anew for each: whatever slows the
 * machine for longer than a round slows them alike, and nobody always comes after the same
 * neighbour.
 */
export async function interleave(
  contenders: readonly Contender[],
  options: InterleaveOptions = {},
): Promise<Interleaved> {
  const {
    clock = monotonicClock,
    rounds = 100,
    warmupRounds = 5,
    callsPerSample = 1,
    seed = 0,
  } = options;
  const random = new Random(seed).split("interleave");
  const samplesMs = contenders.map(() => new Float64Array(rounds));
  const places = contenders.map((_, i) => i);
  let begin = clock();
  for (let round = -warmupRounds; round < rounds; round++) {
    if (round === 0) begin = clock();
    for (const c of random.shuffled(places)) {
      const contender = contenders[c]!;
      await contender.before?.(round);
      const start = clock();
      for (let call = 0; call < callsPerSample; call++) {
        const pending = contender.run(round);
        if (isPromise(pending)) await pending;
      }
      const ms = (clock() - start) / callsPerSample;
      if (round >= 0) samplesMs[c]![round] = ms;
    }
  }
  return { samplesMs, durationMs: clock() - begin };
}
