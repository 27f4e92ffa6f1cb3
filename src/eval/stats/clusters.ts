import { betaQuantile, normalQuantile } from "./distributions.js";
import { wilsonInterval } from "./proportion.js";
import { measured, undefinedScore } from "./score.js";
import type { Interval, Score } from "../types.js";

/**
 * Shares and differences where items come in groups that are alike: photos of one burst, queries of
 * one label, pictures of one scene. Items of a group tell less than as many independent ones; the
 * design effect says how many times fewer.
 */

/** Quantile of Student's t with `freedom` degrees of freedom, for p from 0.5. */
export function studentQuantile(p: number, freedom: number): number {
  const x = betaQuantile(2 * p - 1, 0.5, freedom / 2);
  return Math.sqrt((freedom * x) / (1 - x));
}

/** An interval that rests on clusters. */
export interface ClusteredInterval extends Interval {
  readonly designEffect: number;
}

/**
 * How alike items can make each other: 1 where no cluster holds more than one, the size of the
 * clusters where all of one cluster always agree.
 */
function largestEffect(sizes: Float64Array, n: number): number {
  return sizes.reduce((s, size) => s + size * size, 0) / n;
}

function sumsOf(values: ArrayLike<number>, clusters: Int32Array): [Float64Array, Float64Array] {
  const units = clusters.reduce((most, c) => Math.max(most, c + 1), 0);
  const sums = new Float64Array(units);
  const sizes = new Float64Array(units);
  clusters.forEach((c, i) => {
    sums[c]! += values[i]!;
    sizes[c]!++;
  });
  return [sums, sizes];
}

/** Variance of a mean over the clusters (between-cluster, linearised) over `plain`. */
function effectOf(sums: Float64Array, sizes: Float64Array, n: number, plain: number): number {
  const units = sums.length;
  const mean = sums.reduce((s, v) => s + v, 0) / n;
  const squares = sums.reduce((s, v, c) => s + (v - sizes[c]! * mean) ** 2, 0);
  return ((units / (units - 1)) * squares) / n ** 2 / plain;
}

/**
 * The estimate of a design effect is worth nothing where the rarer outcome fell into a cluster or
 * two: there the items of a cluster are taken for wholly alike, and the more rare outcomes there
 * are, the more the estimate counts.
 */
function cautious(estimate: number, largest: number, rare: number, least = 1): number {
  const weight = Math.min(1, rare / (2 * largest));
  const known = Number.isFinite(estimate) ? estimate : largest;
  return Math.max(least, weight * known + (1 - weight) * largest);
}

/** Effective size for Wilson's interval, with Student's quantile for so few clusters. */
function effectiveItems(n: number, effect: number, units: number, level: number): number {
  const z = normalQuantile(0.5 + level / 2);
  const t = studentQuantile(0.5 + level / 2, units - 1);
  return (n / effect) * (z / t) ** 2;
}

/** Design effects below this are not believed, however alike all values are. */
const leastEffect = 0.01;

/**
 * Wilson's interval of a mean of values from 0 to 1 on its effective size (Korn and Graubard 1998,
 * with Wilson's in the place of Clopper and Pearson's): n over the design effect, and Student's
 * quantile in the place of the normal one. For hits and misses the effect is 1 at least; a mean of
 * values in between, such as average precisions, spreads less than one of hits. Where every cluster
 * holds one hit or miss it is Wilson's interval itself. Stays honest near 0 and 1, where a
 * bootstrap does not (`bench/cluster-coverage.ts`).
 *
 * @param values from 0 to 1, one an item.
 * @param clusters a number an item, from 0 without gaps.
 * @returns null for fewer than two clusters.
 */
export function clusteredShare(
  values: ArrayLike<number>,
  clusters: Int32Array,
  level: number,
): ClusteredInterval | null {
  const n = values.length;
  const [sums, sizes] = sumsOf(values, clusters);
  const units = sums.length;
  if (units < 2) return null;
  const hits = sums.reduce((s, v) => s + v, 0);
  const plainHits = Array.prototype.every.call(values, (v) => v === 0 || v === 1);
  if (units === n && plainHits) return { ...wilsonInterval(hits, n, level), designEffect: 1 };
  const share = Math.min(1, hits / n);
  const plain = (share * (1 - share)) / n;
  const estimate = plain > 0 ? effectOf(sums, sizes, n, plain) : NaN;
  const designEffect = cautious(
    estimate,
    largestEffect(sizes, n),
    Math.min(hits, n - hits),
    plainHits ? 1 : leastEffect,
  );
  const items = effectiveItems(n, designEffect, units, level);
  const { low, high } = wilsonInterval(share * items, items, level);
  return { low, high, level, method: "wilson-effective-size", units, designEffect };
}

