import type { CaseBoxes, CaseNeighbour } from "../../src/eval/record/case.js";

type Corners = readonly [x0: number, y0: number, x1: number, y1: number];
type Label = string | null;
export type TruthRow = readonly [...Corners, label: Label];
export type FoundRow = readonly [
  ...Corners,
  score: number,
  label: Label,
  fate: string,
  neighbours?: readonly CaseNeighbour[],
];

/** Boxes of a case, written as rows of numbers. */
export function boxesFrom(truth: readonly TruthRow[], found: readonly FoundRow[]): CaseBoxes {
  return {
    truth: truth.map(([x0, y0, x1, y1, label]) => ({ x0, y0, x1, y1, label, stage: null })),
    found: found.map(([x0, y0, x1, y1, score, label, fate, neighbours = null]) => ({
      ...{ x0, y0, x1, y1 },
      score,
      label,
      fate,
      neighbours,
    })),
  };
}
