// compare/: two records in, paired differences with tests out. It never sees a model or a picture.
import { UserError } from "../../pipeline/errors.js";
import type { Case } from "../record/case.js";
import { plainLabels } from "../record/paper-labels.js";
import type { Cell, RunRecord } from "../record/record.js";
import { clusterNumbers, pairedBootstrap } from "../stats/bootstrap.js";
import { alphaOf, defaultIntervals, seedFor, type IntervalPlan } from "../stats/interval-plan.js";
import { holm } from "../stats/holm.js";
import { clusteredPair } from "../stats/clusters.js";
import { meanStatistic } from "../stats/resampled-statistic.js";
import type { Interval } from "../types.js";
import { whyNoVerdict } from "./unpaired-kinds.js";

/**
 * Two runs judged on the same items: paired tests from the rows of `cases.arrow`, corrected over
 * the table.
 */

export interface LoadedRecord {
  readonly record: RunRecord;
  readonly cases: readonly Case[];
}

/**
 * The value `from` of a label in the first record stands for `to` in the second:
 * `model:light=light-int8`.
 */
export interface LabelMap {
  readonly label: string;
  readonly from: string;
  readonly to: string;
}

export interface Flip {
  readonly item: string;
  readonly truth: string | null;
  /** What the two answered. */
  readonly first: string | null;
  readonly second: string | null;
}

export interface ComparedPair {
  readonly kind: string;
  /** Of the second record's cell. */
  readonly labels: Readonly<Record<string, string>>;
  readonly firstCell: string;
  readonly secondCell: string;
  /** What is compared: `recall@1`, or the mean share of a picture's objects that were found. */
  readonly metric: string;
  readonly n: number;
  readonly first: number;
  readonly second: number;
  /** Second less first. */
  readonly difference: number;
  readonly interval: Interval | null;
  readonly test: "mcnemar-mid-p" | "paired bootstrap";
  readonly p: number;
  /** Holm's correction over all pairs of the comparison. */
  readonly pAdjusted: number;
  readonly verdict: "better" | "worse" | "no difference shown";
  /** Items that only the first, and only the second, got right. */
  readonly lost: readonly Flip[];
  readonly gained: readonly Flip[];
}

export interface UntestedPair {
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly why: string;
}

export interface ComparisonOptions {
  readonly maps?: readonly LabelMap[];
  /** Differences less likely than its level allows under "no difference" are better or worse. */
  readonly intervals?: IntervalPlan;
}

export interface RecordComparison {
  /** Of the intervals here, and of those within each record. */
  readonly levels: { readonly here: number; readonly first: number; readonly second: number };
  readonly pairs: readonly ComparedPair[];
  readonly untested: readonly UntestedPair[];
  /** Cells of either record that have no partner. */
  readonly alone: { readonly first: number; readonly second: number };
}

type Completed = Extract<Cell, { state: "completed" }>;

/**
 * Compares cells of the same kind and labels. Hits and misses by McNemar's mid-p test with Bonett
 * and Price's interval, shares by a paired bootstrap over the items; an item that could not be
 * measured counts as a miss.
 *
 * @throws UserError `nothing-to-compare`, `items-differ`, `map-unused`, `same-record`.
 */
