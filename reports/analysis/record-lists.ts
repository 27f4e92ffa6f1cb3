import { cellName, completedCells, type CompletedCell, type RecordView } from "./record-view.js";

/** What a record lists beside its cells: errors, notes, and every single score. */

export interface GroupedError {
  readonly item: string;
  readonly code: string;
  readonly message: string;
  /** The cells that it touched, by name. */
  readonly cells: readonly string[];
}

/** The items that could not be measured, one line an item and reason. */
export function groupedErrors(record: RecordView): GroupedError[] {
  const groups = new Map<string, GroupedError>();
  for (const cell of completedCells(record))
    for (const { item, code, message } of cell.errors) {
      const key = JSON.stringify([item, code, message]);
      const cells = [...(groups.get(key)?.cells ?? []), cellName(cell, record.cells)];
      groups.set(key, { item, code, message, cells });
    }
  return [...groups.values()];
}

export function recordNotes(
  record: RecordView,
): { readonly name: string; readonly note: string }[] {
  const nameOf = (cell: CompletedCell): string =>
    cell.kind === "latency-comparison" ? "comparison" : cellName(cell, record.cells);
  return completedCells(record).flatMap((cell) =>
    cell.notes.map((note) => ({ name: nameOf(cell), note })),
  );
}

export interface CellScore {
  readonly cell: CompletedCell;
  readonly score: CompletedCell["scores"][number];
}

export function allScores(record: RecordView): CellScore[] {
  return completedCells(record).flatMap((cell) => cell.scores.map((score) => ({ cell, score })));
}
