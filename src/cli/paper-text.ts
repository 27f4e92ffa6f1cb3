import type { ComparedTable } from "../eval/paper/paper-comparison.js";
import { summarize } from "../eval/paper/paper-comparison.js";
import { paperMatrix, reasons } from "../eval/paper/paper-matrix.js";
import { colour, table as textTable } from "./terminal.js";

/** For a terminal. A table that is wider than it is high is turned, so that lines stay readable. */
export function paperTableText(compared: ComparedTable): string {
  const { caption, columns, rows } = paperMatrix(compared);
  const s = summarize(compared);
  const turned = columns.length > rows.length + 1;
  const head = turned ? ["", ...rows.map((r) => r[0]!)] : columns.map((c) => c.head);
  const body = turned
    ? columns.slice(1).map((c, i) => [c.head, ...rows.map((r) => r[i + 1]!)])
    : rows;
  return [
    colour.bold(caption),
    textTable(
      head.map((h, i) => ({ head: h, align: i === 0 ? ("left" as const) : ("right" as const) })),
      body,
    ),
    `${s.measured} of ${s.of} numbers measured: ${s.counts.agrees} within the interval, ` +
      `${s.counts.differs} differ, ${s.counts["not comparable"]} not comparable, ` +
      `${s.counts["not run"]} not run; orderings of the paper: ${s.kept} kept, ${s.reversed} ` +
      `reversed, ${s.undecided} undecided`,
    ...reasons(compared).map((why) => `~ ${why}`),
  ].join("\n");
}