/** A share of hits over clusters as a score. */
export function shareOf(hits: readonly number[], clusters: Int32Array, level: number): Score {
  if (hits.length === 0) return undefinedScore("no items to take a share of");
  const value = hits.reduce((s, v) => s + v, 0) / hits.length;
  const interval = clusteredShare(hits, clusters, level);
  return measured(value, hits.length, interval, interval ? undefined : oneCluster);
}

const oneCluster = "all items are of one label: nothing tells how labels differ";

export interface ClusteredDifference {
  readonly interval: ClusteredInterval;
  /** First less second. */
  readonly difference: number;
  /** Two-sided, mid-p. */
  readonly p: number;
}

/**
 * McNemar's test where items come in clusters: under the hypothesis each cluster's wins less losses
 * might as well have had the other sign, so that the distribution over all sign changes is exact;
 * the observed value counts half (mid-p). With one item a
 * cluster it is McNemar's mid-p test. The interval is Bonett and Price's on the effective size.
 *
 * @param first 0 or 1 an item; `second` alike, on the same items.
 * @returns null for fewer than two clusters.
 */
export function clusteredPair(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  clusters: Int32Array,
  level: number,
): ClusteredDifference | null {
  const n = first.length;
  const differences = Float64Array.from({ length: n }, (_, i) => first[i]! - second[i]!);
  const [sums, sizes] = sumsOf(differences, clusters);
  const units = sums.length;
  if (units < 2) return null;
  const won = differences.reduce((s, d) => s + Math.max(0, d), 0);
  const lost = differences.reduce((s, d) => s + Math.max(0, -d), 0);
  const plain = (won + lost - (won - lost) ** 2 / n) / n ** 2;
  const estimate = plain > 0 ? effectOf(sums, sizes, n, plain) : NaN;
  const single = units === n;
  const designEffect = single ? 1 : cautious(estimate, largestEffect(sizes, n), won + lost);
  const items = single ? n : effectiveItems(n, designEffect, units, level);
  const scale = items / n;
  const [low, high] = bonettPrice(items, won * scale, lost * scale, level);
  const method = single ? "bonett-price" : "bonett-price-effective-size";
  return {
    difference: (won - lost) / n,
    interval: { low, high, level, method, units, designEffect },
    p: signFlips(sums),
  };
}

function bonettPrice(n: number, won: number, lost: number, level: number): [number, number] {
  const z = normalQuantile(0.5 + level / 2);
  const a = (won + 1) / (n + 2);
  const b = (lost + 1) / (n + 2);
  const half = z * Math.sqrt((a + b - (a - b) ** 2) / (n + 2));
  return [Math.max(-1, a - b - half), Math.min(1, a - b + half)];
}

/** Parts of an item that sums of expected hits are rounded to, for an exact distribution. */
const grid = 64;
/** Cells of the distribution, beyond which the grid gets coarser. */
const mostCells = 1 << 16;

/**
 * Mid-p of a sum under all changes of its terms' signs, two-sided, by convolution. Terms that are
 * no whole numbers (shares, expected hits) are rounded to a grid, 1/64 or coarser.
 */
export function signFlips(terms: Float64Array): number {
  const sizes = terms.filter((t) => t !== 0).map(Math.abs);
  if (sizes.length === 0) return 1;
  const whole = sizes.every(Number.isInteger);
  const total = sizes.reduce((s, v) => s + v, 0);
  const scale = Math.min(whole ? 1 : grid, mostCells / total);
  const steps = Array.from(sizes, (s) => Math.max(1, Math.round(s * scale)));
  let at = 0;
  terms.forEach((t) => {
    if (t !== 0) at += Math.sign(t) * Math.max(1, Math.round(Math.abs(t) * scale));
  });
  const width = steps.reduce((s, v) => s + v, 0);
  let chance = new Float64Array(2 * width + 1);
  chance[width] = 1;
  let reach = 0;
  for (const step of steps) {
    const next = new Float64Array(2 * width + 1);
    for (let i = width - reach; i <= width + reach; i++) {
      if (chance[i] === 0) continue;
      next[i - step]! += chance[i]! / 2;
      next[i + step]! += chance[i]! / 2;
    }
    chance = next;
    reach += step;
  }
  const observed = Math.abs(at);
  let beyond = 0;
  for (let i = observed + 1; i <= width; i++) beyond += chance[width + i]!;
  return Math.min(1, 2 * beyond + chance[width + observed]!);
}
