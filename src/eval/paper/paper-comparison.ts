// paper/: the paper's tables and records in, each printed number beside ours with a verdict out. It
// never measures.
import type { Cell, RecordedScore, RunRecord } from "../record/record.js";
import type { Interval } from "../types.js";
import type { Case } from "../record/case.js";
import { orderings, type Ordering, type TestedRecord } from "./orderings.js";
import { cellsOf, type PaperCell, type PaperTable } from "./paper-tables.js";
import {
  compareRatio,
  partnerOf,
  rowName,
  type Candidate,
  type RatioComparison,
  type TimeOf,
} from "./ratio-verdict.js";

/** The paper's numbers beside ours, with a verdict that claims no more than the two support. */

export type Verdict =
  /**
   * The paper's value lies within our interval, or within its own printed rounding of our exact
   * value.
   */
  | "agrees"
  | "differs"
  /** Times: whether their proportion to another row's is the paper's (`judgeRatio`). */
  | "ratio agrees"
  | "ratio differs"
  | "ratio cannot tell"
  /** Both are there, but they are not measurements of one thing; `why` says which difference. */
  | "not comparable"
  | "not run"
  /** The paper prints no number there. */
  | "paper silent"
  /** Describes a data set or a model: nothing to measure. */
  | "stated";

export interface OurValue {
  readonly record: string;
  readonly cell: string;
  readonly value: number;
  readonly n: number;
  readonly interval: Interval | null;
}

export interface ComparedCell extends PaperCell {
  readonly ours: OurValue | null;
  /** Ours less the paper's, in the unit of records. */
  readonly difference: number | null;
  readonly verdict: Verdict;
  readonly why: string | null;
  readonly ratio: RatioComparison | null;
}

type Completed = Extract<Cell, { state: "completed" }>;

export interface ComparedTable {
  readonly table: PaperTable;
  readonly cells: readonly (readonly ComparedCell[])[];
  /** Does our measurement order the models as the paper does? */
  readonly orderings: readonly Ordering[];
}

export interface NamedRecord {
  readonly key: string;
  readonly record: RunRecord;
  /** Asked for only where orderings are tested; left out: they cannot be. */
  readonly cases?: () => readonly Case[];
}

/**
 * Joins a table with records, newest first: a cell of ours is the one whose label `paperTable`
 * lists the table and whose `paperModel`, `paperSystem` and `paperDataset` equal the paper's
 * cell's. Label `notComparable` holds the reason why a cell may only be shown beside it.
 */
export function compareTable(table: PaperTable, records: readonly NamedRecord[]): ComparedTable {
  const candidates = records
    .flatMap(({ key, record }) =>
      record.cells
        .filter(
          (cell): cell is Completed =>
            cell.state === "completed" &&
            (cell.labels.paperTable ?? "").split(",").includes(String(table.table)),
        )
        .map((cell) => ({ key, cell })),
    )
    // A number that may be compared before one that may only be shown, whichever is newer.
    .sort(
      (a, b) =>
        Number(a.cell.labels.notComparable !== undefined) -
        Number(b.cell.labels.notComparable !== undefined),
    );
  const all = cellsOf(table);
  const cells = all.map((row) =>
    row.map((cell): ComparedCell => {
      const found = cell.is.average ? average(cell, table, candidates) : single(cell, candidates);
      const ratio = ratioOf(cell, all.flat(), candidates);
      return judge(cell, { found, ratio, explained: table.explained });
    }),
  );
  return { table, cells, orderings: orderings(cells.flat(), testedRecords(records)) };
}

function testedRecords(records: readonly NamedRecord[]): Map<string, TestedRecord> {
  return new Map(
    records.map(({ key, record, cases }) => {
      let rows: Map<string, Case[]> | undefined;
      const casesOf = (cell: string): readonly Case[] => {
        rows ??= casesByCell(cases?.() ?? []);
        return rows.get(cell) ?? [];
      };
      const cells = record.cells.filter((c): c is Completed => c.state === "completed");
      return [key, { cells, casesOf }];
    }),
  );
}

function casesByCell(cases: readonly Case[]): Map<string, Case[]> {
  const rows = new Map<string, Case[]>();
  for (const row of cases) {
    const list = rows.get(row.cell);
    if (list) list.push(row);
    else rows.set(row.cell, [row]);
  }
  return rows;
}

function ratioOf(
  cell: PaperCell,
  all: readonly PaperCell[],
  candidates: readonly Candidate[],
): RatioComparison | null {
  if (cell.unit !== "ms" || cell.value === null) return null;
  const partner = partnerOf(cell, all);
  return partner && compareRatio(cell, partner, candidates, timeOf);
}

function timeOf(cell: PaperCell, among: readonly Candidate[]): TimeOf | null {
  const found = single(cell, among);
  return found && { name: rowName(cell) ?? "", ...found.ours };
}

interface Found {
  readonly ours: OurValue;
  readonly notComparable: string | undefined;
}

