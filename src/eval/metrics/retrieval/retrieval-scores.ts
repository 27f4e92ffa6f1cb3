import { bootstrap, clusterNumbers, type BootstrapOptions } from "../../stats/bootstrap.js";
import { clusteredShare } from "../../stats/clusters.js";
import { defaultIntervals } from "../../stats/interval-plan.js";
import { wilsonInterval } from "../../stats/proportion.js";
import { ratioStatistic } from "../../stats/resampled-statistic.js";
import { measured, undefinedScore } from "../../stats/score.js";
import type { Interval, NamedScore, Score } from "../../types.js";
import {
  answerable,
  headlineOrder,
  type Order,
  type QueryValues,
  type RetrievalEvidence,
} from "./retrieval.js";

/**
 * Resamples of 0 are for no intervals. Queries of one cluster (label, burst of photos, camera) are
 * drawn together, so that likeness within it does not pass for certainty: one number a query.
 */
export type ScoreOptions = Omit<BootstrapOptions, "method">;

/** A score with what ties could have made of it. */
export type RetrievalScore = NamedScore & {
  /**
   * Value with the positives of each tie last, and first; null where the protocol has one order
   * only.
   */
  readonly bounds: readonly [number, number] | null;
};

export interface RetrievalScores {
  readonly scores: readonly RetrievalScore[];
  /**
   * Share of queries whose first positive is among the k best, for k = 1, 2, …: recall@k for all k,
   * without block weights.
   */
  readonly cmc: readonly number[];
  readonly queries: number;
  /** Queries without a valid positive: not in the denominators. */
  readonly unanswerable: number;
}

/**
 * The retrieval numbers of a set of queries:
 *
 * - recall@k: share of queries with a positive among the k best (the field's recall@k for labels;
 *   CMC at k). PaddleClas `Recallk`.
 * - precision@k: mean share of positives among the k best. PaddleClas `Precisionk`.
 * - mAP: mean average precision over the whole ranking. PaddleClas `mAP`.
 * - MAP@R and R-precision: Musgrave et al. 2020, section 3.1. Not in PaddleClas.
 * - mINP: mean of R over the rank of the last positive. Ye et al. 2021. PaddleClas `mINP`.
 *
 * Intervals: Wilson's on the effective size (`clusteredShare`) where queries count alike, which is
 * Wilson's itself for recall@k where no cluster holds more than one; where blocks weigh queries, a
 * percentile bootstrap over queries, or clusters.
 */
export function retrievalScores(
  evidence: RetrievalEvidence,
  options: ScoreOptions = {},
): RetrievalScores {
  const n = answerable(evidence);
  const count = evidence.positives.length;
  const names: {
    name: string;
    of: (values: QueryValues) => Float64Array;
    k?: number;
    kind: Kind;
  }[] = [
    ...evidence.ks.map((k, i) => ({
      name: `recall@${k}`,
      of: (v: QueryValues) => v.hit[i]!,
      k,
      kind: "recall" as const,
    })),
    { name: "mAP", of: (v) => v.averagePrecision, kind: "block" },
    { name: "MAP@R", of: (v) => v.mapAtR, kind: "plain" },
    { name: "R-precision", of: (v) => v.rPrecision, kind: "plain" },
    { name: "mINP", of: (v) => v.inverseNegativePenalty, kind: "penalty" },
    ...evidence.ks.map((k, i) => ({
      name: `precision@${k}`,
      of: (v: QueryValues) => v.precision[i]!,
      k,
      kind: "precision" as const,
    })),
  ];
  const order = headlineOrder(evidence);
  const scores = names.map(({ name, of, k, kind }): RetrievalScore => {
    const valueIn = (o: Order) => aggregate(evidence, of(evidence.values[o]!), kind);
    const base = { metric: name, unit: "ratio", better: "higher" } as const;
    const why =
      n === 0
        ? `none of the ${count} queries has a valid positive in the gallery`
        : k !== undefined && k > evidence.gallerySize
          ? `k = ${k} is more than the gallery's ${evidence.gallerySize} items`
          : null;
    const main = why !== null ? { why } : valueIn(order);
    if ("why" in main) return { ...base, ...undefinedScore(main.why), bounds: null };
    const [worst, best] =
      order === "stable" ? [main, main] : [valueIn("pessimistic"), valueIn("optimistic")];
    const bounds =
      order === "stable" || "why" in worst || "why" in best
        ? null
        : ([worst.value, best.value] as const);
    return { ...base, ...withInterval(main, options), bounds };
  });
  return {
    scores,
    cmc: Array.from(evidence.cmc[order]!, (hits) => (n === 0 ? 0 : hits / n)),
    queries: count,
    unanswerable: count - n,
  };
}

