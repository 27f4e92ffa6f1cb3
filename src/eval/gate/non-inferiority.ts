import { normalCdf, normalQuantile } from "../stats/distributions.js";
import { defaultIntervals } from "../stats/interval-plan.js";
import type { PairedOutcome } from "../stats/mcnemar.js";

/**
 * Non-inferiority: "the candidate is not worse than the baseline by more than the limit". Not the
 * same as "no significant difference", which a small sample always gives (Fagerland, Lydersen and
 * Laake 2014; Walker and Nowacki 2011). Each direction is tested at `1 - level`: the candidate
 * passes where the lower bound of its difference lies above minus the limit, fails where the upper
 * bound lies below it, and otherwise the sample is too small to tell.
 */
export type LossVerdict = "pass" | "fail" | "cannot tell";

/** A difference (candidate less baseline, higher is better) with one-sided bounds. */
export interface BoundedDifference {
  readonly difference: number;
  /** One-sided bounds at `level` each: a two-sided interval at 2 x level - 1. */
  readonly bounds: readonly [number, number];
  readonly n: number;
  /** Standard deviation of one item's difference: the error of the difference times root n. */
  readonly deviation: number;
}

/** Judges a loss against a limit, which is 0 or more. */
export function judgeLoss(
  { bounds }: Pick<BoundedDifference, "bounds">,
  limit: number,
): LossVerdict {
  if (bounds[0] > -limit) return "pass";
  return bounds[1] < -limit ? "fail" : "cannot tell";
}

/**
 * Standard deviation of one item's difference, which is 1, 0 or -1; where no item was discordant,
 * with Bonett and Price's two invented ones, so that a sample without flips does not pass for
 * certainty.
 */
export function itemDeviation({ n, onlyFirst, onlySecond }: PairedOutcome): number {
  const discordant = (onlyFirst + onlySecond + 2) / (n + 2);
  const shifted = (onlyFirst - onlySecond) / (n + 2);
  return Math.sqrt(discordant - shifted ** 2);
}

export interface SampleSize {
  /** Items; null where no number of items would tell. */
  readonly items: number | null;
  readonly why: string;
}

/**
 * How many items would tell, if what was seen is true: with so many, the verdict is pass or fail
 * in `power` of all samples. By the normal approximation, (z(level) + z(power))^2 x variance over
 * the squared distance to the limit (Chow, Shao and Wang, Sample Size Calculations, 3.2.2).
 */
export function itemsToTell(
  { difference, deviation }: Pick<BoundedDifference, "difference" | "deviation">,
  limit: number,
  { level, power = 0.8 }: { readonly level: number; readonly power?: number },
): SampleSize {
  const distance = difference + limit;
  if (distance === 0) return { items: null, why: "the loss seen is the limit itself" };
  const z = normalQuantile(level) + normalQuantile(power);
  const items = Math.max(1, Math.ceil((z * deviation) ** 2 / distance ** 2));
  return {
    items,
    why: `if the loss is the one seen, ${distance > 0 ? "pass" : "fail"} at ${items}`,
  };
}

/**
 * The chance that a candidate whose true difference is `difference` gets each verdict on `n` items.
 *
 * @param deviation standard deviation of one item's difference.
 */
export function verdictChances(
  { difference, deviation, n }: Pick<BoundedDifference, "difference" | "deviation" | "n">,
  limit: number,
  level: number,
): Readonly<Record<LossVerdict, number>> {
  const error = deviation / Math.sqrt(n);
  const z = normalQuantile(level);
  const place = (difference + limit) / error;
  const pass = normalCdf(place - z);
  const fail = normalCdf(-place - z);
  return { pass, fail, "cannot tell": Math.max(0, 1 - pass - fail) };
}

/**
 * Items that a limit needs for a share of right answers: with a share `discordant` of the items
 * flipping and no true loss, the verdict is pass in `power` of the samples.
 */
export function itemsNeeded(
  limit: number,
  discordant: number,
  {
    level = defaultIntervals.level,
    power = 0.8,
  }: { readonly level?: number; readonly power?: number } = {},
): number {
  const seen = { difference: 0, deviation: Math.sqrt(discordant) };
  return itemsToTell(seen, limit, { level, power }).items ?? Infinity;
}
