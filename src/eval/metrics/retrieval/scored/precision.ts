import type { RetrievalMetric } from "../retrieval-metric.js";
import { expectedWithin, ranksWithin } from "../tied-ranks.js";

/** Mean share of positives among the k best. */
export const precision: RetrievalMetric = {
  name: "precision",
  unit: "ratio",
  better: "higher",
  source: "PaddleClas `Precisionk`",
  atK: true,
  ofAnswers: true,
  hits: false,
  column: "precision",
  averaging: (rules) =>
    rules.precision === "all"
      ? { over: "all", blocks: false }
      : { over: "answerable", blocks: true },
  ofRanks: (ranks, { k }) => ranksWithin(ranks, k) / k,
  ofTies: (groups, { k }) => expectedWithin(groups, k) / k,
};