/** How a metric is averaged under the block and denominator rules. */
type Kind = "recall" | "block" | "plain" | "penalty" | "precision";

/** A weighted mean over queries. */
interface Mean {
  readonly value: number;
  readonly n: number;
  readonly values: Float64Array;
  readonly weights: Float64Array;
  /** All weights are alike. */
  readonly alike: boolean;
  /** The values are hits and misses, or what ties make of them. */
  readonly hits: boolean;
}

function aggregate(
  evidence: RetrievalEvidence,
  values: Float64Array,
  kind: Kind,
): Mean | { readonly why: string } {
  const { rules, positives } = evidence;
  if (kind === "penalty" && !values.every(Number.isFinite)) {
    return {
      why:
        "infinite in PaddleClas: the rank of the last positive counts from 0 there, and " +
        "some query has its only positive first",
    };
  }
  const all = kind === "precision" && rules.precision === "all";
  const counts = (q: number) => all || positives[q]! > 0;
  const weights =
    kind === "plain" || all
      ? Float64Array.from(positives, (_, q) => (counts(q) ? 1 : 0))
      : blockWeights(positives, rules.block);
  if (weights === null)
    return {
      why:
        `PaddleClas prints nan: one of its blocks of ${rules.block} queries has no query ` +
        "with a valid positive, and it divides by their number",
    };
  let sum = 0;
  let total = 0;
  let n = 0;
  for (let q = 0; q < values.length; q++) {
    if (weights[q]! === 0) continue;
    sum += weights[q]! * values[q]!;
    total += weights[q]!;
    n++;
  }
  return {
    value: sum / total,
    n,
    values,
    weights,
    alike: kind === "plain" || all || rules.block === null,
    hits: kind === "recall",
  };
}

/**
 * The weight of each query where the mean of a block counts by the block's size (PaddleClas
 * `retrieval_eval`: `metric_block[key] * block_feat.shape[0] / num_query`), although the mean
 * itself is over its queries with a positive. null where that divides by 0.
 */
function blockWeights(positives: Int32Array, block: number | null): Float64Array | null {
  const count = positives.length;
  const weights = new Float64Array(count);
  const size = block ?? count;
  for (let begin = 0; begin < count; begin += size) {
    const end = Math.min(count, begin + size);
    let valid = 0;
    for (let q = begin; q < end; q++) if (positives[q]! > 0) valid++;
    if (valid === 0) return null;
    for (let q = begin; q < end; q++)
      if (positives[q]! > 0) weights[q] = (end - begin) / count / valid;
  }
  return weights;
}

/** Queries that count alike: an effective size, by cluster where queries have any. */
function shareInterval(
  { values, weights, value, n, hits }: Mean,
  clusters: Int32Array | undefined,
  level: number,
): [Interval | null, string?] {
  const kept = Array.from(weights.keys()).filter((q) => weights[q]! > 0);
  const units = clusterNumbers(kept.map((q) => String(clusters ? clusters[q] : q)));
  if (hits && n > 1 && units.at(-1) === n - 1 && !clusters)
    return [wilsonInterval(value * n, n, level)];
  const found = clusteredShare(
    kept.map((q) => values[q]!),
    units,
    level,
  );
  return found ? [found] : [null, "all queries are of one cluster: there is nothing to compare"];
}

function withInterval(mean: Mean, { clusters, ...options }: ScoreOptions): Score {
  const { value, n } = mean;
  const { level, resamples, seed } = { ...defaultIntervals, ...options };
  if (resamples === 0) return measured(value, n, null, "none was asked for");
  if (mean.alike) return measured(value, n, ...shareInterval(mean, clusters, level));
  const kept = Array.from(mean.weights.keys()).filter((q) => mean.weights[q]! > 0);
  const weights = Float64Array.from(kept, (q) => mean.weights[q]!);
  const statistic = ratioStatistic(
    Float64Array.from(kept, (q, i) => mean.values[q]! * weights[i]!),
    weights,
  );
  const estimate = bootstrap(statistic, {
    method: "percentile",
    level,
    resamples,
    seed,
    ...(clusters && { clusters: clusterNumbers(kept.map((q) => String(clusters[q]))) }),
  });
  return estimate.value === null
    ? measured(value, n, null, estimate.why)
    : measured(value, n, estimate.interval, estimate.whyNoInterval);
}