export function compareRecords(
  first: LoadedRecord,
  second: LoadedRecord,
  { maps = [], intervals = defaultIntervals }: ComparisonOptions = {},
): RecordComparison {
  const mapped = cellsToCompare(first.record, maps);
  const partners = new Map(
    second.record.cells.map((cell) => [keyOf(cell.kind, cell.labels), cell]),
  );
  const rows = [rowsByCell(first.cases), rowsByCell(second.cases)] as const;
  const tested: Tested[] = [];
  const untested: UntestedPair[] = [];
  let matched = 0;
  for (const { cell, labels } of mapped) {
    const partner = partners.get(keyOf(cell.kind, labels));
    if (!partner) continue;
    if (first.record.id === second.record.id && cell.id === partner.id) throw sameRecord(first);
    matched++;
    const refuse = (why: string): void => {
      untested.push({ kind: partner.kind, labels: plainLabels(partner.labels), why });
    };
    if (cell.state === "failed" || partner.state === "failed")
      refuse(`failed in the ${cell.state === "failed" ? "first" : "second"} record`);
    else if (whyNoVerdict(cell.kind) !== null) refuse(whyNoVerdict(cell.kind)!);
    else if (cell.kind === "index") refuse("sizes and times have no items to pair");
    else {
      const own = [rows[0].get(cell.id) ?? [], rows[1].get(partner.id) ?? []] as const;
      tested.push(test(cell, partner, own, intervals));
    }
  }
  if (matched === 0) {
    const show = ({ record }: LoadedRecord): string =>
      record.cells
        .slice(0, 3)
        .map((c) => Object.values(plainLabels(c.labels)).join(" "))
        .join("; ");
    throw new UserError({
      code: "nothing-to-compare",
      message: "no cell of the one record has the kind and labels of a cell of the other",
      expected: show(first),
      found: show(second),
      fix: "say which names stand for each other: --map model:OURS=THEIRS",
    });
  }
  const adjusted = holm(tested.map((t) => t.p));
  const pairs = tested.map((t, i): ComparedPair => {
    const pAdjusted = adjusted[i]!;
    return {
      ...t,
      pAdjusted,
      verdict:
        pAdjusted >= alphaOf(intervals.level) || t.difference === 0
          ? "no difference shown"
          : t.difference > 0
            ? "better"
            : "worse",
    };
  });
  const levelOf = ({ record }: LoadedRecord): number => record.experiment.intervals.level;
  return {
    levels: { here: intervals.level, first: levelOf(first), second: levelOf(second) },
    pairs,
    untested,
    alone: { first: mapped.length - matched, second: second.record.cells.length - matched },
  };
}

/** A cell and itself never differ, whatever happened: an answer would pass for a finding. */
function sameRecord({ record }: LoadedRecord): UserError {
  const { name } = record.experiment;
  return new UserError({
    code: "same-record",
    message: "both names are the same record, and each cell is compared with itself",
    expected: "two records, or two cells of one",
    found: record.id,
    fix:
      `${name}@1 is the record of ${name} before the newest; ` +
      "--map LABEL:FIRST=SECOND compares two cells of one record",
  });
}

const labelNames = (cells: readonly Cell[]): string[] => [
  ...new Set(cells.flatMap((c) => Object.keys(plainLabels(c.labels)))),
];

/** With a map, only the cells that it is about: the others would be compared with themselves. */
function cellsToCompare(
  { cells }: RunRecord,
  maps: readonly LabelMap[],
): { cell: Cell; labels: Record<string, string> }[] {
  for (const { label, from } of maps) {
    const values = [...new Set(cells.flatMap((c) => c.labels[label] ?? []))];
    if (!values.includes(from))
      throw new UserError({
        code: "map-unused",
        message: `no cell of the first record has ${label} ${JSON.stringify(from)}`,
        expected: values.join(", ") || `a label of ${labelNames(cells).join(", ")}`,
        found: from,
        fix: "correct --map LABEL:FIRST=SECOND",
      });
  }
  const names = [...new Set(maps.map((m) => m.label))];
  return cells.flatMap((cell) => {
    const labels: Record<string, string> = { ...cell.labels };
    for (const name of names) {
      const map = maps.find((m) => m.label === name && m.from === cell.labels[name]);
      if (!map) return [];
      labels[name] = map.to;
    }
    return [{ cell, labels }];
  });
}

