import { html } from "npm:htl";
import { formatValue } from "../analysis/format.js";
import { percentileRows } from "../analysis/latency-rows.js";
import { allScores, groupedErrors, recordNotes, type CellScore } from "../analysis/record-lists.js";
import {
  cellName,
  metricName,
  type CompletedCell,
  type RecordView,
} from "../analysis/record-view.js";
import { dataTable, type Column } from "./data-table.js";
import { percentileTable } from "./latency-distribution.js";
import { noteList } from "./runs.js";
import { scoreNode } from "./score-columns.js";
import { stageChart } from "./stage-chart.js";

/** Latency as the page of a run tells it. */
export function latencySection(record: RecordView, cells: readonly CompletedCell[]): HTMLElement {
  const rows = percentileRows(cells);
  const address = `./latency.html?run=${encodeURIComponent(record.key)}`;
  return html`<div>
    <h2>Latency</h2>
    <p>
      Where the time of one picture goes, by stage; the median of the samples. Distributions,
      throughput and the noise certificate are on the <a href=${address}>latency page</a>.
    </p>
    ${stageChart(cells)}
    <details class="as-table">
      <summary>Percentiles by stage</summary>
      ${percentileTable("Latency by stage", rows, rows, "latency")}
    </details>
  </div>`;
}

/** Items that were not measured, and what the cells note; null where there is neither. */
export function errorsAndNotes(record: RecordView): HTMLElement | null {
  const [errors, notes] = [groupedErrors(record), recordNotes(record)];
  if (errors.length + notes.length === 0) return null;
  return html`<div>
    ${errors.length === 0 ? null : errorSection(errors)}
    ${
      notes.length === 0
        ? null
        : html`<h2>Notes</h2>
            ${noteList(notes)}`
    }
  </div>`;
}

function errorSection(errors: ReturnType<typeof groupedErrors>): HTMLElement {
  const cellsOf = (cells: readonly string[]): string =>
    cells.length === 1 ? cells[0]! : `${cells.length} cells`;
  return html`<div>
    <h2>What could not be measured</h2>
    <p>These items stay in the denominators as misses.</p>
    ${dataTable({
      caption: "Errors",
      rows: errors,
      limit: 25,
      columns: [
        { head: "Item", value: (e) => e.item },
        { head: "Code", value: (e) => e.code },
        { head: "What was wrong", value: (e) => e.message },
        { head: "In", value: (e) => cellsOf(e.cells) },
      ],
    })}
  </div>`;
}

/** Every score of a record, folded away; null where it has none. */
export function scoreList(record: RecordView): HTMLElement | null {
  const rows = allScores(record);
  if (rows.length === 0) return null;
  return html`<details class="as-table">
    <summary>All ${rows.length.toLocaleString("en-US")} scores of the record</summary>
    ${dataTable({
      caption: "All scores",
      rows,
      downloads: "scores",
      limit: 20,
      columns: [{ head: "Cell", value: (r) => cellName(r.cell, record.cells) }, ...scoreColumns],
    })}
  </details>`;
}

const scoreColumns: readonly Column<CellScore>[] = [
  { head: "Kind", value: (r) => r.cell.kind },
  { head: "Metric", value: (r) => metricName(r.score) },
  {
    head: "Value",
    align: "right",
    value: (r) => r.score.value,
    text: ({ score }) => (score.value === null ? "" : formatValue(score.value, score.unit)),
    show: (r) => scoreNode(r.score),
  },
  {
    head: "n",
    align: "right",
    value: (r) => countOf(r),
    text: (r) => countOf(r)?.toLocaleString("en-US") ?? "",
  },
  { head: "Interval by", value: intervalBy },
];

const countOf = ({ score }: CellScore): number | null => (score.value === null ? null : score.n);

function intervalBy({ score }: CellScore): string {
  if (score.value === null) return score.why;
  return score.interval?.method ?? score.whyNoInterval ?? "";
}
