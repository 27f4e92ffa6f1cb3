import type { Interval } from "../types.js";
import { binomialCdf, binomialPmf, normalQuantile } from "./distributions.js";
import { defaultIntervals } from "./interval-plan.js";

/** Two systems judged right or wrong on the same n items. */
export interface PairedOutcome {
  readonly n: number;
  /** Items that only the first system got right. */
  readonly onlyFirst: number;
  /** Items that only the second system got right. */
  readonly onlySecond: number;
}

export interface McNemar extends PairedOutcome {
  /** Share right by the first less share right by the second. */
  readonly difference: number;
  /** Interval of the difference (Bonett and Price 2012). */
  readonly interval: Interval;
  /** Two-sided: the chance of a split at least as uneven if the two were equally good. */
  readonly p: number;
  readonly test: "mcnemar-exact" | "mcnemar-mid-p";
}

/** Counts where two lists of rights and wrongs disagree. */
export function pairOutcomes(
  first: ArrayLike<boolean | number>,
  second: ArrayLike<boolean | number>,
): PairedOutcome {
  if (first.length !== second.length)
    throw new RangeError(
      `paired outcomes need the same items: ${first.length} and ${second.length}`,
    );
  let onlyFirst = 0;
  let onlySecond = 0;
  for (let i = 0; i < first.length; i++) {
    if (first[i] && !second[i]) onlyFirst++;
    else if (!first[i] && second[i]) onlySecond++;
  }
  return { n: first.length, onlyFirst, onlySecond };
}

/**
 * McNemar's test on the discordant items, by the binomial distribution and never its normal
 * approximation: "exact" keeps the level for sure but is cautious; "mid-p" counts half of the
 * observed split and comes closer to the level (Fagerland, Lydersen and Laake 2013, who recommend
 * it). The interval of the difference is Bonett and Price's adjusted Wald interval, which the same
 * authors recommend (2014).
 *
 * @returns null where there are no items.
 */
export function mcnemar(
  outcome: PairedOutcome,
  {
    test = "mcnemar-mid-p",
    level = defaultIntervals.level,
  }: { test?: McNemar["test"]; level?: number } = {},
): McNemar | null {
  const { n, onlyFirst, onlySecond } = outcome;
  if (n === 0) return null;
  const discordant = onlyFirst + onlySecond;
  const few = Math.min(onlyFirst, onlySecond);
  const tail = binomialCdf(few, discordant, 0.5);
  const two = 2 * (test === "mcnemar-exact" ? tail : tail - binomialPmf(few, discordant, 0.5) / 2);
  return {
    ...outcome,
    difference: (onlyFirst - onlySecond) / n,
    interval: bonettPrice(outcome, level),
    p: Math.min(1, two),
    test,
  };
}

function bonettPrice({ n, onlyFirst, onlySecond }: PairedOutcome, level: number): Interval {
  const z = normalQuantile(0.5 + level / 2);
  const a = (onlyFirst + 1) / (n + 2);
  const b = (onlySecond + 1) / (n + 2);
  const half = z * Math.sqrt((a + b - (a - b) ** 2) / (n + 2));
  return {
    low: Math.max(-1, a - b - half),
    high: Math.min(1, a - b + half),
    level,
    method: "bonett-price",
    units: n,
  };
}
