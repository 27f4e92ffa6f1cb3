import { html } from "npm:htl";
import { f1Rows, lostSentence, lostShares, type F1Row } from "../analysis/lost-objects.js";
import { countOf, type OutcomeCount } from "../analysis/query-filter.js";
import {
  cellName,
  completedCells,
  confidenceOf,
  f1Definitions,
  stageName,
  type CompletedCell,
  type RecordView,
} from "../analysis/record-view.js";
import { chart } from "./chart.js";
import { dataTable, type Column } from "./data-table.js";
import { dotPlot } from "./dot-plot.js";
import { message } from "./runs.js";
import { scoreNode } from "./score-columns.js";

/**
 * Where a cell's wrong answers come from: of a whole system the share of objects lost at each
 * stage, with intervals; else its queries counted by stage. null where the record knows neither.
 */
export function lostPlot(
  record: RecordView,
  cell: CompletedCell,
  counts: readonly OutcomeCount[],
): HTMLElement | null {
  const pipelines = completedCells(record, "pipeline");
  const shares = lostShares(pipelines);
  if (cell.kind !== "pipeline" || shares.length === 0) return lostCounts(counts);
  return html`<div>
    ${message(lostSentence(shares, cellName(cell, pipelines)))}
    ${dotPlot({
      title: "Where objects are lost",
      rows: shares,
      axis: "share of objects (ratio)",
      unit: "ratio",
      groupTitle: "system",
      series: true,
      description:
        "Each true object is either recognised, or lost at the first stage that loses it: no box " +
        "was found for it, the box was cut wrongly, its embedding lay nearer to another label, " +
        "the index did not return the right entry, its score was below the threshold, or " +
        `another box suppressed it. Whiskers are ${confidenceOf(record)} intervals over pictures.`,
    })}
  </div>`;
}

function lostCounts(counts: readonly OutcomeCount[]): HTMLElement | null {
  const stages = [...new Set(counts.map(({ lostAt }) => lostAt))].filter((s) => s !== "");
  if (stages.length === 0) return null;
  const rows = stages
    .map((lostAt) => ({ stage: lostAt, n: countOf(counts, { lostAt }) }))
    .sort((a, b) => b.n - a.n);
  const [all, lost] = [countOf(counts, {}), rows.reduce((sum, { n }) => sum + n, 0)];
  return chart({
    title: "Where the wrong ones were lost",
    rows,
    height: 26 * rows.length + 14,
    description:
      `Of ${all.toLocaleString("en-US")} queries ${lost.toLocaleString("en-US")} were lost, most ` +
      `of them at: ${stageName(rows[0]!.stage)}.`,
    columns: [
      { head: "Stage", value: (d) => d.stage },
      { head: "Queries", value: (d) => d.n },
    ],
    spec: ({ miss }) => ({
      encoding: {
        y: { field: "stage", type: "nominal", sort: null, title: null },
        x: { field: "n", type: "quantitative", title: "queries (count)" },
      },
      layer: [
        { mark: { type: "bar", color: miss, height: { band: 0.6 } } },
        { mark: { type: "text", align: "left", dx: 5 }, encoding: { text: { field: "n" } } },
      ],
    }),
  });
}

/** F1 of a record's systems under every definition; null where it has none. */
export function f1Table(record: RecordView): HTMLElement | null {
  const rows = f1Rows(completedCells(record, "pipeline"));
  if (rows.length === 0) return null;
  const systems = [...new Set(rows.flatMap(({ bySystem }) => [...bySystem.keys()]))];
  return html`<details class="as-table">
    <summary>F1 of the systems, by what has to be right</summary>
    <p>
      <em>Best answer</em>: the surest answer of a picture is one of its labels.
      <em>Set of labels</em>: the labels found against those in the picture; also as the mean over
      labels. <em>Box and label</em>: both, at IoU 0.5 or more. A <em>held-out</em> threshold was
      chosen on the other half of the pictures; the best in hindsight flatters.
    </p>
    ${dataTable({
      caption: "F1 by definition",
      rows,
      downloads: "f1",
      columns: [
        { head: "What has to be right", value: (d) => f1Definitions[d.definition] ?? d.definition },
        { head: "Threshold", value: (d) => d.threshold },
        ...systems.map(f1Column),
        { head: "n", value: (d) => d.n },
      ],
    })}
  </details>`;
}

function f1Column(system: string): Column<F1Row> {
  return {
    head: system,
    align: "right",
    value: ({ bySystem }) => bySystem.get(system)?.value ?? null,
    text: ({ bySystem }) => bySystem.get(system)?.value?.toFixed(3) ?? "",
    show: ({ bySystem }) => scoreNode(bySystem.get(system)),
  };
}
