// stats/: counts, weights and samples in; values with intervals and tests out, seeded. It never
// sees a picture, a model or a file.
import type { Measured } from "../types.js";
import { normalCdf, normalQuantile } from "./distributions.js";
import { defaultIntervals } from "./interval-plan.js";
import { sampleQuantile } from "./quantile.js";
import { Random } from "./random.js";
import { leaveOneOut, type ResampledStatistic } from "./resampled-statistic.js";
import { measured, undefinedScore, type Undefined } from "./score.js";

/**
 * The bootstrap over items (Efron and Tibshirani 1993): the items of the query set are drawn again
 * with replacement and the statistic is computed from what each item contributed, so that nothing
 * is matched or searched twice.
 */
export interface BootstrapOptions {
  /**
   * `bca` corrects bias and skew (Efron 1987) and needs a leave-one-out pass; `percentile` takes
   * the resamples as they are.
   */
  readonly method?: "percentile" | "bca";
  readonly level?: number;
  readonly resamples?: number;
  readonly seed?: number | string;
  /**
   * A number a item, from 0 without gaps: items of one cluster (class, identity, burst of photos)
   * are drawn together.
   */
  readonly clusters?: Int32Array;
}

/** A statistic over n items, with its interval where the bootstrap can tell one. */
export interface Bootstrapped extends Measured {
  /** Spread of the statistic over the resamples. */
  readonly standardError: number;
  /** Resamples in which the statistic was undefined, and which were left out. */
  readonly undefinedResamples: number;
}

/** The difference of two systems on the same items, first less second. */
export interface PairedEstimate extends Bootstrapped {
  readonly first: number;
  readonly second: number;
  /**
   * Two-sided, from the share of resamples on the far side of 0 (never exactly 0: at least 1 /
   * (resamples + 1)).
   */
  readonly p: number;
}

/**
 * More undefined resamples than this share, and what is left no longer stands for the population.
 */
const mostUndefined = 0.05;

/**
 * A bootstrap interval for any statistic that can be computed from multiplicities of items.
 *
 * @returns `value: null` where the statistic is undefined on the items as they are.
 */
export function bootstrap(
  statistic: ResampledStatistic,
  options: BootstrapOptions = {},
): Bootstrapped | Undefined {
  const value = statistic.evaluate(new Uint32Array(statistic.n).fill(1));
  if (value === null)
    return undefinedScore(statistic.n === 0 ? "no items" : "undefined on these items");
  return estimate(statistic, value, options).estimate;
}

/** Both statistics are computed on each resample, so that what the items have in common cancels. */
export function pairedBootstrap(
  first: ResampledStatistic,
  second: ResampledStatistic,
  options: BootstrapOptions = {},
): PairedEstimate | Undefined {
  const difference = differenceOf(first, second);
  const ones = new Uint32Array(difference.n).fill(1);
  const a = first.evaluate(ones);
  const b = second.evaluate(ones);
  if (a === null || b === null)
    return undefinedScore(
      `undefined for the ${a === null ? "first" : "second"} system on these items`,
    );
  const { estimate: result, replicates } = estimate(difference, a - b, options);
  let below = 0;
  let above = 0;
  for (const d of replicates) {
    if (d <= 0) below++;
    if (d >= 0) above++;
  }
  return {
    ...result,
    first: a,
    second: b,
    p: Math.min(1, (2 * (Math.min(below, above) + 1)) / (replicates.length + 1)),
  };
}

function differenceOf(first: ResampledStatistic, second: ResampledStatistic): ResampledStatistic {
  if (first.n !== second.n)
    throw new RangeError(`paired systems need the same items: ${first.n} and ${second.n}`);
  const minus = (a: number | null, b: number | null): number | null =>
    a === null || b === null ? null : a - b;
  return {
    n: first.n,
    evaluate: (weights) => minus(first.evaluate(weights), second.evaluate(weights)),
    ...(first.leaveOut &&
      second.leaveOut && {
        leaveOut: (unitOf: Int32Array, units: number) => {
          const b = second.leaveOut!(unitOf, units);
          return first.leaveOut!(unitOf, units).map((a, i) => minus(a, b[i]!));
        },
      }),
  };
}

function estimate(
  statistic: ResampledStatistic,
  value: number,
  options: BootstrapOptions,
): { estimate: Bootstrapped; replicates: Float64Array } {
  const { method = "percentile", clusters } = options;
  const { level, resamples, seed } = { ...defaultIntervals, ...options };
  const { n } = statistic;
  const unitOf = clusters ?? Int32Array.from({ length: n }, (_, i) => i);
  if (unitOf.length !== n) throw new RangeError(`${n} items, but ${unitOf.length} cluster numbers`);
  const units = clusters ? countUnits(clusters) : n;
  const { replicates, undefinedResamples } = drawReplicates(
    statistic,
    resamples,
    drawsOf(units, resamples, seed),
    clusters ? { unitOf, units } : null,
  );
  const spread = { standardError: standardDeviation(replicates), undefinedResamples };
  const refuse = (why: string): ReturnType<typeof estimate> => ({
    estimate: { ...measured(value, n, null, why), ...spread },
    replicates,
  });
  if (units < 2) return refuse("one independent unit only");
  if (undefinedResamples > mostUndefined * resamples)
    return refuse(`undefined in ${undefinedResamples} of ${resamples} resamples`);
  // Up to rounding: sums in another order differ in the last bit.
  if (replicates.at(-1)! - replicates[0]! <= 1e-12 * Math.abs(value))
    return refuse("every resample gives the same value");
  let tails: readonly [number, number] | null = [(1 - level) / 2, (1 + level) / 2];
  if (method === "bca") {
    tails = correctedTails(replicates, value, leaveOneOut(statistic, unitOf, units), tails);
    if (tails === null) return refuse("the leave-one-out values do not give a BCa correction");
  }
  const [low, high] = [sampleQuantile(replicates, tails[0]), sampleQuantile(replicates, tails[1])];
  const interval = { low, high, level, method: `bootstrap-${method}`, units };
  return { estimate: { ...measured(value, n, interval), ...spread }, replicates };
}

