import { FileAttachment } from "observablehq:stdlib";
import * as aq from "npm:arquero";
import { tableFromIPC } from "npm:@uwdata/flechette";
import type { CaseBoxes, CaseNeighbour } from "../../src/eval/record/case.js";
import type { OutcomeCount } from "../analysis/query-filter.js";
import type { RecordView } from "../analysis/record-view.js";
import {
  unpackBoxes,
  unpackNeighbours,
  type PackedBoxes,
  type PackedNeighbour,
} from "../analysis/packed-cases.js";

/**
 * The cases of the records, loaded when a page first asks: one light row a case, and the full rows
 * of those that are shown.
 */

export interface Detail {
  readonly record: string;
  readonly cell: string;
  readonly dataset: string;
  readonly item: string;
  readonly image: string | null;
  readonly outcome: string;
  readonly truth: string | null;
  readonly prediction: string | null;
  readonly score: number | null;
  readonly rank: number | null;
  readonly neighbours: readonly CaseNeighbour[];
  readonly boxes: CaseBoxes | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly lostAt: string | null;
}

export async function outcomes(): Promise<aq.ColumnTable> {
  return aq.fromArrow(await FileAttachment("../data/outcomes.arrow").arrayBuffer());
}

/** The outcomes of one record's cases. */
export function outcomesOf(
  all: aq.ColumnTable,
  record: RecordView | null,
): { readonly cell: string; readonly item: string; readonly outcome: string }[] {
  if (record === null) return [];
  return all
    .params({ key: record.key })
    .filter((d: { record: string }, $: { key: string }) => d.record === $.key)
    .select("cell", "item", "outcome")
    .objects() as { cell: string; item: string; outcome: string }[];
}

/** How many cases of each cell of a record had which outcome, and lost at which stage. */
export function outcomeCounts(all: aq.ColumnTable, record: RecordView | null): OutcomeCount[] {
  if (record === null) return [];
  return all
    .params({ key: record.key })
    .filter((d: { record: string }, $: { key: string }) => d.record === $.key)
    .groupby("cell", "outcome", "lostAt")
    .rollup({ n: aq.op.count() })
    .objects() as OutcomeCount[];
}

type Coded = { readonly values: readonly unknown[]; readonly at: readonly number[] };
type Columns = Record<keyof Detail, readonly unknown[] | Coded> & { readonly record: Coded };
let columns: Promise<Columns> | undefined;

const isCoded = (column: readonly unknown[] | Coded): column is Coded => !Array.isArray(column);

/**
 * The rows of one record that have neighbours and boxes. Only those are put together: the file
 * holds all records'.
 */
export async function details(record: string): Promise<Detail[]> {
  columns ??= FileAttachment("../data/details.json").json() as Promise<Columns>;
  const held = await columns;
  const wanted = held.record.values.indexOf(record);
  return held.record.at.flatMap((place, row) => (place === wanted ? [detailAt(held, row)] : []));
}

function detailAt(held: Columns, row: number): Detail {
  const entries = Object.entries(held).map(([name, column]): [string, unknown] => [
    name,
    isCoded(column) ? column.values[column.at[row]!] : column[row],
  ]);
  const packed = Object.fromEntries(entries) as unknown as Omit<Detail, "neighbours" | "boxes"> & {
    readonly neighbours: readonly PackedNeighbour[];
    readonly boxes: PackedBoxes | null;
  };
  const { neighbours, boxes } = packed;
  return {
    ...packed,
    neighbours: unpackNeighbours(neighbours),
    boxes: boxes && unpackBoxes(boxes),
  };
}

let loaded: Promise<Map<string, Uint8Array>> | undefined;

/**
 * An object URL for a picture of the first of the sets that has it, or null where the site holds no
 * such picture.
 */
export async function pictureUrl(
  sets: readonly string[],
  picture: string | null,
): Promise<string | null> {
  if (picture === null) return null;
  loaded ??= FileAttachment("../data/pictures.arrow")
    .arrayBuffer()
    .then((bytes) => {
      const table = tableFromIPC(bytes).toColumns() as unknown as {
        key: string[];
        webp: Uint8Array[];
      };
      return new Map(table.key.map((key, i) => [key, table.webp[i]!]));
    });
  const pictures = await loaded;
  const webp = sets
    .map((set) => pictures.get(`${set}/${picture}`))
    .find((found) => found !== undefined);
  if (webp === undefined) return null;
  return URL.createObjectURL(new Blob([webp as Uint8Array<ArrayBuffer>], { type: "image/webp" }));
}
