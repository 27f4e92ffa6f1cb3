import type { RetrievalMetric } from "./retrieval-metric.js";
import { mapAtR } from "./scored/map-at-r.js";
import { meanAveragePrecision } from "./scored/mean-average-precision.js";
import { meanInversePenalty } from "./scored/mean-inverse-penalty.js";
import { precision } from "./scored/precision.js";
import { rPrecision } from "./scored/r-precision.js";
import { recall } from "./scored/recall.js";

/** Every retrieval metric, in the order of tables. */
export const retrievalMetrics: readonly RetrievalMetric[] = [
  recall,
  meanAveragePrecision,
  mapAtR,
  rPrecision,
  meanInversePenalty,
  precision,
];
