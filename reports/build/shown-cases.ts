import { createHash } from "node:crypto";
import type { Case } from "../../src/eval/record/case.js";
import { badness, judgeBoxes } from "../analysis/boxes.js";
import { pictureSet } from "../analysis/record-view.js";
import type { LoadedRun } from "./runs.js";

/**
 * Which cases a site shows with their neighbours, boxes and pictures: the wrong ones first, then
 * some right ones, and what flipped since the run before.
 */

export interface ShownCase extends Case {
  readonly record: string;
  readonly dataset: string;
  /** 0 goes first where pictures are short. */
  readonly picturePriority: 0 | 1 | 2;
}

/**
 * Cases a cell: the newest run of an experiment is what is looked at; the one before is what it is
 * compared with.
 */
const quotas = [
  { wrong: 100, right: 25 },
  { wrong: 30, right: 6 },
  { wrong: 8, right: 2 },
] as const;
/** Pictures with boxes are few, and all of them are worth a look. */
const boxesQuota = 240;
const flippedPerCell = 16;

export function isWrong(row: Case): boolean {
  return row.outcome !== "hit" && row.outcome !== "none";
}

/**
 * Per cell: wrong cases and some right ones, in an order that hangs on the item alone, so that the
 * models of a set show the same queries; pictures with boxes come worst first. Then what flipped
 * between the newest two runs of an experiment. Cells take turns, so that a budget cuts all of them
 * alike.
 */
export function shownCases(runs: readonly LoadedRun[], budget = 40_000): ShownCase[] {
  const seen = new Map<string, LoadedRun[]>();
  const queues: ShownCase[][] = [];
  for (const run of runs) {
    const { view, cases } = run;
    const earlier = seen.get(view.experiment.name) ?? [];
    seen.set(view.experiment.name, [...earlier, run]);
    const age = Math.min(earlier.length, quotas.length - 1) as 0 | 1 | 2;
    const other =
      age === 0
        ? runs.find((r) => r !== run && r.view.experiment.name === view.experiment.name)
        : age === 1
          ? earlier[0]
          : undefined;
    const others = other === undefined ? new Map<string, Case[]>() : groupByCell(other.cases);
    const datasets = new Map(view.cells.map((cell) => [cell.id, pictureSet(cell)]));
    for (const [cell, rows] of groupByCell(cases)) {
      const { wrong, right } = quotas[age];
      const chosen = rows.some((row) => row.boxes !== null)
        ? rows
            .map((row) => ({ row, bad: badness(row.boxes ? judgeBoxes(row.boxes) : []) }))
            .sort((a, b) => Number(isWrong(b.row)) - Number(isWrong(a.row)) || b.bad - a.bad)
            .slice(0, age === 0 ? boxesQuota : wrong + right)
            .map(({ row }) => row)
        : interleave(
            shuffled(rows.filter(isWrong)).slice(0, wrong),
            shuffled(rows.filter((row) => !isWrong(row))).slice(0, right),
            4,
          );
      const has = new Set(chosen);
      const flips = flipped(rows, others.get(cell) ?? []).filter((row) => !has.has(row));
      const common = { record: view.key, dataset: datasets.get(cell) ?? "" };
      queues.push([
        ...chosen.map((row, i): ShownCase => ({
          ...row,
          ...common,
          picturePriority: age === 0 ? (i < 24 ? 0 : 1) : 2,
        })),
        ...flips.map((row): ShownCase => ({ ...row, ...common, picturePriority: 1 })),
      ]);
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

/** Rows whose item was judged otherwise in another run of the cell: some of each way. */
function flipped(rows: readonly Case[], others: readonly Case[]): Case[] {
  const before = new Map(others.map((row) => [row.item, row.outcome === "hit"]));
  const changed = rows.filter(
    (row) => before.has(row.item) && before.get(row.item) !== (row.outcome === "hit"),
  );
  return [
    ...changed.filter((row) => row.outcome === "hit").slice(0, flippedPerCell),
    ...changed.filter((row) => row.outcome !== "hit").slice(0, flippedPerCell),
  ];
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

/** In the order of the items' hashes: a fair selection, and the same one of every model. */
function shuffled(rows: readonly Case[]): Case[] {
  const hash = (row: Case): string => createHash("md5").update(row.item).digest("hex");
  return rows
    .map((row) => ({ row, key: hash(row) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ row }) => row);
}

/** `many` with one of `few` after every `step` of them. */
function interleave<T>(many: readonly T[], few: readonly T[], step: number): T[] {
  const rest = [...few];
  const mixed = many.flatMap((row, i) =>
    (i + 1) % step === 0 && rest.length > 0 ? [row, rest.shift()!] : [row],
  );
  return [...mixed, ...rest];
}
