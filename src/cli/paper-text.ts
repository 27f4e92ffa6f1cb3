import type { ComparedTable } from "../eval/paper/paper-comparison.js";
import { summarize } from "../eval/paper/paper-summary.js";
import { differences, paperMatrix, ratioRows, reasons } from "../eval/paper/paper-matrix.js";
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
    `${s.measured} of ${s.of} numbers measured, ${s.compared} of them compared: ` +
      `${s.counts.agrees} agree, ${s.counts.differs} differ, ${s.counts["ratio agrees"]} ` +
      `proportions agree, ${s.counts["ratio differs"]} differ, ` +
      `${s.counts["ratio cannot tell"]} cannot tell; ` +
      `${s.counts["not comparable"]} not comparable, ` +
      `${s.counts["not run"]} not run; orderings of the paper: ${s.kept} kept, ${s.reversed} ` +
      `reversed, ${s.undecided} undecided`,
    ...orderLines(compared),
    ...differences(compared).map((why) => `x ${why}`),
    ...ratios(compared),
    ...reasons(compared).map((why) => `~ ${why}`),
  ].join("\n");
}

/** The pairs that came out the other way, and why others could not be told, counted. */
function orderLines({ orderings }: ComparedTable): string[] {
  const reversed = orderings
    .filter((o) => o.verdict === "reversed")
    .map((o) => `reversed: ${o.column}: ${o.worse} before ${o.better} (${o.by})`);
  const open = new Map<string, number>();
  for (const { verdict, by, p } of orderings) {
    if (verdict !== "undecided") continue;
    const why = p === null ? (by.split(":")[0] ?? by) : `${by}, not told apart`;
    open.set(why, (open.get(why) ?? 0) + 1);
  }
  return [...reversed, ...[...open].map(([why, n]) => `undecided ${n}: ${why}`)];
}

/** Why nothing is said of a proportion, each reason once. */
function unsure({ cells }: ComparedTable): string[] {
  const said = cells
    .flat()
    .flatMap((c) => (c.verdict === "ratio cannot tell" && c.why !== null ? [c] : []));
  return [...new Set(said.map((c) => `${c.row}, ${c.column}: ${c.why!.split("; ")[0]}`))];
}

function ratios(compared: ComparedTable): string[] {
  const rows = ratioRows(compared);
  if (rows.length === 0) return [];
  const heads = ["time of", "in proportion to", "paper", "here [interval]", "", "how"];
  return [
    textTable(
      heads.map((head) => ({ head })),
      rows,
    ),
    ...unsure(compared).map((why) => `:? ${why}`),
    ": engine (ONNX Runtime for Paddle with MKL-DNN), threads and processor are not the paper's",
  ];
}
