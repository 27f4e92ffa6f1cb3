import type { RetrievalMetric } from "../../src/eval/metrics/retrieval/retrieval-metric.js";

/** One over the rank of the first positive, where it is among the k best. */
export const toyMetric: RetrievalMetric = {
  name: "toy-reciprocal",
  unit: "ratio",
  better: "higher",
  source: "a toy",
  atK: true,
  ofAnswers: true,
  hits: false,
  column: "reciprocal",
  averaging: () => ({ over: "answerable", blocks: false }),
  ofRanks: (ranks, { k }) => (ranks[0]! <= k ? 1 / ranks[0]! : 0),
  ofTies: ({ before }, { k }) => (before[0]! + 1 <= k ? 1 / (before[0]! + 1) : 0),
};
