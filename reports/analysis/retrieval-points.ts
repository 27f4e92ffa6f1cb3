import {
  cellName,
  codesOf,
  known,
  scoreOf,
  valueOf,
  whiskers,
  type CompletedCell,
} from "./record-view.js";

/** A retrieval cell as a point of a plot, grouped by its codes. */
export interface RetrievalPoint {
  readonly name: string;
  readonly group: "real" | "binary";
  /** recall@1. */
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly level: number | null;
  readonly n: number;
  /** Size of the index. */
  readonly bytes: number | null;
}

/** The cells whose recall@1 is known. */
export function retrievalPoints(cells: readonly CompletedCell[]): RetrievalPoint[] {
  return cells.flatMap((cell) => {
    const score = known(scoreOf(cell, "recall@1"));
    if (score === undefined) return [];
    const [name, group] = [cellName(cell, cells), codesOf(cell)];
    const bytes = valueOf(cell, "index-size");
    return [{ name, group, value: score.value, ...whiskers(score), n: score.n, bytes }];
  });
}
