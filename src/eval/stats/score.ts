import type { Score } from "../types.js";

/** A value that was measured on n items, with an interval where there is one. */
export type Measured = Extract<Score, { value: number }>;

/** No value, and why. */
export type Undefined = Extract<Score, { value: null }>;

export function measured(
  value: number,
  n: number,
  ci: readonly [number, number] | null = null,
): Measured {
  if (!Number.isFinite(value))
    throw new RangeError(
      `a score must be finite, not ${value}: give undefinedScore a reason instead`,
    );
  return { value, n, ci };
}

export function undefinedScore(why: string): Undefined {
  return { value: null, why };
}
