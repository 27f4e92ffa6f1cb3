import type { Rules } from "../../../pipeline/protocol.js";
import type { Direction, Unit } from "../../types.js";
import type { TieGroups } from "./tied-ranks.js";

/** The quirks that change what a ranking is worth. */
export const rankingQuirks = ["junk", "ties", "block", "precision", "penalty"] as const;
export type RetrievalRules = Pick<Rules, (typeof rankingQuirks)[number]>;

/** The query that a value is of. */
export interface JudgedQuery {
  /** Places that count; Infinity for a metric of the whole ranking. */
  readonly k: number;
  /**
   * R: right answers by the lists. Those that are in no place of the ranking, because their
   * pictures could not be embedded, are never found.
   */
  readonly count: number;
  readonly rules: RetrievalRules;
}

/** How the values of queries become one. */
export interface Averaging {
  /** Queries with a positive, or all. */
  readonly over: "answerable" | "all";
  /** Whether the rule of blocks weighs them. */
  readonly blocks: boolean;
}

/**
 * A retrieval metric: one file of `scored/`, and a line of `retrieval-metrics.ts`. Rankings,
 * scores, help, cases and records read it from there.
 */
export interface RetrievalMetric {
  /** `recall`, whose scores are `recall@1`, `recall@5` where it is of the k best. */
  readonly name: string;
  readonly unit: Unit;
  readonly better: Direction;
  /** Where it is defined, and what PaddleClas calls it. */
  readonly source: string;
  /** Whether it is of the k best, one score for each k, or of the whole ranking. */
  readonly atK: boolean;
  /** Whether the answers of an index that is not exhaustive, k of them, are all that it needs. */
  readonly ofAnswers: boolean;
  /** Whether its values are hits and misses, or the chance of one. */
  readonly hits: boolean;
  /** Name of its values in tables of one row a query. */
  readonly column: string;
  /** Why a value may be infinite, where it may. */
  readonly whyInfinite?: string;
  averaging(rules: RetrievalRules): Averaging;
  /** @param ranks of the positives, ascending, from 1, at least one. */
  ofRanks(ranks: ArrayLike<number>, query: JudgedQuery): number;
  /** The mean over all orders of tied items. */
  ofTies(groups: TieGroups, query: JudgedQuery): number;
}

/** A score of a metric: `recall@5`. */
export interface MetricScore {
  readonly name: string;
  readonly metric: RetrievalMetric;
  /** As `JudgedQuery` has it. */
  readonly k: number;
}

/** The scores of metrics: one for each k, or one. */
export function scoresOf(
  metrics: readonly RetrievalMetric[],
  ks: readonly number[],
): MetricScore[] {
  return metrics.flatMap((metric) =>
    metric.atK
      ? ks.map((k) => ({ name: `${metric.name}@${k}`, metric, k }))
      : [{ name: metric.name, metric, k: Infinity }],
  );
}

/** `recall@k, mAP`: for people. */
export function metricNames(metrics: readonly RetrievalMetric[]): string {
  return metrics.map(({ name, atK }) => (atK ? `${name}@k` : name)).join(", ");
}
