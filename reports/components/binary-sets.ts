import { html } from "npm:htl";
import {
  pairDots,
  tieRows,
  widestTie,
  type CodesPair,
  type TieRow,
} from "../analysis/binary-real.js";
import { formatValue } from "../analysis/format.js";
import {
  confidenceOf,
  scoreOf,
  tieBand,
  type CompletedCell,
  type RecordView,
} from "../analysis/record-view.js";
import { chart } from "./chart.js";
import { dataTable, type Column } from "./data-table.js";
import { dotPlot } from "./dot-plot.js";
import type { Palette } from "./palette.js";
import { countColumn, labelColumn, scoreColumn } from "./score-columns.js";

/** Both kinds of codes set by set, and what the ties of the binary ones leave open. */
export function setPanels(record: RecordView, pairs: readonly CodesPair[]): HTMLElement {
  const [first] = pairs;
  const rows = dotPlot({
    title: "Recall@1 by data set",
    description:
      `Exact search over the real vectors of ${first?.real.labels.model} and over the binary ` +
      `codes of ${first?.binary.labels.model}, with ${confidenceOf(record)} intervals.`,
    rows: pairDots(pairs),
    axis: "recall@1 (ratio)",
    unit: "ratio",
    groupTitle: "codes",
    colours: ({ real, binary }) => ({ domain: ["real", "binary"], range: [real, binary] }),
  });
  return html`<div class="panels">${rows} ${tieChart(tieRows(pairs))}</div>`;
}

function tieChart(rows: readonly TieRow[]): HTMLElement | null {
  const widest = widestTie(rows);
  if (widest === undefined) return null;
  const width = formatValue(widest.optimistic - widest.pessimistic, "ratio");
  return chart({
    title: "What ties hide",
    rows,
    height: Math.max(70, 34 * rows.length + 12),
    description:
      "Hamming distances are whole numbers and often tie, and the order among equals is chance. " +
      "The bar runs from the worst to the best order, the mark is the expected value; the widest " +
      `bar is ${width} wide (${widest.dataset}).`,
    columns: tieColumns,
    spec: (colours, width) => ({
      encoding: { y: setAxis(rows, width) },
      layer: [bandLayer(colours), expectedLayer(colours)],
    }),
  });
}

const orders = ["pessimistic", "expected", "optimistic"] as const;
const tieColumns: readonly Column<TieRow>[] = [
  { head: "Data set", value: (d) => d.dataset },
  ...orders.map((name): Column<TieRow> => ({
    head: name,
    value: (d) => d[name],
    text: (d) => formatValue(d[name], "ratio"),
  })),
  { head: "n", value: (d) => d.n },
];

function setAxis(rows: readonly TieRow[], width: number): object {
  return {
    field: "dataset",
    type: "nominal",
    sort: rows.map(({ dataset }) => dataset),
    title: null,
    axis: { grid: false, labelLimit: width < 500 ? 110 : 230 },
  };
}

const bandLayer = ({ binary }: Palette): object => ({
  mark: { type: "bar", height: 12, color: binary, opacity: 0.45, cornerRadius: 3 },
  encoding: {
    x: {
      field: "pessimistic",
      type: "quantitative",
      title: "recall@1 (ratio)",
      scale: { zero: false, nice: true },
    },
    x2: { field: "optimistic" },
  },
});

const expectedLayer = ({ binary, background }: Palette): object => ({
  mark: {
    type: "point",
    shape: "square",
    filled: true,
    color: binary,
    stroke: background,
    strokeWidth: 0.8,
    opacity: 1,
    size: 60,
  },
  encoding: { x: { field: "expected", type: "quantitative" } },
});

/** All cells with both orders of their ties. */
export function codesTable(cells: readonly CompletedCell[]): HTMLElement {
  const [recall, ...others] = ["recall@1", "index-size", "retrieval-time"]
    .filter((metric) => cells.some((cell) => scoreOf(cell, metric)))
    .map((metric) => scoreColumn(metric));
  return dataTable({
    caption: "Binary and real",
    rows: cells,
    downloads: "binary-or-real",
    limit: 18,
    columns: [
      labelColumn("dataset", "Data set"),
      labelColumn("model", "Model"),
      labelColumn("index", "Index"),
      labelColumn("codes", "Codes"),
      countColumn("recall@1", "n (queries)"),
      ...(recall ? [recall, tieColumn("pessimistic"), tieColumn("optimistic"), ...others] : []),
    ],
  });
}

function tieColumn(order: "pessimistic" | "optimistic"): Column<CompletedCell> {
  return {
    head: order === "pessimistic" ? "worst ties" : "best ties",
    align: "right",
    value: (cell) => tieBand(cell)?.[order] ?? null,
    text: (cell) => {
      const band = tieBand(cell);
      return band ? formatValue(band[order], "ratio") : "";
    },
  };
}

/** Size and time over a gallery whose recall is not the question. */
export function sizeTable(cells: readonly CompletedCell[]): HTMLElement {
  return dataTable({
    caption: "Index size and retrieval time",
    rows: cells,
    downloads: "index-size",
    columns: [
      labelColumn("index", "Index"),
      labelColumn("codes"),
      ...(cells.some((c) => c.labels.dataset) ? [labelColumn("dataset", "Gallery")] : []),
      scoreColumn("index-size"),
      scoreColumn("retrieval-time"),
    ],
  });
}
