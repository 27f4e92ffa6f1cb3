import { clusterNumbers, pairedBootstrap, type PairedEstimate } from "../stats/bootstrap.js";
import { clusteredPair } from "../stats/clusters.js";
import { normalQuantile } from "../stats/distributions.js";
import { defaultIntervals, twoSidedLevel, type IntervalPlan } from "../stats/interval-plan.js";
import { pairOutcomes } from "../stats/mcnemar.js";
import { meanStatistic, type ResampledStatistic } from "../stats/resampled-statistic.js";
import type { Undefined } from "../stats/score.js";
import type { Interval } from "../types.js";
import type { Finding } from "./measures.js";
import { itemDeviation } from "./non-inferiority.js";
import type { JudgedItem } from "./work.js";

/** Differences of two systems on the same items, as findings with one-sided bounds. */

export interface PairedOptions {
  readonly dataset: string;
  readonly level: number;
  /** What counts as independent: each item, or all items of one label together. */
  readonly clusters: IntervalPlan["clusters"];
}

/** Draws of each paired bootstrap. */
export const { resamples } = defaultIntervals;

/** Cluster numbers of items by their labels; an item without one stands alone. */
function unitsOf(
  labels: readonly (string | null)[],
  clusters: IntervalPlan["clusters"],
): Int32Array {
  return clusterNumbers(
    labels.map((label, i) =>
      clusters === "label" && label !== null ? `label ${label}` : `item ${i}`,
    ),
  );
}

const oneLabel = "all items have one label: nothing tells how much labels differ";

/**
 * Shares of items answered right, as `compare` tests them: McNemar's mid-p by signs of clusters,
 * Bonett and Price's bounds on the effective size.
 */
export function rightsAndWrongs(
  measure: string,
  items: readonly JudgedItem[],
  { dataset, level, clusters }: PairedOptions,
): Finding {
  // An item that only one side could answer is a miss of the other.
  const judged = items.filter((i) => i.baseline.right !== null || i.candidate.right !== null);
  const n = judged.length;
  if (n === 0) return { measure, dataset, value: null, why: "no item has a right answer" };
  const right = (side: "baseline" | "candidate") => judged.map((i) => i[side].right === true);
  const [first, second] = [right("candidate"), right("baseline")];
  const outcome = pairOutcomes(first, second);
  const units = unitsOf(
    judged.map((i) => i.truth),
    clusters,
  );
  const found = clusteredPair(first.map(Number), second.map(Number), units, twoSidedLevel(level));
  const share = (marks: readonly boolean[]) => marks.filter(Boolean).length / n;
  const head = {
    measure,
    dataset,
    value: (outcome.onlyFirst - outcome.onlySecond) / n,
    baseline: share(second),
    candidate: share(first),
    n,
    flips: { lost: outcome.onlySecond, gained: outcome.onlyFirst },
  };
  if (found === null) return { ...head, bounds: null, caution: oneLabel };
  const { low, high, designEffect, units: independent } = found.interval;
  return {
    ...head,
    bounds: [low, high],
    deviation: itemDeviation(outcome) * Math.sqrt(designEffect),
    units: independent,
    test: { name: "mcnemar-mid-p", p: found.p },
  };
}

/** One number an item on both sides, and the item's label where items of one belong together. */
export interface PairedValue {
  readonly baseline: number;
  readonly candidate: number;
  readonly label: string | null;
}

/** Means of one number an item, by a paired bootstrap over the items, or over their labels. */
export function pairedMeans(
  measure: string,
  pairs: readonly PairedValue[],
  options: PairedOptions,
): Finding {
  const { dataset } = options;
  if (pairs.length === 0) return { measure, dataset, value: null, why: "no item to average" };
  const first = meanStatistic(pairs.map((p) => p.baseline));
  const second = meanStatistic(pairs.map((p) => p.candidate));
  const units = unitsOf(
    pairs.map((p) => p.label),
    options.clusters,
  );
  return pairedStatistics(measure, first, second, options, units);
}

/**
 * Any statistic of the same items on both sides.
 * @param units cluster numbers of the items; left out, each stands alone.
 */
export function pairedStatistics(
  measure: string,
  baseline: ResampledStatistic,
  candidate: ResampledStatistic,
  options: Pick<PairedOptions, "dataset" | "level">,
  units?: Int32Array,
): Finding {
  const clusters = units && new Set(units).size < units.length ? units : undefined;
  const found = pairedBootstrap(candidate, baseline, {
    level: twoSidedLevel(options.level),
    resamples,
    seed: `gate ${measure}`,
    ...(clusters && { clusters }),
  });
  return estimateFinding(measure, found, options, clusters);
}

/** A paired difference, candidate less baseline, as a finding. */
export function estimateFinding(
  measure: string,
  found: PairedEstimate | Undefined,
  { dataset, level }: Pick<PairedOptions, "dataset" | "level">,
  clusters?: Int32Array,
): Finding {
  if (found.value === null) return { measure, dataset, value: null, why: found.why };
  const { value, first, second, n, standardError, interval, p } = found;
  const steady = interval === null && standardError === 0;
  const head = { measure, dataset, value, baseline: second, candidate: first, n };
  if (clusters && new Set(clusters).size < 2) return { ...head, bounds: null, caution: oneLabel };
  const items = clusters ? alikeItems(clusters) : n;
  return {
    ...head,
    bounds:
      interval === null && !(steady && value === 0)
        ? null
        : widened(interval ?? { low: 0, high: 0 }, value, items, level),
    deviation: Math.max(standardError * Math.sqrt(n), Math.sqrt((2 * n) / (items * (items + 2)))),
    ...(clusters && { units: new Set(clusters).size }),
    // Where all differences are alike there is nothing to resample.
    test: { name: "paired bootstrap", p: value === 0 && steady ? 1 : p },
  };
}

/** Independent items that clusters are worth at the least: where those of one are wholly alike. */
function alikeItems(clusters: Int32Array): number {
  const sizes = new Map<number, number>();
  for (const c of clusters) sizes.set(c, (sizes.get(c) ?? 0) + 1);
  const squares = [...sizes.values()].reduce((sum, size) => sum + size * size, 0);
  return clusters.length ** 2 / squares;
}

/**
 * A sample whose items hardly differ knows little of those that would: the bounds are never
 * narrower than Bonett and Price's are for shares without a flip, as if two items had differed.
 *
 * @param items independent ones.
 */
function widened(
  { low, high }: Pick<Interval, "low" | "high">,
  value: number,
  items: number,
  level: number,
): readonly [number, number] {
  const least = (normalQuantile(level) * Math.SQRT2) / (items + 2);
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
