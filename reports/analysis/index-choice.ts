import { codesOf, known, scoreOf, valueOf, type CompletedCell } from "./record-view.js";

/** Constraints in, an index out: the same rule whether a slider or a reader asks. */

export interface IndexPoint {
  readonly cell: string;
  readonly name: string;
  readonly codes: string;
  readonly family: "Flat" | "IVF" | "HNSW" | "two-stage" | "other";
  readonly labelRecall: number | null;
  readonly neighbourRecall: number | null;
  /** Milliseconds a query. */
  readonly timeMs: number | null;
  readonly memoryBytes: number | null;
  readonly buildMs: number | null;
  /** How many neighbours `neighbourRecall` is of. */
  readonly neighbours: number;
  /** Queries behind the recall. */
  readonly n: number | null;
}

export interface IndexLimits {
  /** Of labels, or of neighbours where no point knows labels. */
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

const parts: readonly (readonly [RegExp, IndexPoint["family"]])[] = [
  [/^(two-stage|Shortlist,)/i, "two-stage"],
  [/HNSW/i, "HNSW"],
  [/IVF/i, "IVF"],
  [/Flat/i, "Flat"],
];

/** The family of a Faiss factory string, `B` before a binary one: IVF128,Flat; BHNSW32. */
export function familyOf(index: string): IndexPoint["family"] {
  return parts.find(([pattern]) => pattern.test(index))?.[1] ?? "other";
}

/** The points of the cells of an index sweep or a choice. */
export function indexPoints(cells: readonly CompletedCell[]): IndexPoint[] {
  return cells.map((cell) => {
    const { index = "" } = cell.labels;
    const neighbours = fewestNeighbours(cell);
    return {
      cell: cell.id,
      name: pointNameOf(cell),
      codes: codesOf(cell),
      family: familyOf(index),
      labelRecall: valueOf(cell, "label-recall@1"),
      neighbourRecall: neighbourRecallOf(cell, cells, neighbours),
      neighbours,
      timeMs: valueOf(cell, "retrieval-time"),
      memoryBytes: valueOf(cell, "memory") ?? valueOf(cell, "index-size"),
      buildMs: valueOf(cell, "build-time"),
      n:
        known(scoreOf(cell, "label-recall@1"))?.n ??
        known(scoreOf(cell, `neighbour-recall@${neighbours}`))?.n ??
        null,
    };
  });
}

/** The name of a point, with the run-time parameters that its index does not already name. */
function pointNameOf(cell: CompletedCell): string {
  const index = cell.labels.index ?? cell.id;
  const set = ["nprobe", "efSearch"].filter((p) => cell.labels[p] && !index.includes(`${p} `));
  return [index, ...set.map((p) => `${p} ${cell.labels[p]}`)].join(" ");
}

/** The fewest neighbours that a cell knows recall of. */
function fewestNeighbours({ scores }: CompletedCell): number {
  const counts = scores.flatMap(({ metric }) => /^neighbour-recall@(\d+)$/.exec(metric)?.[1] ?? []);
  return counts.length === 0 ? 1 : Math.min(...counts.map(Number));
}

/**
 * Neighbour recall@k against one truth for all of a record's cells: the exact neighbours by the
 * real vectors, or by the codes where there are only codes. Null for codes beside real vectors that
 * were not held against these, as in records from before.
 */
export function neighbourRecallOf(
  cell: CompletedCell,
  cells: readonly CompletedCell[],
  k = 1,
): number | null {
  const score = (of?: Record<string, string>): number | null =>
    known(scoreOf(cell, `neighbour-recall@${k}`, of))?.value ?? null;
  const beside = score({ neighbours: "of the real vectors" });
  const mixed = cells.some((c) => codesOf(c) === "real");
  return beside ?? (codesOf(cell) === "binary" && mixed ? null : score());
}

/** Recall that a choice goes by: of labels, or of neighbours where no labels were given. */
export function chosenRecall(points: readonly IndexPoint[]): "labelRecall" | "neighbourRecall" {
  return points.some((p) => p.labelRecall !== null) ? "labelRecall" : "neighbourRecall";
}

/** The points that have all that a choice needs. */
export function usablePoints(points: readonly IndexPoint[]): IndexPoint[] {
  const recall = chosenRecall(points);
  return points.filter((p) => p[recall] !== null && p.timeMs !== null && p.memoryBytes !== null);
}

/** A point as the charts show it. */
export interface ShownPoint extends IndexPoint {
  readonly state: "pick" | "fits" | "out";
  readonly front: boolean;
  readonly mib: number;
  readonly buildS: number | null;
}

export function shownPoints(
  usable: readonly IndexPoint[],
  { allowed, pick }: IndexPick,
): ShownPoint[] {
  const fits = new Set(allowed.map((p) => p.cell));
  const recall = chosenRecall(usable);
  const best = paretoFront(
    usable,
    (p) => p[recall]!,
    (p) => p.timeMs!,
  );
  const front = new Set(best.map((p) => p.cell));
  return usable.map((p) => ({
    ...p,
    state: p.cell === pick?.cell ? "pick" : fits.has(p.cell) ? "fits" : "out",
    front: front.has(p.cell),
    mib: p.memoryBytes! / 2 ** 20,
    buildS: p.buildMs === null ? null : p.buildMs / 1000,
  }));
}

/** An axis of recall: never above 1, and never so narrow that equal points look apart. */
export function recallDomain(values: readonly number[]): readonly [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(0.02, 0.06 * (high - low));
  return [Math.max(0, low - room), Math.min(1.01, high + room)];
}

/**
 * Keeps the points within every limit (a point that lacks a limited figure is out), and picks the
 * fastest; equal times go to the smaller memory, then to the higher recall. HNSW cannot delete.
 */
export function pickIndex(points: readonly IndexPoint[], limits: IndexLimits): IndexPick {
  const recall = chosenRecall(points);
  const allowed = points
    .filter(
      (p) =>
        p[recall] !== null &&
        p[recall] >= limits.minimumRecall &&
        p.timeMs !== null &&
        p.timeMs <= limits.maximumMs &&
        p.memoryBytes !== null &&
        p.memoryBytes <= limits.maximumBytes &&
        !(limits.mustDelete && p.family === "HNSW"),
    )
    .sort(
      (a, b) => a.timeMs! - b.timeMs! || a.memoryBytes! - b.memoryBytes! || b[recall]! - a[recall]!,
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

/**
 * How many vectors of how many dimensions a cell drew at random; null where it searched a user's.
 * A cell of drawn vectors is labelled with their number and dimension alone.
 */
export function drawnVectors({ labels }: Pick<CompletedCell, "labels">): string | null {
  const drawn = /^(\d+) x (\d+)$/.exec(labels.vectors ?? "");
  return drawn ? `${Number(drawn[1]).toLocaleString("en-US")} x ${drawn[2]}` : null;
}
