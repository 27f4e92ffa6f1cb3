import { monotonicClock } from "../../pipeline/stopwatch.js";
import type { Clock } from "../../pipeline/types.js";

/** A clock that can also be waited on. Injected, so that tests run in virtual time. */
export interface Timer {
  readonly now: Clock;
  /** Resolves at that time or after it; at once where it has passed. */
  sleepUntil(atMs: number): Promise<void>;
}

/**
 * Timers of the event loop are good to a millisecond or two: the rest is waited out in turns of the
 * loop, so that replies still come in.
 */
const coarseMs = 2;

export const realTimer: Timer = {
  now: monotonicClock,
  async sleepUntil(atMs) {
    const left = atMs - monotonicClock();
    if (left > coarseMs) await new Promise((resolve) => setTimeout(resolve, left - coarseMs));
    while (monotonicClock() < atMs) await new Promise((resolve) => setImmediate(resolve));
  },
};
