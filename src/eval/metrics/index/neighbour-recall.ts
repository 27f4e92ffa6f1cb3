// metrics/index/: exact and approximate neighbours in, their agreement and cost out. It never sees
// the index itself.
import { scorer } from "../../../pipeline/index/row-ranks-plain.js";
import {
  isCodes,
  type Codes,
  type IndexMetric,
  type Neighbours,
  type Vectors,
} from "../../../pipeline/types.js";
import { clusteredShare } from "../../stats/clusters.js";
import { defaultIntervals } from "../../stats/interval-plan.js";
import { measured, undefinedScore } from "../../stats/score.js";
import type { Score } from "../../types.js";

export interface NeighbourRecallOptions {
  /** Confidence of the interval. */
  readonly level?: number;
  /** A number a query: queries of one label are alike. Left out: each is its own. */
  readonly clusters?: Int32Array;
  readonly k: number;
  readonly metric: IndexMetric;
  /**
   * How much worse than the k-th exact score still counts, in units of the score; 0 unless told.
   * ann-benchmarks allows 1e-3 whatever the units.
   */
  readonly epsilon?: number;
  /** The vectors: what their float32 leaves uncertain in a score counts as equal. None: nothing. */
  readonly rounding?: Rounding;
}

/** How far two scores of a query may lie apart by rounding alone. */
export type Rounding = (query: number, row: number, other: number) => number;

/**
 * What float32 leaves uncertain between the scores of two rows: a sum of dim products is off by at
 * most lambda sqrt(dim) u |query| |row| (u = 2^-24) with probability 1 - 2 exp(-lambda^2 / 2)
 * (Higham and Mary 2019, "A New Approach to Probabilistic Rounding Error Analysis", theorem 2.4;
 * lambda = 4 here), so that the bound follows the vectors' own scale. Squared distances are sums of
 * three such products. Hamming distances are whole numbers: 0.
 */
export function float32Rounding(
  queries: Vectors | Codes,
  gallery: Vectors | Codes,
  metric: IndexMetric,
): Rounding {
  if (isCodes(queries) || isCodes(gallery)) return () => 0;
  const [q, g] = [norms(queries), norms(gallery)];
  const unit = 4 * Math.sqrt(gallery.dim) * 2 ** -24;
  if (metric === "l2")
    return (query, row, other) =>
      unit * ((q[query]! + g[row]!) ** 2 + (q[query]! + g[other]!) ** 2);
  return (query, row, other) => unit * q[query]! * (g[row]! + g[other]!);
}

/** Euclidean length of each row. */
export function norms({ data, dim }: Vectors): Float64Array {
  return Float64Array.from({ length: data.length / dim }, (_, row) => {
    let squares = 0;
    for (let i = row * dim; i < (row + 1) * dim; i++) squares += data[i]! ** 2;
    return Math.sqrt(squares);
  });
}

export interface NeighbourRecall {
  readonly k: number;
  /** Mean over the queries; Wilson's interval on the effective size, by cluster. */
  readonly recall: Score;
  /** Found of each query's k, over k: for paired tests. */
  readonly perQuery: Float64Array;
}

/** What ann-benchmarks allows (`ann_benchmarks/plotting/metrics.py`, `knn_threshold`). */
export const annBenchmarksEpsilon = 1e-3;

/**
 * Neighbour recall@k of an approximate search against the exact one, by score and not by row: an
 * item counts where its score is at least as good as that of the k-th exact neighbour, so that
 * which of several equal items comes back makes no difference. Per query: items found so, each row
 * once, at most k, over k. After ann-benchmarks (Aumüller, Bernhardsson, Faithfull 2020, section
 * 2.1), whose `epsilon` widens the bound.
 *
 * Where the gallery holds fewer than k items, those it has are the target. Scores should be exact:
 * `rescore` makes them so for an index that returns approximate ones.
 *
 * @throws RangeError where the two differ in the number of queries, or `exact` is shorter than k
 * although its gallery is not.
 */
