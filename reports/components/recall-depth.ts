import { html } from "npm:htl";
import { formatValue } from "../analysis/format.js";
import type { DepthRow } from "../analysis/recognition-rows.js";
import { scoreOf, type CompletedCell } from "../analysis/record-view.js";
import { apartFromBaselines } from "../analysis/series.js";
import { chart } from "./chart.js";
import { dataTable, foldedTable, type DataTableOptions } from "./data-table.js";
import { lineLegend, namedScales } from "./palette.js";
import { countColumn, labelColumn, scoreColumn } from "./score-columns.js";

/** How deep among the neighbours the first right one lies, a line a model. */
export function depthPlot(
  dataset: string,
  rows: readonly DepthRow[],
  models: readonly string[],
): HTMLElement {
  const depths = [...new Set(rows.map(({ k }) => k))];
  return chart({
    title: `Recall@k on ${dataset}`,
    rows,
    height: 280,
    description:
      "Share of queries with a right label among the first k neighbours. A steep line has the " +
      "answer close by; a flat one does not have it at all.",
    columns: [
      { head: "Model", value: (d) => d.model },
      { head: "k", value: (d) => d.k },
      { head: "recall@k", value: (d) => d.recall, text: (d) => formatValue(d.recall, "ratio") },
      { head: "n", value: (d) => d.n },
    ],
    spec: (colours, width) => {
      const names = [...new Set(rows.map(({ model }) => model))];
      const scale = namedScales(names, models, colours);
      const recall = { field: "recall", type: "quantitative", title: "recall@k (ratio)" };
      const k = { field: "k", type: "quantitative", title: "k (neighbours)" };
      const model = { field: "model", type: "nominal" };
      return {
        mark: { type: "line", point: { size: 50, filled: true }, strokeWidth: 2 },
        encoding: {
          x: { ...k, axis: { values: depths, format: "d" } },
          y: { ...recall, scale: { zero: false } },
          color: { ...model, scale: scale.color, legend: lineLegend(width) },
          strokeDash: { ...model, scale: scale.strokeDash, legend: lineLegend(width) },
        },
      };
    },
  });
}

/** All scores of the record's retrieval. */
export function recognitionTable(cells: readonly CompletedCell[]): HTMLElement {
  const { trained, baselines } = apartFromBaselines(cells);
  return html`<div>
    ${dataTable(scoreTable(trained))}
    ${foldedTable("Baselines without training", scoreTable(baselines))}
  </div>`;
}

function scoreTable(cells: readonly CompletedCell[]): DataTableOptions<CompletedCell> {
  const metrics = ["recall@1", "recall@5", "recall@10", "mAP"];
  return {
    caption: "Recognition scores",
    rows: cells,
    downloads: "recognition",
    limit: 12,
    columns: [
      labelColumn("model", "Model"),
      labelColumn("dataset", "Data set"),
      labelColumn("index", "Index"),
      labelColumn("codes", "Codes"),
      countColumn("recall@1", "n (queries)"),
      ...metrics
        .filter((metric) => cells.some((cell) => scoreOf(cell, metric)))
        .map((metric) => scoreColumn(metric)),
    ],
  };
}
