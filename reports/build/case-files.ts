import type { OutcomeCount } from "../analysis/query-filter.js";
import { detailsJson } from "./details.js";
import { outcomesArrow } from "./outcomes.js";
import { cutIntoParts } from "./parts.js";
import type { LoadedRun } from "./runs.js";
import type { ShownCase } from "./shown-cases.js";

/** As many files as the pages name. */
const counts = { details: 32, outcomes: 16 };

/**
 * The cases as files of the site: full rows by cell, light rows by record, and `cases.json`, which
 * says what lies where and how many cases had which outcome.
 */
export function caseFiles(
  runs: readonly LoadedRun[],
  shown: readonly ShownCase[],
): Record<string, Uint8Array | string> {
  const cells = cutIntoParts(byCell(runs, shown), counts.details, (rows) => rows.length);
  const records = cutIntoParts(runs, counts.outcomes, ({ cases }) => cases.length);
  const details: Record<string, Record<string, number>> = {};
  cells.forEach((groups, part) => {
    for (const [row] of groups) (details[row!.record] ??= {})[row!.cell] = part;
  });
  const outcomes: Record<string, number> = {};
  records.forEach((held, part) => {
    for (const { view, cases } of held) if (cases.length > 0) outcomes[view.key] = part;
  });
  const counted = Object.fromEntries(runs.map((run) => [run.view.key, outcomeCounts(run)]));
  return {
    "cases.json": JSON.stringify({ details, outcomes, counts: counted }),
    ...named(
      "details",
      "json",
      cells.map((groups) => detailsJson(groups.flat())),
    ),
    ...named("outcomes", "bin", records.map(outcomesArrow)),
  };
}

function named<T>(name: string, ending: string, files: readonly T[]): Record<string, T> {
  return Object.fromEntries(files.map((file, i) => [`${name}-${i}.${ending}`, file]));
}

/** The rows of each cell together, in the order of the records and their cells. */
function byCell(runs: readonly LoadedRun[], shown: readonly ShownCase[]): ShownCase[][] {
  const groups = new Map<string, ShownCase[]>();
  const key = (record: string, cell: string): string => JSON.stringify([record, cell]);
  for (const { view } of runs) for (const { id } of view.cells) groups.set(key(view.key, id), []);
  for (const row of shown) {
    const group = groups.get(key(row.record, row.cell));
    if (group === undefined) groups.set(key(row.record, row.cell), [row]);
    else group.push(row);
  }
  return [...groups.values()].filter((rows) => rows.length > 0);
}

function outcomeCounts({ cases }: LoadedRun): OutcomeCount[] {
  const found = new Map<string, { cell: string; outcome: string; lostAt: string; n: number }>();
  for (const { cell, outcome, lostAt } of cases) {
    const key = JSON.stringify([cell, outcome, lostAt]);
    const count = found.get(key) ?? { cell, outcome, lostAt: lostAt ?? "", n: 0 };
    count.n++;
    found.set(key, count);
  }
  return [...found.values()];
}
