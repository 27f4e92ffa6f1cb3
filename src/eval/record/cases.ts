import { utf8 } from "@uwdata/flechette";
import * as aq from "arquero";

/**
 * One row of a record's `cases.arrow`: a query, a picture or a timed item. All kinds of experiment
 * share the columns; what a kind does not have is null. `neighbours` and `boxes` hold JSON, since
 * Arrow lists of structs are not read everywhere.
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
  /** JSON: [label, score, picture][] best first, scores to six decimals. */
  readonly neighbours: string | null;
  /**
   * JSON: { truth: [x0, y0, x1, y1, label][], found: [x0, y0, x1, y1, score, label, fate][] } in
   * pixels.
   */
  readonly boxes: string | null;
  readonly width: number | null;
  readonly height: number | null;
  /** Which stage of the loss waterfall lost it, where that was measured. */
  readonly lostAt: string | null;
  /** JSON: milliseconds by stage. */
  readonly stageMs: string | null;
}

const columns = [
  "cell",
  "item",
  "image",
  "outcome",
  "truth",
  "prediction",
  "score",
  "rank",
  "neighbours",
  "boxes",
  "width",
  "height",
  "lostAt",
  "stageMs",
] as const satisfies readonly (keyof Case)[];

/** Texts that hardly ever repeat: a dictionary of them would cost time and hold nothing back. */
const plainText = { neighbours: utf8(), boxes: utf8(), stageMs: utf8() };

/** The rows as an Arrow IPC file. */
export function casesToArrow(cases: readonly Case[]): Uint8Array {
  const table = aq.table(
    Object.fromEntries(columns.map((name) => [name, cases.map((c) => c[name])])),
    [...columns],
  );
  const bytes = table.toArrowIPC({ format: "file", types: plainText });
  if (!bytes) throw new Error("arquero gave no Arrow bytes");
  return bytes;
}

/** Reads them back. */
export function casesFromArrow(bytes: Uint8Array): Case[] {
  return aq.fromArrow(bytes).objects() as Case[];
}
