import type { Case } from "../record/case.js";
import type { Cell } from "../record/record.js";
import { holm } from "../stats/holm.js";
import { alphaOf, defaultIntervals } from "../stats/interval-plan.js";
import type { OurValue, Verdict } from "./paper-comparison.js";
import type { PaperCell } from "./paper-tables.js";
import { orderedTimes } from "./ordered-times.js";
import { PairedTests, type Evidence } from "./paired-tests.js";

/** Two models that the paper orders, and whether ours come in the same order. */
export interface Ordering {
  readonly better: string;
  readonly worse: string;
  readonly column: string;
  readonly verdict: "kept" | "reversed" | "undecided";
  /** What decided, or why nothing could. */
  readonly by: string;
  /** Two-sided, after Holm's correction; null where no test was needed, or none possible. */
  readonly p: number | null;
}

export interface OrderedCell extends PaperCell {
  readonly ours: OurValue | null;
  readonly verdict: Verdict;
}

type Completed = Extract<Cell, { state: "completed" }>;

/** A record's cells and their cases: what the pairs are tested on. */
export interface TestedRecord {
  readonly cells: readonly Completed[];
  readonly casesOf: (cell: string) => readonly Case[];
}

interface Judged {
  /** How much better ours of the paper's better is: above 0 keeps the paper's order. */
  readonly gain: number;
  readonly by: string;
  /** Null: beyond doubt (exact figures, certified times). */
  readonly p: number | null;
}

interface Pair {
  readonly better: OrderedCell;
  readonly worse: OrderedCell;
  readonly judged: Judged | string;
}

/**
 * Every two cells that differ in model or system only and that the paper tells apart. Exact figures
 * are ordered as they are; hits and misses by McNemar's test on the items that both answered, AP by
 * a paired bootstrap over the pictures, both corrected after Holm over the table; times only by the
 * verdict of rounds in turns, whose level holds for all pairs at once.
 */
export function orderings(
  cells: readonly OrderedCell[],
  records: ReadonlyMap<string, TestedRecord>,
): Ordering[] {
  const tests = new PairedTests();
  const pairs = pairsOf(cells).map(([better, worse]): Pair => ({
    better,
    worse,
    judged: judgePair(better, worse, records, tests),
  }));
  const adjusted = holm(pairs.map(({ judged }) => (typeof judged === "string" ? null : judged.p)));
  return pairs.map(({ better, worse, judged }, i): Ordering => {
    const p = adjusted[i]!;
    const head = { better: nameOf(better), worse: nameOf(worse), column: columnOf(better), p };
    if (typeof judged === "string") return { ...head, verdict: "undecided", by: judged };
    const open = judged.gain === 0 || (p !== null && p >= alphaOf(defaultIntervals.level));
    const order = judged.gain > 0 ? "kept" : "reversed";
    return { ...head, verdict: open ? "undecided" : order, by: judged.by };
  });
}

function nameOf({ is, row, column }: OrderedCell): string {
  return is.model === column ? column : row;
}

function columnOf({ is, row, column }: OrderedCell): string {
  return is.model === column ? row : column;
}

/** The better of the paper's two first. */
function pairsOf(cells: readonly OrderedCell[]): [OrderedCell, OrderedCell][] {
  const known = cells.filter(
    (c) => c.ours !== null && c.value !== null && c.better !== null && c.is.average !== true,
  );
  const place = ({ is }: OrderedCell): string =>
    JSON.stringify([is.metric, is.dataset, is.stage, is.processor]);
  return known.flatMap((a, i) =>
    known.slice(i + 1).flatMap((b): [OrderedCell, OrderedCell][] => {
      if (place(a) !== place(b) || a.value === b.value) return [];
      return [a.value! > b.value! === (a.better === "higher") ? [a, b] : [b, a]];
    }),
  );
}

function judgePair(
  better: OrderedCell,
  worse: OrderedCell,
  records: ReadonlyMap<string, TestedRecord>,
  tests: PairedTests,
): Judged | string {
  if (better.unit === "ms") return orderedTimes(better, worse, records);
  const sign = better.better === "higher" ? 1 : -1;
  const [a, b] = [better.ours!, worse.ours!];
  if (a.interval === null && b.interval === null && better.is.metric !== "AP") {
    const gain = sign * (a.value - b.value);
    return { gain, by: "exact figures", p: null };
  }
  const [first, second] = [a, b].map((ours) => evidenceOf(ours, better, records));
  if (!first || !second) return "no cases of it are there";
  const found = tests.test(first, second);
  return typeof found === "string"
    ? found
    : { gain: sign * found.difference, by: found.test, p: found.p };
}

function evidenceOf(
  { record, cell: id }: OurValue,
  { is }: OrderedCell,
  records: ReadonlyMap<string, TestedRecord>,
): Evidence | null {
  const held = records.get(record);
  const cell = held?.cells.find((c) => c.id === id);
  if (!held || !cell) return null;
  const cases = held.casesOf(id);
  return cases.length === 0 ? null : { cell, cases, metric: is.metric ?? "" };
}
