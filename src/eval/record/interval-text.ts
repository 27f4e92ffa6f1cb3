import type { Interval } from "../types.js";

type Leveled = { readonly level?: Interval["level"] | null } | null | undefined;

/** `95%`, `98.3%`. */
export function levelText(level: number): string {
  return `${Number((100 * level).toFixed(1))}%`;
}

/** The levels of some intervals in words: `95%`, or `95% to 98.3%` where they differ. */
export function levelsText(intervals: Iterable<Leveled>): string {
  const levels = [...intervals].flatMap((i) => i?.level ?? []);
  if (levels.length === 0) return "";
  const [low, high] = [levelText(Math.min(...levels)), levelText(Math.max(...levels))];
  return low === high ? low : `${low} to ${high}`;
}

/** The head of a column of intervals: `95% interval`. */
export function intervalHead(intervals: Iterable<Leveled>): string {
  return `${levelsText(intervals)} interval`.trim();
}
