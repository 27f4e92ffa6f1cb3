import type { RetrievalMetric } from "../retrieval-metric.js";
import { expectedPrecisions, precisionsAt } from "../tied-ranks.js";

/** The sum of average precision cut at rank R, the number of positives, over R. */
export const mapAtR: RetrievalMetric = {
  name: "MAP@R",
  unit: "ratio",
  better: "higher",
  source: "Musgrave et al. 2020, A Metric Learning Reality Check, section 3.1; not in PaddleClas",
  atK: false,
  ofAnswers: false,
  hits: false,
  column: "mapAtR",
  averaging: () => ({ over: "answerable", blocks: false }),
  ofRanks: (ranks, { count }) => precisionsAt(ranks, count) / count,
  ofTies: (groups, { count }) => expectedPrecisions(groups, count) / count,
};
