import type { Cell, RecordedScore, RunRecord } from "../eval/record.js";
import { bytes, colour, ms, table, visible } from "./terminal.js";

/** A record as text: a table a kind of measurement, then failures and error rows by name. */
export function recordText(record: RunRecord): string {
  const kinds = [...new Set(record.cells.map((c) => c.kind))];
  const parts = kinds.map((kind) => `${colour.bold(kind)}\n${kindTable(record.cells.filter((c) => c.kind === kind))}`);
  const failed = record.cells.filter((c) => c.state === "failed").map((c) => `${colour.red("failed")} ${cellName(c)}: ${visible(c.message)}`);
  const errors = record.cells.flatMap((c) => (c.state === "completed" && c.errors.length > 0 ? [`${cellName(c)}: ${c.errors.length} items could not be read, counted as misses: ${visible(c.errors.slice(0, 3).map((e) => e.item).join(", "))}${c.errors.length > 3 ? ", …" : ""}`] : []));
  const notes = [...new Set(record.cells.flatMap((c) => (c.state === "completed" ? c.notes : [])))].map((n) => `note: ${visible(n)}`);
  return [`${colour.bold(visible(record.experiment.title))}  (${record.id}, protocol ${record.experiment.protocol})`, ...parts, ...failed, ...errors, ...notes].join("\n\n");
}

function cellName(cell: Cell): string {
  return visible(`${cell.kind} ${Object.values(cell.labels).join(" ")}`);
}

/** Rows are cells, columns are their labels and scores. */
function kindTable(cells: readonly Cell[]): string {
  const labels = [...new Set(cells.flatMap((c) => Object.keys(c.labels)))];
  const done = cells.flatMap((c) => (c.state === "completed" ? [c] : []));
  const columns = [...new Map(done.flatMap((c) => c.scores.map((s): [string, RecordedScore] => [scoreName(s), s]))).keys()];
  const head = [...labels.map((l) => ({ head: l })), ...columns.map((c) => ({ head: c, align: "right" as const })), { head: "n", align: "right" as const }];
  const rows = done.map((cell) => {
    const by = new Map(cell.scores.map((s) => [scoreName(s), s]));
    const n = cell.scores.find((s) => s.value !== null);
    return [...labels.map((l) => cell.labels[l] ?? ""), ...columns.map((c) => scoreText(by.get(c))), n?.value != null ? n.n : null];
  });
  return table(head, rows);
}

function scoreName({ metric, of }: RecordedScore): string {
  return of ? `${metric} ${Object.values(of).join(" ")}` : metric;
}

/** `0.750 [0.724, 0.775]`, `1.93 MiB`, `12.1 ms`; why there is none otherwise. */
function scoreText(score: RecordedScore | undefined): string {
  if (!score) return "";
  if (score.value === null) return "n/a";
  const one = (v: number): string => (score.unit === "bytes" ? bytes(v) : score.unit === "ms" ? ms(v) : score.unit === "ratio" ? v.toFixed(3) : score.unit === "count" ? String(v) : v.toPrecision(4));
  return score.ci ? `${one(score.value)} [${score.ci.map(one).join(", ")}]` : one(score.value);
}
