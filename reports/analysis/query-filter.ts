import type { CaseNeighbour } from "../../src/eval/record/case.js";
import { completedCells, type CompletedCell, type RecordView } from "./record-view.js";

/** Which queries the page shows: counts of all cases, and a filter of those that the site holds. */

/** How many cases of a cell had an outcome and were lost at a stage ("" where none was). */
export interface OutcomeCount {
  readonly cell: string;
  readonly outcome: string;
  readonly lostAt: string;
  readonly n: number;
}

export interface QueryRow {
  readonly cell: string;
  readonly item: string;
  readonly outcome: string;
  readonly truth: string | null;
  readonly prediction: string | null;
  readonly lostAt: string | null;
  readonly neighbours: readonly CaseNeighbour[];
}

export interface QueryChoice {
  readonly outcome: string;
  readonly lostAt: string;
  readonly words: string;
}

export const anyOutcome = "all";
export const anyStage = "any stage";

/** Records that hold cases: the one asked for, then those of whole systems, then the others. */
export function queryRecords(records: readonly RecordView[], asked: string | null): RecordView[] {
  const place = (record: RecordView): number => {
    if (record.key === asked) return 0;
    return completedCells(record, "pipeline").some((c) => (record.cases.byCell[c.id] ?? 0) > 0)
      ? 1
      : 2;
  };
  return records.filter((r) => r.cases.shown > 0).sort((a, b) => place(a) - place(b));
}

/** The cells with cases that are shown, whole systems first. */
export function queryCells(record: RecordView, ids: readonly string[]): CompletedCell[] {
  const shown = new Set(ids);
  return completedCells(record)
    .filter(({ id }) => shown.has(id))
    .sort((a, b) => Number(b.kind === "pipeline") - Number(a.kind === "pipeline"));
}

/** How many cases an outcome and a stage leave. */
export function countOf(
  counts: readonly OutcomeCount[],
  { outcome = anyOutcome, lostAt = anyStage }: Partial<QueryChoice>,
): number {
  return counts
    .filter((c) => outcome === anyOutcome || c.outcome === outcome)
    .filter((c) => lostAt === anyStage || c.lostAt === lostAt)
    .reduce((sum, { n }) => sum + n, 0);
}

/** The rows of a cell that a choice leaves; words are looked for in every name that is shown. */
export function chosenQueries<Row extends QueryRow>(
  rows: readonly Row[],
  cell: string,
  { outcome, lostAt, words }: QueryChoice,
): Row[] {
  const needle = words.toLowerCase();
  return rows.filter(
    (row) =>
      row.cell === cell &&
      (outcome === anyOutcome || row.outcome === outcome) &&
      (lostAt === anyStage || row.lostAt === lostAt) &&
      namesOf(row).some((name) => name.toLowerCase().includes(needle)),
  );
}

function namesOf({ item, truth, prediction, neighbours }: QueryRow): string[] {
  return [item, truth ?? "", prediction ?? "", ...neighbours.map(({ label }) => label)];
}

/** `8 queries of 1,200: the site holds an even selection of the rest.` */
export function queryCountText(found: number, all: number, words: string): string {
  if (found === 0) return "No query fits.";
  const counted = `${found.toLocaleString("en-US")} ${found === 1 ? "query" : "queries"}`;
  return words === "" && all > found
    ? `${counted} of ${all.toLocaleString("en-US")}: the site holds an even selection of the rest.`
    : `${counted}.`;
}
