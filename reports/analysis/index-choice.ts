import { codesOf, known, scoreOf, type CompletedCell } from "./record-view.js";

/** Constraints in, an index out: the same rule whether a slider or a reader asks. */

export interface IndexPoint {
  readonly cell: string;
  readonly name: string;
  readonly codes: string;
  readonly family: "Flat" | "IVF" | "HNSW" | "other";
  readonly labelRecall: number | null;
  readonly neighbourRecall: number | null;
  /** Milliseconds a query. */
  readonly timeMs: number | null;
  readonly memoryBytes: number | null;
  readonly buildMs: number | null;
}

export interface IndexLimits {
  readonly minimumRecall: number;
  readonly maximumMs: number;
  readonly maximumBytes: number;
  readonly mustDelete: boolean;
}

export interface IndexPick {
  readonly allowed: readonly IndexPoint[];
  readonly pick: IndexPoint | null;
  readonly runnerUp: IndexPoint | null;
}

/**
 * Neighbour recall@1 against one truth for all of a record's cells: the exact neighbours by the
 * real vectors, or by the codes where there are only codes. Null for codes beside real vectors that
 * were not held against these, as in records from before.
 */
export function neighbourRecallOf(
  cell: CompletedCell,
  cells: readonly CompletedCell[],
): number | null {
  const score = (of?: Record<string, string>): number | null =>
    known(scoreOf(cell, "neighbour-recall@1", of))?.value ?? null;
  const beside = score({ neighbours: "of the real vectors" });
  const mixed = cells.some((c) => codesOf(c) === "real");
  return beside ?? (codesOf(cell) === "binary" && mixed ? null : score());
}

/** The family of a Faiss factory string, `B` before a binary one: IVF128,Flat; BHNSW32. */
export function familyOf(index: string): IndexPoint["family"] {
  const match = /(HNSW|IVF|Flat)/i.exec(index)?.[0].toLowerCase();
  return match === "hnsw" ? "HNSW" : match === "ivf" ? "IVF" : match === "flat" ? "Flat" : "other";
}

/**
 * Keeps the points within every limit (a point that lacks a limited figure is out), and picks the
 * fastest; equal times go to the smaller memory, then to the higher recall. HNSW cannot delete.
 */
export function pickIndex(points: readonly IndexPoint[], limits: IndexLimits): IndexPick {
  const allowed = points
    .filter(
      (p) =>
        p.labelRecall !== null &&
        p.labelRecall >= limits.minimumRecall &&
        p.timeMs !== null &&
        p.timeMs <= limits.maximumMs &&
        p.memoryBytes !== null &&
        p.memoryBytes <= limits.maximumBytes &&
        !(limits.mustDelete && p.family === "HNSW"),
    )
    .sort(
      (a, b) =>
        a.timeMs! - b.timeMs! || a.memoryBytes! - b.memoryBytes! || b.labelRecall! - a.labelRecall!,
    );
  return { allowed, pick: allowed[0] ?? null, runnerUp: allowed[1] ?? null };
}

/** The points that no other beats in both recall and time. */
export function paretoFront<T>(
  points: readonly T[],
  recall: (point: T) => number,
  cost: (point: T) => number,
): T[] {
  const sorted = [...points].sort((a, b) => cost(a) - cost(b) || recall(b) - recall(a));
  let best = -Infinity;
  return sorted.filter((point) => {
    if (recall(point) <= best) return false;
    best = recall(point);
    return true;
  });
}
