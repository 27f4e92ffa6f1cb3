import { html } from "npm:htl";
import { formatBytes, formatValue } from "../analysis/format.js";
import { retrievalPoints, type RetrievalPoint } from "../analysis/retrieval-points.js";
import {
  confidenceOf,
  scoreOf,
  type CompletedCell,
  type RecordView,
} from "../analysis/record-view.js";
import { chart } from "./chart.js";
import { dataTable } from "./data-table.js";
import { dotPlot } from "./dot-plot.js";
import type { Palette } from "./palette.js";
import { moreOn } from "./record-tables.js";
import { countColumn, labelColumn, scoreColumn } from "./score-columns.js";

/** As many indexes are drawn; a sweep over more is a table here and a heat map on its page. */
const mostDrawn = 24;

/** Retrieval as the page of a run tells it: what the number is, two plots, and the table. */
export function retrievalSection(record: RecordView, cells: readonly CompletedCell[]): HTMLElement {
  const points = retrievalPoints(cells);
  return html`<div>
    <h2>Retrieval</h2>
    <p>
      recall@1: the share of queries whose nearest gallery entry carries their label. Whiskers are
      ${confidenceOf(record)} intervals. ${moreOn(record, "recognition")}
    </p>
    ${
      points.length > mostDrawn
        ? null
        : html`<div class="panels">${recallPlot(points)} ${sizeChart(points)}</div>`
    }
    ${retrievalTable(cells)}
  </div>`;
}

const codeColours = ({ real, binary }: Palette) => ({
  domain: ["real", "binary"],
  range: [real, binary],
});

function recallPlot(points: readonly RetrievalPoint[]): HTMLElement {
  const recalls = points.map(({ value }) => value);
  const [best, worst] = [Math.max(...recalls), Math.min(...recalls)];
  return dotPlot({
    title: "Recall@1 by index",
    unit: "ratio",
    axis: "recall@1 (ratio)",
    groupTitle: "codes",
    colours: codeColours,
    description:
      `${points.length} indexes; the best has ${formatValue(best, "ratio")}, the worst ` +
      `${formatValue(worst, "ratio")}.`,
    rows: points,
  });
}

function sizeChart(points: readonly RetrievalPoint[]): HTMLElement | null {
  const rows = points.filter(({ bytes }) => bytes !== null);
  if (rows.length === 0) return null;
  const size = { field: "mib", type: "quantitative" };
  return chart({
    title: "Index size",
    rows,
    description: "Bytes of each index as it is saved.",
    height: 30 * points.length + 20,
    columns: [
      { head: "Index", value: (r) => r.name },
      { head: "Size", value: (r) => r.bytes, text: (r) => formatBytes(r.bytes!) },
    ],
    spec: (colours) => ({
      encoding: { y: { field: "name", type: "nominal", sort: null, title: null } },
      transform: [{ calculate: "datum.bytes / 1048576", as: "mib" }],
      layer: [
        {
          mark: { type: "bar", height: { band: 0.55 } },
          encoding: {
            x: { ...size, title: "size (MiB)" },
            color: { field: "group", type: "nominal", scale: codeColours(colours) },
          },
        },
        {
          mark: { type: "text", align: "left", dx: 5 },
          encoding: { x: size, text: { field: "mib", format: ".2f" } },
        },
      ],
    }),
  });
}

function retrievalTable(cells: readonly CompletedCell[]): HTMLElement {
  const labels = ["codes", "nprobe", "efSearch"].filter((l) => cells.some((c) => c.labels[l]));
  const metrics = ["recall@1", "recall@5", "mAP", "retrieval-time", "index-size"];
  return dataTable({
    caption: "Retrieval",
    rows: cells,
    downloads: "retrieval",
    limit: 18,
    columns: [
      labelColumn("model", "Model"),
      labelColumn("dataset", "Data set"),
      labelColumn("index", "Index"),
      ...labels.map((label) => labelColumn(label)),
      countColumn("recall@1"),
      ...metrics.filter((m) => cells.some((c) => scoreOf(c, m))).map((m) => scoreColumn(m)),
    ],
  });
}