function keyOf(kind: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([
    kind,
    Object.entries(plainLabels(labels)).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}

function rowsByCell(cases: readonly Case[]): Map<string, Case[]> {
  const by = new Map<string, Case[]>();
  for (const row of cases) {
    const list = by.get(row.cell);
    if (list) list.push(row);
    else by.set(row.cell, [row]);
  }
  return by;
}

type Tested = Omit<ComparedPair, "pAdjusted" | "verdict">;

function test(
  first: Completed,
  second: Completed,
  rows: readonly [readonly Case[], readonly Case[]],
  intervals: IntervalPlan,
): Tested {
  const { level, resamples } = intervals;
  const pairs = pairRows(second, ...rows);
  const head = {
    kind: second.kind,
    labels: plainLabels(second.labels),
    firstCell: first.id,
    secondCell: second.id,
  };
  const flips = (won: 0 | 1): Flip[] =>
    pairs
      .filter((pair) => pair[won].outcome === "hit" && pair[1 - won]!.outcome !== "hit")
      .map(([x, y]) => ({
        item: y.item,
        truth: y.truth,
        first: x.prediction,
        second: y.prediction,
      }));
  const [lost, gained] = [flips(0), flips(1)];
  if (second.kind === "detection" || second.kind === "pipeline") {
    // A picture without objects has no share to compare.
    const both = pairs.filter(
      ([x, y]) =>
        (x.score !== null || x.outcome === "error") && (y.score !== null || y.outcome === "error"),
    );
    const share = (side: 0 | 1): Float64Array =>
      Float64Array.from(both, (pair) => pair[side].score ?? 0);
    const found = pairedBootstrap(meanStatistic(share(1)), meanStatistic(share(0)), {
      level,
      resamples,
      seed: seedFor(intervals, "compare"),
    });
    if (found.value === null) throw itemsDiffer(second, `no picture with objects: ${found.why}`);
    // Where all differences are alike there is nothing to resample, and nothing can be told.
    const p = found.interval === null ? 1 : found.p;
    return {
      ...head,
      metric:
        second.kind === "detection" ? "objects found a picture" : "objects recognised a picture",
      n: found.n,
      first: found.second,
      second: found.first,
      difference: found.value,
      interval: found.interval,
      test: "paired bootstrap",
      p,
      lost,
      gained,
    };
  }
  const judged = pairs.filter(([x, y]) => x.outcome !== "none" || y.outcome !== "none");
  const hits = (side: 0 | 1): boolean[] => judged.map((pair) => pair[side].outcome === "hit");
  if (judged.length === 0) throw itemsDiffer(second, "no item has a right answer");
  const share = (side: 0 | 1): number => hits(side).filter(Boolean).length / judged.length;
  const byLabel = intervals.clusters === "label";
  const units = clusterNumbers(
    judged.map(([, { truth }], i) => (byLabel && truth !== null ? truth : `item ${i}`)),
  );
  const found = clusteredPair(hits(1).map(Number), hits(0).map(Number), units, level);
  return {
    ...head,
    metric: second.kind === "classification" ? "top-1" : "recall@1",
    n: judged.length,
    first: share(0),
    second: share(1),
    difference: found?.difference ?? share(1) - share(0),
    interval: found?.interval ?? null,
    test: "mcnemar-mid-p",
    // One label alone tells nothing of how labels differ.
    p: found?.p ?? 1,
    lost,
    gained,
  };
}

/** Rows of the same item; the nth of an item that is listed more often goes with the nth. */
function pairRows(cell: Cell, a: readonly Case[], b: readonly Case[]): (readonly [Case, Case])[] {
  const others = new Map(numbered(b));
  if (a.length !== b.length) throw itemsDiffer(cell, `${a.length} items and ${b.length}`);
  if (a.length === 0) throw itemsDiffer(cell, "no cases in either record");
  return numbered(a).map(([key, row]) => {
    const other = others.get(key);
    if (!other) throw itemsDiffer(cell, `${row.item} is in the first record only`);
    if (other.truth !== row.truth)
      throw itemsDiffer(
        cell,
        `${row.item} is ${JSON.stringify(row.truth)} in the first record and ` +
          `${JSON.stringify(other.truth)} in the second`,
      );
    return [row, other] as const;
  });
}

function numbered(rows: readonly Case[]): [string, Case][] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const count = seen.get(row.item) ?? 0;
    seen.set(row.item, count + 1);
    return [`${count}/${row.item}`, row];
  });
}

function itemsDiffer({ kind, labels }: Cell, found: string): UserError {
  return new UserError({
    code: "items-differ",
    message:
      `the two records do not hold the same items, so nothing can be paired: ${kind} ` +
      `${Object.values(plainLabels(labels)).join(" ")}`,
    expected: "the same list of items with the same truths",
    found,
    fix: "run both on the same version of the data set",
  });
}
