// metrics/retrieval/: vectors and labels, or their rankings, in; recall, mAP and the others out. It
// never sees pictures or an approximate index.
import { rulesOf, type Protocol } from "../../../pipeline/protocol.js";
import type { Progress } from "../../../pipeline/types.js";
import { rankGallery, type RetrievalEvidence, type RetrievalInput } from "./ranking.js";
import { checkInput } from "./retrieval-check.js";
import { scoresOf, type RetrievalMetric, type RetrievalRules } from "./retrieval-metric.js";
import { retrievalMetrics } from "./retrieval-metrics.js";

export interface RankingOptions {
  readonly protocol?: Protocol;
  /** Overrides single rules of the protocol. */
  readonly rules?: Partial<RetrievalRules>;
  /** All of them unless told. */
  readonly metrics?: readonly RetrievalMetric[];
  /** For metrics of the k best; [1, 5, 10] unless told. */
  readonly ks?: readonly number[];
  /** How many neighbours of each query to keep; 10 unless told. */
  readonly top?: number;
  /** Length of the CMC curve; 100 unless told. */
  readonly cmcLength?: number;
  readonly threads?: number;
  /**
   * Positives held at once, about 24 bytes each; 1,000,000 unless told. The result does not depend
   * on it.
   */
  readonly heldPositives?: number;
  readonly progress?: Progress;
}

/**
 * Ranks the whole gallery for each query, exactly, and keeps what the metrics need.
 *
 * @throws UserError `retrieval-empty`, `retrieval-length` (labels or uids do not fit the rows),
 * `retrieval-uids` (one side only), `retrieval-leave-one-out` (queries are not the gallery),
 * `retrieval-k`, `dimension-mismatch`, `vector-not-finite`.
 */
export async function rankQueries(
  input: RetrievalInput,
  options: RankingOptions = {},
): Promise<RetrievalEvidence> {
  const {
    protocol = "standard",
    metrics = retrievalMetrics,
    ks = [1, 5, 10],
    top = 10,
    cmcLength = 100,
    heldPositives = 1_000_000,
    threads,
    progress,
  } = options;
  const rules: RetrievalRules = { ...rulesOf(protocol), ...options.rules };
  if (rules.penalty === "from-zero" && rules.ties !== "stable")
    throw new RangeError("rules: a penalty from zero goes with stable ties only");
  checkInput(input, ks);
  const scored = scoresOf(metrics, ks);
  return rankGallery(input, {
    protocol,
    rules,
    scored,
    top,
    cmcLength,
    heldPositives,
    threads,
    progress,
  });
}
