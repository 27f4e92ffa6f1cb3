import { cellName, type FailedCell } from "./record-view.js";

/** Cells that failed for one reason. */
export interface FailureGroup {
  /** Names of models whose card is not there, where that is the reason. */
  readonly missingModels: readonly string[];
  readonly code: string;
  readonly message: string;
  readonly cells: readonly { readonly name: string; readonly message: string }[];
}

/** Notes by their text, each once with the names of what it is about. */
export function groupNotes(
  notes: readonly { readonly name: string; readonly note: string }[],
): { note: string; names: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const { name, note } of notes) groups.set(note, [...(groups.get(note) ?? []), name]);
  return [...groups].map(([note, names]) => ({ note, names }));
}

/**
 * Failed cells by what kept them from being measured, the greatest group first: a sweep over models
 * that are not there yet is one line, not forty.
 */
export function groupFailures(failed: readonly FailedCell[]): FailureGroup[] {
  const groups = new Map<
    string,
    {
      code: string;
      message: string;
      models: Set<string>;
      cells: { name: string; message: string }[];
    }
  >();
  for (const cell of failed) {
    const model =
      cell.code === "file-unreadable"
        ? /(?:^|[\s/])([^/\s]+)\/card\.yaml: no such file/.exec(cell.message)?.[1]
        : undefined;
    const key = model === undefined ? JSON.stringify([cell.code, cell.message]) : "missing models";
    const group = groups.get(key) ?? {
      code: cell.code,
      message: cell.message,
      models: new Set<string>(),
      cells: [],
    };
    if (model !== undefined) group.models.add(model);
    group.cells.push({ name: cellName(cell, failed), message: cell.message });
    groups.set(key, group);
  }
  return [...groups.values()]
    .map(({ models, ...group }) => ({ ...group, missingModels: [...models] }))
    .sort((a, b) => b.cells.length - a.cells.length);
}
