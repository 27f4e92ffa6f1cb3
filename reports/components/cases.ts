import { FileAttachment } from "observablehq:stdlib";
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
import { detailParts, outcomeParts } from "./case-parts.js";

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

export interface OutcomeRow {
  readonly record: string;
  readonly cell: string;
  readonly item: string;
  readonly truth: string | null;
  readonly outcome: string;
  readonly lostAt: string;
  /** Of the first right neighbour, from 0; -1 where none was kept. */
  readonly rank: number;
}

/** Where the cases lie: parts of full rows by record and cell, parts of light rows by record. */
interface CaseIndex {
  readonly details: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, readonly OutcomeCount[]>>;
}
let index: Promise<CaseIndex> | undefined;
function caseIndex(): Promise<CaseIndex> {
  return (index ??= FileAttachment("../data/cases.json").json() as Promise<CaseIndex>);
}

/** What was made once of each part. */
function loadedOnce<T>(load: (part: number) => Promise<T>): (part: number) => Promise<T> {
  const held = new Map<number, Promise<T>>();
  return (part) => {
    const known = held.get(part) ?? load(part);
    held.set(part, known);
    return known;
  };
}

const outcomePart = loadedOnce(async (part) => {
  const bytes = await outcomeParts[part]!.arrayBuffer();
  return tableFromIPC(bytes).toArray() as unknown as OutcomeRow[];
});

/** The outcomes of one record's cases. */
export async function outcomesOf(record: RecordView | null): Promise<OutcomeRow[]> {
  const part = record === null ? undefined : (await caseIndex()).outcomes[record.key];
  if (part === undefined) return [];
  return (await outcomePart(part)).filter((row) => row.record === record!.key);
}

/** How many cases of each cell of a record had which outcome, and lost at which stage. */
export async function outcomeCounts(record: RecordView | null): Promise<readonly OutcomeCount[]> {
  return record === null ? [] : ((await caseIndex()).counts[record.key] ?? []);
}

/** The cells of a record whose cases the site shows with neighbours and boxes. */
export async function detailedCells(record: RecordView): Promise<string[]> {
  return Object.keys((await caseIndex()).details[record.key] ?? {});
}

type Coded = { readonly values: readonly unknown[]; readonly at: readonly number[] };
type Columns = Record<keyof Detail, readonly unknown[] | Coded> & { readonly record: Coded };
const isCoded = (column: readonly unknown[] | Coded): column is Coded => !Array.isArray(column);

const detailPart = loadedOnce(async (part) => {
  const held = (await detailParts[part]!.json()) as Columns;
  return held.record.at.map((_, row) => detailAt(held, row));
});

/** The rows of some cells of a record, with their neighbours and boxes. */
export async function details(record: string, cells: readonly string[]): Promise<Detail[]> {
  const places = (await caseIndex()).details[record] ?? {};
  const parts = [...new Set(cells.flatMap((cell) => places[cell] ?? []))];
  const rows = await Promise.all(parts.map(detailPart));
  const wanted = new Set(cells);
  return rows.flat().filter((row) => row.record === record && wanted.has(row.cell));
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
