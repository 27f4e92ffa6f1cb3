import { matchDetections, matchedShare } from "../agreement/boxes.js";
import { rowHamming } from "../agreement/codes.js";
import type { ChainAnswer } from "../chain/runner.js";

/**
 * How alike two answers to one picture are, 1 where they are the same: for choosing between
 * explanations, so it must fall with every kind of difference.
 *
 * Vectors and scores: 2ab / (aa + bb), which unlike the cosine also sees another length. Codes:
 * share of equal bits, from 0 where half of them are. Boxes: pairs as a share of all, times the
 * mean overlap, less the mean shift of the scores.
 */
export function likeness(baseline: ChainAnswer, candidate: ChainAnswer): number {
  if (baseline.kind === "vector" && candidate.kind === "vector") {
    return concordance(baseline.vector, candidate.vector);
  }
  if (baseline.kind === "scores" && candidate.kind === "scores") {
    return concordance(baseline.scores, candidate.scores);
  }
  if (baseline.kind === "code" && candidate.kind === "code") {
    const bits = baseline.code.length * 8;
    if (baseline.code.length !== candidate.code.length) return 0;
    return Math.max(0, 1 - (2 * rowHamming(baseline.code, candidate.code, bits)[0]!) / bits);
  }
  if (baseline.kind === "boxes" && candidate.kind === "boxes") {
    const found = matchDetections(baseline.boxes, candidate.boxes);
    if (found.matched === 0) return matchedShare([found]);
    const overlap = mean(found.overlaps);
    return Math.max(0, matchedShare([found]) * overlap - mean(found.scoreShifts.map(Math.abs)));
  }
  return 0;
}

function concordance(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return 0;
  let dot = 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    sum += a[i]! ** 2 + b[i]! ** 2;
  }
  return sum > 0 ? Math.max(0, (2 * dot) / sum) : 0;
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, v) => sum + v, 0) / values.length;
}
