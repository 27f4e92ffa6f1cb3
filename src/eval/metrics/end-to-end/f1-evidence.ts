import {
  accepted,
  byStrictness,
  type AcceptanceRule,
  type Candidate,
} from "../../../pipeline/acceptance.js";
import { rulesOf } from "../../../pipeline/protocol.js";
import type { Box, Recognition } from "../../../pipeline/types.js";

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

/** PaddleClas's constants for a real-valued index. */
export const defaultRule: AcceptanceRule = {
  better: "higher",
  suppressIou: 0.05,
  rules: rulesOf("standard"),
};

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
 * always nested: where the farthest code stays, a worse Hamming distance that comes in may displace
 * a better one.
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