/** The statistic on each resample, sorted ascending. */
function drawReplicates(
  statistic: ResampledStatistic,
  resamples: number,
  draw: (into: Uint32Array, r: number) => void,
  clusters: { unitOf: Int32Array; units: number } | null,
): { replicates: Float64Array; undefinedResamples: number } {
  const { n } = statistic;
  const weights = new Uint32Array(n);
  const drawn = clusters ? new Uint32Array(clusters.units) : weights;
  const replicates = new Float64Array(resamples);
  let count = 0;
  for (let r = 0; r < resamples; r++) {
    draw(drawn, r);
    if (clusters) for (let i = 0; i < n; i++) weights[i] = drawn[clusters.unitOf[i]!]!;
    const value = statistic.evaluate(weights);
    if (value !== null) replicates[count++] = value;
  }
  return { replicates: replicates.slice(0, count).sort(), undefinedResamples: resamples - count };
}

/**
 * Multiplicities of the latest bootstraps: the metrics of a cell, and the models of a sweep on one
 * data set, are resampled alike.
 */
const latestDraws = new Map<string, Uint8Array>();
const keptDraws = 8;
/** Larger ones would hold more memory than they spare time. */
const mostDrawBytes = 8 << 20;

/** Draws resample r, in rising order of r from 0: afresh, or from those kept. */
function drawsOf(
  units: number,
  resamples: number,
  seed: number | string,
): (into: Uint32Array, r: number) => void {
  const name = JSON.stringify([units, resamples, seed]);
  const kept = latestDraws.get(name);
  latestDraws.delete(name);
  if (kept) {
    latestDraws.set(name, kept); // the latest last
    return (into, r) => {
      into.set(kept.subarray(r * units, (r + 1) * units));
    };
  }
  const random = new Random(seed).split("bootstrap");
  // A unit is drawn more than 255 times with any probability only where there are few, and those
  // are quick to draw again.
  if (units < 64 || units * resamples > mostDrawBytes)
    return (into) => {
      random.resample(into);
    };
  const draws = new Uint8Array(units * resamples);
  let fits = true;
  return (into, r) => {
    random.resample(into);
    draws.set(into, r * units);
    for (let i = 0; i < units; i++) if (into[i]! > 255) fits = false;
    if (r < resamples - 1 || !fits) return;
    latestDraws.set(name, draws);
    while (latestDraws.size > keptDraws) latestDraws.delete(latestDraws.keys().next().value!);
  };
}

/**
 * Efron 1987, equations 14.9 to 14.15 of Efron and Tibshirani 1993: bias from the resamples,
 * acceleration from the jackknife.
 */
function correctedTails(
  sorted: Float64Array,
  value: number,
  left: readonly (number | null)[],
  tails: readonly [number, number],
): [number, number] | null {
  const defined = left.filter((v) => v !== null);
  if (defined.length < left.length * (1 - mostUndefined) || defined.length < 2) return null;
  const mean = defined.reduce((s, v) => s + v, 0) / defined.length;
  let squares = 0;
  let cubes = 0;
  for (const v of defined) {
    squares += (mean - v) ** 2;
    cubes += (mean - v) ** 3;
  }
  const acceleration = squares > 0 ? cubes / (6 * squares ** 1.5) : 0;
  let less = 0;
  let equal = 0;
  for (const v of sorted) {
    if (v < value) less++;
    else if (v === value) equal++;
  }
  // Ties count half: a statistic of few distinct values would otherwise look biased.
  const bias = normalQuantile((less + equal / 2) / sorted.length);
  if (!Number.isFinite(bias)) return null;
  const corrected = tails.map((tail) => {
    const z = bias + normalQuantile(tail);
    return normalCdf(bias + z / (1 - acceleration * z));
  });
  return corrected.every((t) => Number.isFinite(t)) ? (corrected as [number, number]) : null;
}

function countUnits(clusters: Int32Array): number {
  let units = 0;
  for (const c of clusters) units = Math.max(units, c + 1);
  const seen = new Uint8Array(units);
  for (const c of clusters) {
    if (c < 0) throw new RangeError("cluster numbers start at 0");
    seen[c] = 1;
  }
  if (seen.includes(0))
    throw new RangeError("cluster numbers have gaps: clusterNumbers() makes them from labels");
  return units;
}

/** Cluster numbers, from 0 without gaps, of labels. */
export function clusterNumbers(labels: readonly string[]): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(labels, (label) => {
    const number = numbers.get(label) ?? numbers.size;
    numbers.set(label, number);
    return number;
  });
}

function standardDeviation(values: Float64Array): number {
  if (values.length < 2) return 0;
  let mean = 0;
  for (const v of values) mean += v / values.length;
  let squares = 0;
  for (const v of values) squares += (v - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}
