// scored/: one query's relevance by rank in; one number of it out, a file a metric. It never sees
// vectors or labels.
import type { RetrievalMetric } from "../retrieval-metric.js";
import { expectedPrecisions, precisionsAt } from "../tied-ranks.js";

/** Mean over the positives of the precision at their ranks, over the whole ranking. */
export const meanAveragePrecision: RetrievalMetric = {
  name: "mAP",
  unit: "ratio",
  better: "higher",
  source:
    "PaddleClas `mAP`; under ties McSherry and Najork, Computing Information Retrieval " +
    "Performance Measures Efficiently in the Presence of Tied Scores (ECIR 2008)",
  atK: false,
  ofAnswers: false,
  hits: false,
  column: "averagePrecision",
  averaging: () => ({ over: "answerable", blocks: true }),
  ofRanks: (ranks, { count }) => precisionsAt(ranks, Infinity) / count,
  ofTies: (groups, { count }) => expectedPrecisions(groups, Infinity) / count,
};
