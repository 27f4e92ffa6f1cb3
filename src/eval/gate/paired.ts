import { pairedBootstrap, type PairedEstimate } from "../stats/bootstrap.js";
import { normalQuantile } from "../stats/distributions.js";
import { defaultIntervals } from "../stats/interval-plan.js";
import { pairOutcomes } from "../stats/mcnemar.js";
import { meanStatistic, type ResampledStatistic } from "../stats/resampled-statistic.js";
import type { Undefined } from "../stats/score.js";
import type { Interval } from "../types.js";
import type { Finding } from "./measures.js";
import { pairedDifference, twoSided } from "./non-inferiority.js";
import type { JudgedItem } from "./work.js";

/** Differences of two systems on the same items, as findings with one-sided bounds. */

interface PairedOptions {
  readonly dataset: string;
  readonly level: number;
}

/** Draws of each paired bootstrap. */
export const { resamples } = defaultIntervals;

/** Shares of items answered right: McNemar's test, Bonett and Price's bounds. */
export function rightsAndWrongs(
  measure: string,
  items: readonly JudgedItem[],
  { dataset, level }: PairedOptions,
): Finding {
  // An item that only one side could answer is a miss of the other.
  const judged = items.filter((i) => i.baseline.right !== null || i.candidate.right !== null);
  const right = (side: "baseline" | "candidate") => judged.map((i) => i[side].right === true);
  const outcome = pairOutcomes(right("candidate"), right("baseline"));
  const found = pairedDifference(outcome, level);
  if (found === null) return { measure, dataset, value: null, why: "no item has a right answer" };
  const share = (side: "baseline" | "candidate") => right(side).filter(Boolean).length / found.n;
  return {
    measure,
    dataset,
    value: found.difference,
    baseline: share("baseline"),
    candidate: share("candidate"),
    bounds: found.bounds,
    deviation: found.deviation,
    n: found.n,
    test: { name: found.test.test, p: found.test.p },
    flips: { lost: outcome.onlySecond, gained: outcome.onlyFirst },
  };
}

/** Means of one number an item, by a paired bootstrap over the items. */
export function pairedMeans(
  measure: string,
  pairs: readonly (readonly [baseline: number, candidate: number])[],
  options: PairedOptions,
): Finding {
  const { dataset } = options;
  if (pairs.length === 0) return { measure, dataset, value: null, why: "no item to average" };
  const first = meanStatistic(pairs.map(([b]) => b));
  const second = meanStatistic(pairs.map(([, c]) => c));
  return pairedStatistics(measure, first, second, options);
}

/** Any statistic of the same items on both sides. */
export function pairedStatistics(
  measure: string,
  baseline: ResampledStatistic,
  candidate: ResampledStatistic,
  options: PairedOptions,
): Finding {
  const found = pairedBootstrap(candidate, baseline, {
    level: twoSided(options.level),
    resamples,
    seed: `gate ${measure}`,
  });
  return estimateFinding(measure, found, options);
}

function estimateFinding(
  measure: string,
  found: PairedEstimate | Undefined,
  { dataset, level }: PairedOptions,
): Finding {
  if (found.value === null) return { measure, dataset, value: null, why: found.why };
  const { value, first, second, n, standardError, interval, p } = found;
  const steady = interval === null && standardError === 0;
  return {
    measure,
    dataset,
    value,
    baseline: second,
    candidate: first,
    bounds:
      interval === null && !(steady && value === 0)
        ? null
        : widened(interval ?? { low: 0, high: 0 }, value, n, level),
    deviation: Math.max(standardError * Math.sqrt(n), Math.sqrt(2 / (n + 2))),
    n,
    // Where all differences are alike there is nothing to resample.
    test: { name: "paired bootstrap", p: value === 0 && steady ? 1 : p },
  };
}

/**
 * A sample whose items hardly differ knows little of those that would: the bounds are never
 * narrower than Bonett and Price's are for shares without a flip, as if two items had differed.
 */
function widened(
  { low, high }: Pick<Interval, "low" | "high">,
  value: number,
  n: number,
  level: number,
): readonly [number, number] {
  const least = (normalQuantile(level) * Math.SQRT2) / (n + 2);
  return [Math.min(low, value - least), Math.max(high, value + least)];
}

/** A mean that is what it is on this sample: of an agreement, not of a population. */
export function meanFinding(measure: string, dataset: string, values: readonly number[]): Finding {
  const n = values.length;
  if (n === 0) return { measure, dataset, value: null, why: "no item has it on both sides" };
  return { measure, dataset, value: values.reduce((sum, v) => sum + v, 0) / n, n };
}

/** A share of items. */
export function shareFinding(measure: string, dataset: string, marks: readonly boolean[]): Finding {
  return meanFinding(measure, dataset, marks.map(Number));
}

/** Items that the candidate fails on although the baseline does not. */
export function unusable(items: readonly JudgedItem[], dataset: string): Finding {
  const lost = items.map((i) => i.candidate.failed && !i.baseline.failed);
  return shareFinding("unusable", dataset, lost);
}
