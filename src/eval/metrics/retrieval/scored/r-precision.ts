import type { RetrievalMetric } from "../retrieval-metric.js";
import { expectedWithin, ranksWithin } from "../tied-ranks.js";

/** Precision at R, the number of positives. */
export const rPrecision: RetrievalMetric = {
  name: "R-precision",
  unit: "ratio",
  better: "higher",
  source: "Musgrave et al. 2020, A Metric Learning Reality Check, section 3.1; not in PaddleClas",
  atK: false,
  ofAnswers: false,
  hits: false,
  column: "rPrecision",
  averaging: () => ({ over: "answerable", blocks: false }),
  ofRanks: (ranks, { count }) => ranksWithin(ranks, count) / count,
  ofTies: (groups, { count }) => expectedWithin(groups, count) / count,
};