function single(cell: PaperCell, candidates: readonly Candidate[]): Found | null {
  const { metric, model, system, dataset, stage, definition } = cell.is;
  if (metric === undefined) return null;
  for (const { key, cell: our } of candidates) {
    if (model !== undefined && our.labels.paperModel !== model) continue;
    if (system !== undefined && our.labels.paperSystem !== system) continue;
    if (dataset !== undefined && our.labels.paperDataset !== dataset) continue;
    // The mean before the median: the paper's latencies are means. No other percentile, and no
    // variant such as pessimistic ties.
    const scores = our.scores.filter(
      (s) => s.metric === metric && (stage === undefined || s.of?.stage === stage),
    );
    const defined = scores.find((s) => s.of?.definition === definition);
    if (definition !== undefined && defined !== undefined && defined.value !== null) {
      return { ours: asOurs(key, our.id, defined), notComparable: our.labels.notComparable };
    }
    const only =
      (names: readonly string[]) =>
      (s: RecordedScore): boolean =>
        Object.keys(s.of ?? {}).every((name) => names.includes(name));
    const score =
      scores.find((s) => only(["stage"])(s) || s.of?.percentile === "mean") ??
      scores.find((s) => only(["stage", "percentile"])(s) && /^p?50$/.test(s.of?.percentile ?? ""));
    if (score !== undefined && score.value !== null) {
      const otherwise = definition === undefined ? undefined : otherDefinition;
      const notComparable = our.labels.notComparable ?? otherwise;
      return { ours: asOurs(key, our.id, score), notComparable };
    }
  }
  return null;
}

/** Where only learned elements or multiply-adds are known beside Paddle's counts. */
const otherDefinition =
  "the paper counts as Paddle does, batch norms in; these are folded into the convolutions";

function asOurs(
  record: string,
  cell: string,
  score: Extract<RecordedScore, { value: number }>,
): OurValue {
  return { record, cell, value: score.value, n: score.n, interval: score.interval };
}

/**
 * The plain mean over the table's data sets; its interval from independent ones of equal weight, as
 * the sets share no item.
 */
function average(
  cell: PaperCell,
  table: PaperTable,
  candidates: readonly Candidate[],
): Found | null {
  const parts = cellsOf(table)
    .flat()
    .filter(
      (other) =>
        other.is.metric === cell.is.metric &&
        other.is.model === cell.is.model &&
        other.is.dataset !== undefined,
    );
  const found = parts.map((part) => single(part, candidates));
  if (found.length === 0 || found.some((f) => f === null)) return null;
  const all = found.map((f) => f!);
  const value = all.reduce((sum, f) => sum + f.ours.value, 0) / all.length;
  const intervals = all.flatMap((f) => f.ours.interval ?? []);
  const half = (side: "low" | "high"): number =>
    Math.sqrt(all.reduce((sum, f) => sum + (f.ours.interval![side] - f.ours.value) ** 2, 0)) /
    all.length;
  const interval: Interval | null =
    intervals.length < all.length
      ? null
      : {
          low: value - half("low"),
          high: value + half("high"),
          level: Math.min(...intervals.map((i) => i.level)),
          method: "quadrature",
          units: intervals.reduce((sum, i) => sum + i.units, 0),
        };
  return {
    ours: {
      record: all[0]!.ours.record,
      cell: "average",
      value,
      n: all.reduce((sum, f) => sum + f.ours.n, 0),
      interval,
    },
    notComparable: all.find((f) => f.notComparable !== undefined)?.notComparable,
  };
}

interface Evidence {
  readonly found: Found | null;
  readonly ratio: RatioComparison | null;
  readonly explained: PaperTable["explained"];
}

function judge(cell: PaperCell, { found, ratio, explained }: Evidence): ComparedCell {
  const ours = ratio?.time ?? found?.ours ?? null;
  const result = (verdict: Verdict, why: string | null = null): ComparedCell => ({
    ...cell,
    ours,
    difference: ours && cell.value !== null ? ours.value - cell.value : null,
    verdict,
    why,
    ratio,
  });
  if (cell.is.metric === undefined) return result("stated");
  if (cell.value === null) return result("paper silent");
  if (ratio) return result(`ratio ${ratio.verdict}`, ratio.why);
  if (found === null) return result("not run");
  if (found.notComparable !== undefined) return result("not comparable", found.notComparable);
  if (cell.unit === "ms")
    return result("not comparable", "a time on another machine than the paper's");
  const [low, high] = boundsOf(found.ours);
  if (cell.value + cell.rounding >= low && cell.value - cell.rounding <= high)
    return result("agrees");
  // An exact count of ours: some of the paper's are cut where others are rounded.
  const cut =
    found.ours.interval === null && low >= cell.value && low < cell.value + 2 * cell.rounding;
  if (cut) return result("agrees", "the paper cuts this number's digits, it does not round");
  const reason = explained.find((e) => e.row === cell.row && e.column === cell.column);
  return result("differs", reason?.why ?? null);
}

function boundsOf({ value, interval }: OurValue): [number, number] {
  return interval ? [interval.low, interval.high] : [value, value];
}
