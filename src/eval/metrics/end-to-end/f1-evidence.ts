import { suppress } from "../../../pipeline/box.js";
import type { Box, Protocol, Recognition } from "../../../pipeline/types.js";

/**
 * One object that a picture truly shows: its gallery label and where it is, in pixels of the
 * picture.
 */
export interface TruthObject {
  readonly label: string;
  readonly box: Box;
}

/**
 * A query picture: what it shows and what the pipeline made of it. A picture without truth objects
 * is a distractor.
 */
export interface ImageEvidence {
  readonly image: string;
  readonly truth: readonly TruthObject[];
  /** Objects that the picture shows and the gallery lacks: any answer to them is a false accept. */
  readonly unknown?: readonly Box[];
  /** All crops, whatever their fate in the run: thresholds and suppression are applied anew. */
  readonly recognitions: readonly Pick<Recognition, "box" | "label" | "score">[];
}

/**
 * How crops become answers: PP-ShiTu's threshold on the recognition score, then suppression over
 * the same scores.
 */
export interface AcceptanceRule {
  /** Similarities are better high, Hamming and L2 distances low. */
  readonly better: "higher" | "lower";
  /** IoU above which the worse of two boxes goes (0.05 in PaddleClas); null keeps all. */
  readonly suppressIou: number | null;
  /**
   * `paddleclas` sorts descending even where low is better, and so keeps the worst box of a group;
   * of equal scores the last goes first.
   */
  readonly protocol: Protocol;
}

/** PaddleClas's constants for a real-valued index. */
export const defaultRule: AcceptanceRule = {
  better: "higher",
  suppressIou: 0.05,
  protocol: "standard",
};

export interface Candidate {
  readonly box: Box;
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

/**
 * Which candidates survive a threshold and the suppression, as places in the list, in the order in
 * which the pipeline gives them (best first). Candidates without a label found nothing and never
 * survive.
 *
 * @param threshold null accepts every score.
 */
export function accepted(
  candidates: readonly Candidate[],
  rule: AcceptanceRule,
  threshold: number | null,
): number[] {
  const passing = candidates.flatMap((c, i) =>
    c.label !== null && (threshold === null || passes(c.score, threshold, rule.better)) ? [i] : [],
  );
  return suppressed(candidates, passing, rule);
}

function suppressed(
  candidates: readonly Candidate[],
  passing: readonly number[],
  { better, suppressIou, protocol }: AcceptanceRule,
): number[] {
  const order = better === "higher" || protocol === "paddleclas" ? "descending" : "ascending";
  const ties = protocol === "paddleclas" ? "last" : "first";
  // The pipeline's own suppression, with its pixel-inclusive areas; an IoU never exceeds 1, so that
  // 1 keeps all.
  return suppress(
    passing.map((i) => candidates[i]!.box),
    passing.map((i) => candidates[i]!.score),
    suppressIou ?? 1,
    { plusOne: true, order, ties },
  ).map((k) => passing[k]!);
}

/**
 * What one picture answers at every threshold: one step for each distinct score, strictest first.
 */
export interface Step {
  /** This step holds for thresholds from here to the next step's. */
  readonly score: number;
  readonly accepted: readonly Candidate[];
}

/**
 * The steps of one picture. Suppression is worked out again at each of them, because it is not
 * always nested: under `paddleclas` a worse Hamming distance that comes in may displace a better
 * one.
 */
export function steps(candidates: readonly Candidate[], rule: AcceptanceRule): Step[] {
  const scores = [...new Set(candidates.flatMap((c) => (c.label === null ? [] : [c.score])))].sort(
    byStrictness(rule.better),
  );
  return scores.map((score) => ({
    score,
    accepted: accepted(candidates, rule, score).map((i) => candidates[i]!),
  }));
}