export function neighbourRecall(
  found: Neighbours,
  exact: Neighbours,
  { k, metric, epsilon = 0, rounding = () => 0, ...drawing }: NeighbourRecallOptions,
): NeighbourRecall {
  const queries = exact.rows.length / exact.k;
  if (found.rows.length / found.k !== queries)
    throw new RangeError(`neighbourRecall: ${found.rows.length / found.k} and ${queries} queries`);
  const perQuery = new Float64Array(queries);
  const sign = metric === "inner-product" ? 1 : -1;
  for (let q = 0; q < queries; q++) {
    let target = 0;
    while (target < Math.min(k, exact.k) && exact.rows[q * exact.k + target]! >= 0) target++;
    if (target < k && target === exact.k)
      throw new RangeError(
        `neighbourRecall: the exact search kept ${exact.k} neighbours, ${k} needed`,
      );
    if (target === 0) continue;
    const last = exact.rows[q * exact.k + target - 1]!;
    const bound = sign * exact.scores[q * exact.k + target - 1]! - epsilon;
    const counted = new Set<number>();
    for (let i = 0; i < Math.min(k, found.k); i++) {
      const row = found.rows[q * found.k + i]!;
      if (row < 0) continue;
      const score = sign * found.scores[q * found.k + i]!;
      if (score >= bound - rounding(q, last, row)) counted.add(row);
    }
    perQuery[q] = Math.min(counted.size, target) / target;
  }
  return { k, perQuery, recall: meanScore(perQuery, drawing) };
}

/**
 * A search of a gallery with itself without each query's own row: query i is gallery row i. One
 * neighbour fewer a query; where the own row was not found, the last one goes.
 */
export function withoutOwn({ k, rows, scores }: Neighbours): Neighbours {
  const queries = rows.length / k;
  const kept: Neighbours = {
    k: k - 1,
    rows: new Float64Array(queries * (k - 1)),
    scores: new Float32Array(queries * (k - 1)),
  };
  for (let q = 0; q < queries; q++) {
    const own = rows.subarray(q * k, (q + 1) * k).indexOf(q);
    for (let i = 0; i < k - 1; i++) {
      const from = q * k + (own >= 0 && i >= own ? i + 1 : i);
      kept.rows[q * (k - 1) + i] = rows[from]!;
      kept.scores[q * (k - 1) + i] = scores[from]!;
    }
  }
  return kept;
}

function meanScore(
  values: Float64Array,
  { level = defaultIntervals.level, clusters }: Pick<NeighbourRecallOptions, "level" | "clusters">,
): Score {
  const n = values.length;
  if (n === 0) return undefinedScore("no queries");
  const mean = values.reduce((s, v) => s + v, 0) / n;
  const units = clusters ?? Int32Array.from(values, (_, i) => i);
  const interval = clusteredShare(values, units, level);
  return measured(mean, n, interval, interval ? undefined : "all queries are of one label");
}

/**
 * The same rows with their exact scores, computed in double: for indexes that return compressed or
 * rounded scores. Squared distances for l2.
 */
export function rescore(
  neighbours: Neighbours,
  queries: Vectors | Codes,
  gallery: Vectors | Codes,
  metric: IndexMetric,
): Neighbours {
  const dim = isCodes(gallery) ? gallery.bits / 8 : gallery.dim;
  const score = scorer(queries.data, gallery.data, dim);
  const scores = Float32Array.from(neighbours.scores, (_, i) => {
    const row = neighbours.rows[i]!;
    const query = Math.floor(i / neighbours.k);
    if (row < 0) return metric === "inner-product" ? -Infinity : Infinity;
    if (metric === "l2")
      return squaredDistance(queries.data, query * dim, gallery.data, row * dim, dim);
    return metric === "hamming" ? -score(query, row) : score(query, row);
  });
  return { ...neighbours, scores };
}

function squaredDistance(
  a: ArrayLike<number>,
  aStart: number,
  b: ArrayLike<number>,
  bStart: number,
  dim: number,
): number {
  let sum = 0;
  for (let i = 0; i < dim; i++) {
    const d = a[aStart + i]! - b[bStart + i]!;
    sum += d * d;
  }
  return sum;
}
