import type { CaseBoxes, CaseFound, CaseNeighbour, CaseTruth } from "../../src/eval/record/case.js";

/**
 * Neighbours and boxes as the site's data holds them: lists without names, coordinates to the
 * pixel, scores to three digits; and back.
 */

export type PackedNeighbour = readonly [label: string, score: number, picture: string | null];
type Corners = readonly [x0: number, y0: number, x1: number, y1: number];
type PackedTruth = readonly [...Corners, label: string | null, stage: string | null];
type PackedFound = readonly [
  ...Corners,
  score: number,
  label: string | null,
  fate: string,
  neighbours: readonly PackedNeighbour[],
];
export interface PackedBoxes {
  readonly truth: readonly PackedTruth[];
  readonly found: readonly PackedFound[];
}

export function packNeighbours(neighbours: readonly CaseNeighbour[]): PackedNeighbour[] {
  return neighbours.map(({ label, score, picture }) => [label, digits(score), picture]);
}

export function unpackNeighbours(packed: readonly PackedNeighbour[]): CaseNeighbour[] {
  return packed.map(([label, score, picture]) => ({ label, score, picture }));
}

/** Without the boxes that no metric used, which no page shows. */
export function packBoxes({ truth, found }: CaseBoxes): PackedBoxes {
  return {
    truth: truth.map((box) => [...pixels(box), box.label, box.stage]),
    found: found.filter(({ fate }) => fate !== "unused").map(packFound),
  };
}

export function unpackBoxes({ truth, found }: PackedBoxes): CaseBoxes {
  return { truth: truth.map(unpackTruth), found: found.map(unpackFound) };
}

/** The neighbours of the boxes that were kept: only theirs are shown. */
function packFound({ score, label, fate, neighbours, ...box }: CaseFound): PackedFound {
  const shown = fate === "kept" ? (neighbours ?? []) : [];
  return [...pixels(box), digits(score), label, fate, packNeighbours(shown)];
}

function unpackTruth([x0, y0, x1, y1, label, stage]: PackedTruth): CaseTruth {
  return { x0, y0, x1, y1, label, stage };
}

function unpackFound(packed: PackedFound): CaseFound {
  const [x0, y0, x1, y1, score, label, fate, neighbours] = packed;
  return { x0, y0, x1, y1, score, label, fate, neighbours: unpackNeighbours(neighbours) };
}

const pixels = ({ x0, y0, x1, y1 }: Pick<CaseTruth, "x0" | "y0" | "x1" | "y1">): Corners => [
  Math.round(x0),
  Math.round(y0),
  Math.round(x1),
  Math.round(y1),
];
const digits = (score: number): number => Math.round(score * 1000) / 1000;
