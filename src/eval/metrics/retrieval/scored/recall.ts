import type { RetrievalMetric } from "../retrieval-metric.js";
import { expectedHit } from "../tied-ranks.js";

/** Share of queries with a positive among the k best: CMC at k. */
export const recall: RetrievalMetric = {
  name: "recall",
  unit: "ratio",
  better: "higher",
  source: "the field's recall@k for labels; PaddleClas `Recallk`",
  atK: true,
  ofAnswers: true,
  hits: true,
  column: "hit",
  averaging: () => ({ over: "answerable", blocks: true }),
  ofRanks: (ranks, { k }) => (ranks[0]! <= k ? 1 : 0),
  ofTies: (groups, { k }) => expectedHit(groups, k),
};
