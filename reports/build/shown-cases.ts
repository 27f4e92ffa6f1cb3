import type { Case } from "../../src/eval/cases.js";
import { badness, parseBoxes } from "../analysis/boxes.js";
import { pictureSet } from "../analysis/record-view.js";
import type { LoadedRun } from "./runs.js";

/** Which cases a site shows with their neighbours, boxes and pictures: the wrong ones first, then some right ones beside them. */

export interface ShownCase extends Case {
  readonly record: string;
  readonly dataset: string;
}

const wrongPerCell = 300;
const rightPerCell = 40;

export function isWrong(row: Case): boolean {
  return row.outcome !== "hit" && row.outcome !== "none";
}

/**
 * Per cell: the wrong cases (evenly picked where there are more than 300) and up to 40 evenly picked right ones. Pictures with
 * boxes come worst first. Cells take turns, so that a budget cuts all of them alike.
 */
export function shownCases(runs: readonly LoadedRun[], budget = 40_000): ShownCase[] {
  const queues: ShownCase[][] = [];
  for (const { view, cases } of runs) {
    const datasets = new Map(view.cells.map((cell) => [cell.id, pictureSet(cell)]));
    const byCell = groupByCell(cases);
    for (const [cell, rows] of byCell) {
      const withBoxes = rows.some((row) => row.boxes !== null);
      const chosen = withBoxes
        ? rows.map((row) => ({ row, bad: badness(parseBoxes(row.boxes) ?? []) })).sort((a, b) => Number(isWrong(b.row)) - Number(isWrong(a.row)) || b.bad - a.bad).slice(0, wrongPerCell + rightPerCell).map(({ row }) => row)
        : interleave(evenly(rows.filter(isWrong), wrongPerCell), evenly(rows.filter((row) => !isWrong(row)), rightPerCell), 4);
      queues.push(chosen.map((row) => ({ ...row, record: view.key, dataset: datasets.get(cell) ?? "" })));
    }
  }
  const shown: ShownCase[] = [];
  for (let turn = 0; shown.length < budget && queues.some((queue) => turn < queue.length); turn++) {
    for (const queue of queues) {
      const row = queue[turn];
      if (row !== undefined && shown.length < budget) shown.push(row);
    }
  }
  return shown;
}

function groupByCell(cases: readonly Case[]): Map<string, Case[]> {
  const groups = new Map<string, Case[]>();
  for (const row of cases) {
    const group = groups.get(row.cell);
    if (group) group.push(row);
    else groups.set(row.cell, [row]);
  }
  return groups;
}

function evenly<T>(rows: readonly T[], count: number): T[] {
  return rows.length <= count ? [...rows] : Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)]!);
}

/** `many` with one of `few` after every `step` of them. */
function interleave<T>(many: readonly T[], few: readonly T[], step: number): T[] {
  const rest = [...few];
  const mixed = many.flatMap((row, i) => ((i + 1) % step === 0 && rest.length > 0 ? [row, rest.shift()!] : [row]));
  return [...mixed, ...rest];
}
