/**
 * One row of a record's `cases.arrow`: a query, a picture or a timed item. All kinds of experiment
 * share the columns; what a kind does not have is null.
 */
export interface Case {
  /** The cell of the record that the row belongs to. */
  readonly cell: string;
  /** The query or picture, as its list names it. */
  readonly item: string;
  /**
   * Picture file relative to the data set's image root, for thumbnails; null where there is none.
   */
  readonly image: string | null;
  readonly outcome: "hit" | "miss" | "junk" | "error" | "none";
  readonly truth: string | null;
  readonly prediction: string | null;
  /** Similarity or distance of the first neighbour, or a picture's own score. */
  readonly score: number | null;
  /** Place of the first positive, from 0; null where there is none. */
  readonly rank: number | null;
  /** The best first, at most `keptNeighbours` of them. */
  readonly neighbours: readonly CaseNeighbour[] | null;
  readonly boxes: CaseBoxes | null;
  readonly width: number | null;
  readonly height: number | null;
  /** Which stage of the loss waterfall lost it, where that was measured. */
  readonly lostAt: string | null;
  /** Milliseconds by stage. */
  readonly stageMs: Readonly<Record<string, number>> | null;
}

/** An entry of the gallery that a query or a box found. */
export interface CaseNeighbour {
  readonly label: string;
  readonly score: number;
  /** Its picture, relative to the gallery's image root. */
  readonly picture: string | null;
}

export interface CaseCorners {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** A true box in pixels, and the stage that lost it ("correct" where none did), if measured. */
export interface CaseTruth extends CaseCorners {
  readonly label: string | null;
  readonly stage: string | null;
}

/** A found box in pixels, and what became of it. */
export interface CaseFound extends CaseCorners {
  readonly score: number;
  readonly label: string | null;
  readonly fate: string;
  readonly neighbours: readonly CaseNeighbour[] | null;
}

export interface CaseBoxes {
  readonly truth: readonly CaseTruth[];
  readonly found: readonly CaseFound[];
}

/** As many neighbours of a query or box as a page shows. */
export const keptNeighbours = 3;

/** The neighbours that a case keeps of all that were found. */
export function bestNeighbours(
  hits: readonly { readonly label: string; readonly score: number; readonly path: string | null }[],
): CaseNeighbour[] {
  return hits
    .slice(0, keptNeighbours)
    .map(({ label, score, path }) => ({ label, score, picture: path }));
}

/** The corners alone of what has more. */
export function cornersOf({ x0, y0, x1, y1 }: CaseCorners): CaseCorners {
  return { x0, y0, x1, y1 };
}
