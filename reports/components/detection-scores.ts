import { html } from "npm:htl";
import { apPoints } from "../analysis/detection-rows.js";
import {
  confidenceOf,
  scoreOf,
  type CompletedCell,
  type RecordView,
} from "../analysis/record-view.js";
import { apartFromBaselines } from "../analysis/series.js";
import { dataTable, foldedTable, type DataTableOptions } from "./data-table.js";
import { dotPlot } from "./dot-plot.js";
import { countColumn, labelColumn, scoreColumn } from "./score-columns.js";

/** AP by data set and model, and the table of all that COCO's evaluation prints. */
export function detectionScores(record: RecordView, cells: readonly CompletedCell[]): HTMLElement {
  const { trained, baselines } = apartFromBaselines(cells);
  const rows = apPoints(trained);
  const plot = dotPlot({
    title: "AP by data set and model",
    description:
      `${rows.length} measured pairs of model and data set. The whisker is the ` +
      `${confidenceOf(record)} interval over pictures: how far another draw of pictures would ` +
      "move the number.",
    rows,
    axis: "AP (ratio)",
    unit: "ratio",
    groupTitle: "model",
    series: true,
  });
  return html`<div>
    ${plot} ${dataTable(scoreTable(trained))}
    ${foldedTable("Baselines without training", scoreTable(baselines))}
  </div>`;
}

const sizes = ["AP-small", "AP-medium", "AP-large"];
const metrics = ["AP", "AP50", "AP75", ...sizes, "AR@1", "AR@10", "AR@100"];

function scoreTable(cells: readonly CompletedCell[]): DataTableOptions<CompletedCell> {
  return {
    caption: "Detection scores",
    rows: cells,
    downloads: "detection",
    limit: 20,
    columns: [
      labelColumn("model", "Model"),
      labelColumn("dataset", "Data set"),
      countColumn("AP", "n (objects)"),
      ...metrics
        .filter((metric) => cells.some((cell) => scoreOf(cell, metric)))
        .map((metric) => scoreColumn(metric)),
    ],
  };
}
