import { UserError } from "./errors.js";
import { suppress } from "./box.js";
import type { Rules } from "./protocol.js";
import type { Box } from "./types.js";

/**
 * How crops become answers: PP-ShiTu's threshold on the recognition score, then suppression over
 * the same scores. The pipeline and the metrics that apply other thresholds to its crops share it.
 */
export interface AcceptanceRule {
  /** Similarities are better high, Hamming and L2 distances low. */
  readonly better: "higher" | "lower";
  /** IoU above which the worse of two boxes goes (0.05 in PaddleClas); null keeps all. */
  readonly suppressIou: number | null;
  readonly rules: SuppressionRules;
}

export type SuppressionRules = Pick<Rules, "suppressionOrder" | "equalScores">;

export interface Candidate {
  readonly box: Box;
  /** null where the search found nothing. */
  readonly label: string | null;
  readonly score: number;
}

/** Whether a score passes a threshold (both ends included, as in PaddleClas). */
export function passes(
  score: number,
  threshold: number,
  better: AcceptanceRule["better"],
): boolean {
  return better === "higher" ? score >= threshold : score <= threshold;
}

/** Orders scores from the strictest threshold to the loosest. */
export function byStrictness(better: AcceptanceRule["better"]): (a: number, b: number) => number {
  return better === "higher" ? (a, b) => b - a : (a, b) => a - b;
}

/** Which scores suppression takes first. */
export function takesFirst({
  better,
  rules,
}: Pick<AcceptanceRule, "better" | "rules">): AcceptanceRule["better"] {
  return rules.suppressionOrder === "highest-first" ? "higher" : better;
}

/**
 * Which candidates survive a threshold and the suppression, as places in the list, in the order in
 * which the pipeline gives them (best first). Candidates without a label never survive.
 *
 * @param threshold null accepts every score.
 */
export function accepted(
  candidates: readonly Candidate[],
  rule: AcceptanceRule,
  threshold: number | null,
): number[] {
  const odd = candidates.findIndex((c) => c.label !== null && Number.isNaN(c.score));
  if (odd >= 0)
    throw new UserError({
      code: "score-not-finite",
      message: "an answer's score is not a number",
      path: `recognitions[${odd}].score`,
      expected: "a number",
      found: "NaN",
      fix: "look for a division by zero where the scores are made",
    });
  const passing = candidates.flatMap((c, i) =>
    c.label !== null && (threshold === null || passes(c.score, threshold, rule.better)) ? [i] : [],
  );
  // Areas are pixel-inclusive, as PaddleClas's; an IoU never exceeds 1, so that 1 keeps all.
  return suppress(
    passing.map((i) => candidates[i]!.box),
    passing.map((i) => candidates[i]!.score),
    rule.suppressIou ?? 1,
    {
      plusOne: true,
      order: takesFirst(rule) === "higher" ? "descending" : "ascending",
      ties: rule.rules.equalScores,
    },
  ).map((k) => passing[k]!);
}
