import { mcnemar, pairOutcomes as paired } from "npm:shitu-bench/src/eval/stats/mcnemar";

/** Two systems judged on the same items. */
export interface PairedDifference {
  /** Items that both judged. */
  readonly n: number;
  /** Share of hits of B less that of A. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Confidence of the interval. */
  readonly level: number;
  /** Items that only B got right, and only A. */
  readonly gained: number;
  readonly lost: number;
  /** McNemar's test, two-sided, mid-p. */
  readonly p: number;
}

/**
 * McNemar's test, with Bonett and Price's interval, over the items that both maps hold, or null
 * where there is none.
 *
 * @param level confidence; the evaluation's own unless told.
 */
export function pairOutcomes(
  a: ReadonlyMap<string, boolean>,
  b: ReadonlyMap<string, boolean>,
  level?: number,
): PairedDifference | null {
  const both = [...a.keys()].filter((item) => b.has(item));
  const hits = (of: ReadonlyMap<string, boolean>): boolean[] => both.map((item) => of.get(item)!);
  const found = mcnemar(paired(hits(b), hits(a)), level === undefined ? {} : { level });
  if (found === null) return null;
  const { n, difference, interval, onlyFirst: gained, onlySecond: lost, p } = found;
  return {
    n,
    difference,
    low: interval.low,
    high: interval.high,
    level: interval.level,
    gained,
    lost,
    p,
  };
}
