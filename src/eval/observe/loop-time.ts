import { monotonicClock } from "../../pipeline/stopwatch.js";

/**
 * How long timing loops took in this process, apart from all else: a loop repeats its work to know
 * it well, so its time says nothing of what a sweep costs. Milliseconds.
 */
let spentMs = 0;
let depth = 0;

/** Counts `work` as a timing loop; one inside another counts once. */
export async function timingLoop<T>(work: () => T | Promise<T>): Promise<T> {
  const start = monotonicClock();
  depth++;
  try {
    return await work();
  } finally {
    if (--depth === 0) spentMs += monotonicClock() - start;
  }
}

/**
 * Takes `work` out of the timing loop that it lies in, such as the embedding of a gallery before
 * its queries are timed.
 */
export async function outsideLoop<T>(work: () => Promise<T>): Promise<T> {
  const start = monotonicClock();
  try {
    return await work();
  } finally {
    if (depth > 0) spentMs -= monotonicClock() - start;
  }
}

/** Milliseconds so far. */
export function timingLoopMs(): number {
  return spentMs;
}
