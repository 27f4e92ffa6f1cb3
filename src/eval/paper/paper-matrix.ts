import { intervalHead } from "../record/interval-text.js";
import type { ComparedCell, ComparedTable, OurValue } from "./paper-comparison.js";
import type { TextTable } from "../record/table-formats.js";

/**
 * The paper's tables with ours beside them, as cells of text: ours in the paper's unit, with as
 * many digits as the paper has there. Also in the report's pages.
 */

const marks: Readonly<Record<string, string>> = {
  agrees: "=",
  differs: "x",
  "ratio agrees": ":=",
  "ratio differs": ":x",
  "ratio cannot tell": ":?",
  "not comparable": "~",
};

/**
 * Digits after the point of a printed number; a value that the paper leaves blank is given like a
 * ratio.
 */
function digitsOf({ printed, unit }: ComparedCell): number {
  if (printed === null) return unit === "ratio" ? 3 : 1;
  return /\.(\d+)/.exec(printed)?.[1]?.length ?? 0;
}

/** A value of ours in the paper's unit, without naming it. */
export function inPaperUnit(cell: ComparedCell, value: number): string {
  const digits = digitsOf(cell);
  const printed = value / cell.scale;
  // A small model or a short time beside a large one: 0.02 M must not become 0, nor 1.4 ms 1.
  const enough =
    cell.unit === "ratio" || cell.unit === "%" || printed === 0
      ? 0
      : Math.min(6, 1 - Math.floor(Math.log10(Math.abs(printed))));
  return printed.toFixed(Math.max(digits, enough));
}

/** `0.812 [0.790, 0.833]` in the paper's unit. */
export function oursText(cell: ComparedCell, ours: OurValue): string {
  return ours.interval === null
    ? inPaperUnit(cell, ours.value)
    : `${inPaperUnit(cell, ours.value)} [${inPaperUnit(cell, ours.interval.low)}, ` +
        `${inPaperUnit(cell, ours.interval.high)}]`;
}

function cellText(cell: ComparedCell): string {
  const theirs = cell.printed ?? "-";
  if (cell.verdict === "stated") return theirs;
  if (cell.ours === null) return cell.verdict === "paper silent" ? "-" : `${theirs} / not run`;
  const mark = marks[cell.verdict] === undefined ? "" : ` ${marks[cell.verdict]}`;
  return `${theirs} / ${oursText(cell, cell.ours)}${mark}`;
}

/**
 * The table as the paper prints it: in each cell the paper's value, then ours with its interval and
 * a mark for the verdict.
 */
export function paperMatrix({ table, cells }: ComparedTable): TextTable {
  return {
    caption:
      `Table ${table.table}. ${table.title}: the paper / ours ` +
      `[${intervalHead(cells.flat().map((c) => c.ours?.interval))}]`,
    columns: [
      { head: "", align: "left" },
      ...table.columns.map((c) => ({ head: c.name, align: "right" as const })),
    ],
    rows: cells.map((row, r) => [table.rows[r]!.name, ...row.map(cellText)]),
  };
}

/** One row a number, in the units of records. */
export function paperRows({
  table,
  cells,
}: ComparedTable): Record<string, string | number | null>[] {
  return cells
    .flat()
    .filter((c) => c.verdict !== "stated")
    .map((c) => ({
      table: table.table,
      row: c.row,
      column: c.column,
      metric: c.is.metric ?? null,
      printed: c.printed,
      printedUnit: c.unit,
      paper: c.value,
      ours: c.ours?.value ?? null,
      level: c.ours?.interval?.level ?? null,
      low: c.ours?.interval?.low ?? null,
      high: c.ours?.interval?.high ?? null,
      n: c.ours?.n ?? null,
      difference: c.difference,
      verdict: c.verdict,
      why: c.why,
      record: c.ours?.record ?? null,
    }));
}

/** Proportions of times, a row a number: what it is to, the paper's and ours with its interval. */
export function ratioRows({ cells }: ComparedTable): string[][] {
  return cells.flat().flatMap(({ row, column, is, ratio }) => {
    if (!ratio) return [];
    const [low, high] = ratio.ci.map((r) => r.toPrecision(3));
    const ours = `${ratio.ours.toPrecision(3)} [${low}, ${high}]`;
    const what = is.model === column ? column : `${row}, ${column}`;
    return [[what, ratio.against, ratio.paper.toPrecision(3), ours, ratio.verdict, ratio.how]];
  });
}

/** Why exact numbers of ours differ from the paper's, a line each. */
export function differences({ cells }: ComparedTable): string[] {
  return cells
    .flat()
    .flatMap((c) =>
      c.verdict === "differs" && c.why !== null ? [`${c.row}, ${c.column}: ${c.why}`] : [],
    );
}

/** Why cells may only be shown beside the paper's, each reason once. */
export function reasons({ cells }: ComparedTable): string[] {
  return [
    ...new Set(
      cells
        .flat()
        .flatMap((c) => (c.verdict === "not comparable" && c.why !== null ? [c.why] : [])),
    ),
  ];
}

export const legend =
  "= the paper's value lies within our interval, or its printed rounding; x it does not; " +
  ":= and :x the same of a time's proportion to another row's, :? cannot tell; ~ not comparable";
