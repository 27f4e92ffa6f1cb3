import { rulesOf } from "../../../pipeline/protocol.js";
import { bootstrap, clusterNumbers, type BootstrapOptions } from "../../stats/bootstrap.js";
import { clusteredShare, shareOf } from "../../stats/clusters.js";
import { defaultIntervals } from "../../stats/interval-plan.js";
import { wilsonInterval } from "../../stats/proportion.js";
import { ratioStatistic } from "../../stats/resampled-statistic.js";
import { measured, named, undefinedScore } from "../../stats/score.js";
import type { Interval, NamedScore, Score } from "../../types.js";
import { answerable, headlineOrder, type Order, type RetrievalEvidence } from "./ranking.js";
import { scoresOf, type MetricScore, type RetrievalMetric } from "./retrieval-metric.js";
import { retrievalMetrics } from "./retrieval-metrics.js";

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
 * The scores of every metric that the evidence was judged by.
 *
 * Intervals: Wilson's on the effective size (`clusteredShare`) where queries count alike, which is
 * Wilson's itself for hits where no cluster holds more than one; where blocks weigh queries, a
 * percentile bootstrap over queries, or clusters.
 */
export function retrievalScores(
  evidence: RetrievalEvidence,
  options: ScoreOptions = {},
): RetrievalScores {
  const n = answerable(evidence);
  const count = evidence.positives.length;
  return {
    scores: evidence.scored.map((scored) => rankedScore(evidence, scored, options)),
    cmc: Array.from(evidence.cmc[headlineOrder(evidence)]!, (hits) => (n === 0 ? 0 : hits / n)),
    queries: count,
    unanswerable: count - n,
  };
}

function rankedScore(
  evidence: RetrievalEvidence,
  { name, metric, k }: MetricScore,
  options: ScoreOptions,
): RetrievalScore {
  const order = headlineOrder(evidence);
  const valueIn = (o: Order) => aggregate(evidence, evidence.values[o]!.of[name]!, metric);
  const base = { metric: name, unit: metric.unit, better: metric.better };
  const why = whyNone(evidence, k);
  const main = why === null ? valueIn(order) : { why };
  if ("why" in main) return { ...base, ...undefinedScore(main.why), bounds: null };
  const score = { ...base, ...withInterval(main, options) };
  if (order === "stable") return { ...score, bounds: null };
  const [worst, best] = [valueIn("pessimistic"), valueIn("optimistic")];
  return { ...score, bounds: "why" in worst || "why" in best ? null : [worst.value, best.value] };
}

/** Why no metric of the k best has a value, where none has. */
function whyNone(evidence: RetrievalEvidence, k: number): string | null {
  const { positives, gallerySize } = evidence;
  if (answerable(evidence) === 0)
    return `none of the ${positives.length} queries has a valid positive in the gallery`;
  return Number.isFinite(k) && k > gallerySize
    ? `k = ${k} is more than the gallery's ${gallerySize} items`
    : null;
}

/** What an index answered, exhaustive or not. */
export interface Answers {
  /** By listed query: the ranks, from 1, of the right answers among those returned. */
  readonly ranks: readonly (readonly number[])[];
  /** Right answers of each listed query by the lists; queries with none leave the denominator. */
  readonly positives: Int32Array;
}

/** The scores of the metrics that k answers tell, however they were found. */
export function answerScores(
  { ranks, positives }: Answers,
  ks: readonly number[],
  { level = defaultIntervals.level, clusters }: ScoreOptions,
): NamedScore[] {
  const rules = rulesOf("standard");
  const answered = Array.from(positives.keys()).filter((q) => positives[q]! > 0);
  const units = clusterNumbers(answered.map((q) => String(clusters ? clusters[q] : q)));
  const ofAnswers = retrievalMetrics.filter((metric) => metric.ofAnswers);
  return scoresOf(ofAnswers, ks).map(({ name, metric, k }) => {
    const { unit, better } = metric;
    const values = answered.map((q) => {
      const found = ranks[q]!;
      const query = { k, count: positives[q]!, rules };
      return found.length === 0 ? 0 : metric.ofRanks(found, query);
    });
    return named({ metric: name, unit, better }, shareOf(values, units, level));
  });
}

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
  { rules, positives }: RetrievalEvidence,
  values: Float64Array,
  metric: RetrievalMetric,
): Mean | { readonly why: string } {
  if (metric.whyInfinite !== undefined && !values.every(Number.isFinite))
    return { why: metric.whyInfinite };
  const { over, blocks } = metric.averaging(rules);
  const counts = (q: number) => over === "all" || positives[q]! > 0;
  const weights = blocks
    ? blockWeights(positives, rules.block)
    : Float64Array.from(positives, (_, q) => (counts(q) ? 1 : 0));
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
  const alike = !blocks || rules.block === null;
  return { value: sum / total, n, values, weights, alike, hits: metric.hits };
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
