import type { Interval, Measured, NamedScore, Score, ScoreName, Undefined } from "../types.js";

export type { Measured, Undefined } from "../types.js";

/** @param whyNoInterval where there is none. */
export function measured(
  value: number,
  n: number,
  interval: Interval | null = null,
  whyNoInterval?: string,
): Measured {
  if (!Number.isFinite(value))
    throw new RangeError(
      `a score must be finite, not ${value}: give undefinedScore a reason instead`,
    );
  const bare = { value, n, interval };
  return interval === null && whyNoInterval !== undefined ? { ...bare, whyNoInterval } : bare;
}

/** A count or a size, which another sample would not move. */
export function exact(value: number, n = 1): Measured {
  return measured(value, n, null, "exact");
}

export function undefinedScore(why: string): Undefined {
  return { value: null, why };
}

/** A score as records hold it: what it is called, and what was measured or why nothing was. */
export function named({ metric, unit, better, of }: ScoreName, score: Score): NamedScore {
  const name = of === undefined ? { metric, unit, better } : { metric, unit, better, of };
  if (score.value === null) return { ...name, ...undefinedScore(score.why) };
  return { ...name, ...measured(score.value, score.n, score.interval, score.whyNoInterval) };
}
