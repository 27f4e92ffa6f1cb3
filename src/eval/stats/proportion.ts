import type { Interval, Score } from "../types.js";
import { betaQuantile, normalQuantile } from "./distributions.js";
import { defaultIntervals } from "./interval-plan.js";
import { measured, undefinedScore } from "./score.js";

/**
 * A proportion with Wilson's score interval (Wilson 1927; recommended by Brown, Cai and DasGupta
 * 2001): `successes` of `n` independent items. It stays inside [0, 1] and is honest at 0 and n,
 * where the usual normal interval has no width.
 *
 * @param level confidence, the default plan's unless told.
 * @returns `value: null` where n is 0.
 */
export function wilson(successes: number, n: number, level = defaultIntervals.level): Score {
  if (n === 0) return undefinedScore("no items to take a share of");
  checkCounts(successes, n);
  const p = successes / n;
  return measured(p, n, wilsonInterval(successes, n, level));
}

/** The interval alone. */
export function wilsonInterval(
  successes: number,
  n: number,
  level = defaultIntervals.level,
): Interval {
  const z = normalQuantile(0.5 + level / 2);
  const p = successes / n;
  const scale = 1 + (z * z) / n;
  const centre = (p + (z * z) / (2 * n)) / scale;
  const half = (z / scale) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return {
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === n ? 1 : Math.min(1, centre + half),
    level,
    method: "wilson",
    units: n,
  };
}

/**
 * Clopper and Pearson's exact interval (1934): coverage is never below the level, at the price of
 * width. For bounds that must hold, such as a false-accept rate that is promised.
 */
export function exactInterval(
  successes: number,
  n: number,
  level = defaultIntervals.level,
): Interval {
  checkCounts(successes, n);
  const tail = (1 - level) / 2;
  return {
    low: successes === 0 ? 0 : betaQuantile(tail, successes, n - successes + 1),
    high: successes === n ? 1 : betaQuantile(1 - tail, successes + 1, n - successes),
    level,
    method: "clopper-pearson",
    units: n,
  };
}

function checkCounts(successes: number, n: number): void {
  if (!(
    Number.isInteger(successes) &&
    Number.isInteger(n) &&
    successes >= 0 &&
    successes <= n &&
    n > 0
  )) {
    throw new RangeError(`successes must be an integer from 0 to n > 0, got ${successes} of ${n}`);
  }
}
