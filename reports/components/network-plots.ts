import { html } from "npm:htl";
import { formatCount, formatMs, formatValue, logTicks } from "../analysis/format.js";
import { familyOrder, type Network } from "../analysis/networks.js";
import { scoreOf, type CompletedCell } from "../analysis/record-view.js";
import { chart } from "./chart.js";
import { dataTable, type Column } from "./data-table.js";
import { shapes } from "./palette.js";
import { countColumn, labelColumn, scoreColumn } from "./score-columns.js";

/** Accuracy against the two costs that Table 6 prints. */
export function networkPlots(networks: readonly Network[]): HTMLElement {
  const ours = networks.filter(({ source }) => source === "measured here").length;
  const theirs = networks.filter(({ source, ms }) => source === "paper" && ms !== null).length;
  return html`<div class="panels">
    ${accuracyAgainst("ms", "latency (ms)", networks, {
      title: "Accuracy against latency",
      description:
        `Top-1 against the time of one picture. ${ours} measured here, ${theirs} from the paper. ` +
        "Up and to the left is better.",
    })}${accuracyAgainst("mega", "multiply-adds (M)", networks, {
      title: "Accuracy against arithmetic",
      description:
        "Top-1 against multiply-adds of one picture, which the paper calls FLOPs. Up and to the " +
        "left is better.",
    })}
  </div>`;
}

/** What was measured here, one line a network. */
export function networkTable(cells: readonly CompletedCell[]): HTMLElement {
  const metrics = ["params", "macs", "top-1", "top-5", "latency"];
  return dataTable({
    caption: "Light networks measured here",
    rows: cells,
    downloads: "light-networks",
    columns: [
      labelColumn("model", "Network"),
      labelColumn("dataset", "Data set"),
      countColumn("top-1"),
      ...metrics.filter((m) => cells.some((c) => scoreOf(c, m))).map((m) => scoreColumn(m)),
    ],
  });
}

const columns: readonly Column<Network>[] = [
  { head: "Network", value: (d) => d.name },
  { head: "From", value: (d) => d.source },
  { head: "top-1", value: (d) => d.top1, text: (d) => formatValue(d.top1, "ratio") },
  { head: "latency", value: (d) => d.ms, text: (d) => printed(d.ms, formatMs) },
  { head: "multiply-adds", value: (d) => d.macs, text: (d) => printed(d.macs, formatCount) },
  { head: "parameters", value: (d) => d.params, text: (d) => printed(d.params, formatCount) },
  { head: "n", value: (d) => d.n },
];

const printed = (value: number | null, format: (value: number) => string): string =>
  value === null ? "" : format(value);

function accuracyAgainst(
  cost: "ms" | "mega",
  axis: string,
  networks: readonly Network[],
  told: { readonly title: string; readonly description: string },
): HTMLElement {
  const rows = networks.filter((d) => d[cost] !== null);
  return chart({
    ...told,
    rows,
    height: 340,
    columns,
    spec: (_, width) => ({
      encoding: {
        x: costAxis(
          cost,
          axis,
          rows.map((d) => d[cost]!),
        ),
        y: { ...accuracy, field: "top1", scale: { zero: false, padding: 12 } },
        tooltip,
      },
      layer: layers(networks, width < 500 ? 2 : 3),
    }),
  });
}

function costAxis(field: string, axis: string, values: readonly number[]): object {
  return {
    field,
    type: "quantitative",
    title: `${axis}, log`,
    scale: { type: "log", nice: false, padding: 38 },
    axis: { format: "~g", values: logTicks(values) },
  };
}

const accuracy = { type: "quantitative", title: "top-1 (ratio)" };
const tooltip = [
  { field: "name", title: "network" },
  { field: "source", title: "from" },
  { field: "top1", type: "quantitative", format: ".4f" },
  { field: "ms", type: "quantitative", title: "latency (ms)" },
  { field: "mega", type: "quantitative", title: "multiply-adds (M)" },
];

function layers(networks: readonly Network[], legendColumns: number): object[] {
  const seen = familyOrder.filter((f) => networks.some((d) => d.family === f));
  const family = { field: "family", type: "nominal", sort: seen };
  const legend = { columns: legendColumns };
  const color = { ...family, scale: { domain: seen }, legend };
  const shape = {
    ...family,
    scale: { domain: seen, range: shapes.slice(0, seen.length) },
    legend,
  };
  const paper = {
    transform: [{ filter: "datum.source === 'paper'" }],
    mark: { type: "point", filled: false, strokeWidth: 1.5, size: 70, opacity: 0.75 },
    encoding: { shape, color },
  };
  const ours = networks.some(({ source }) => source === "measured here");
  return ours ? [paper, ...measuredLayers(shape, color)] : [paper];
}

function measuredLayers(shape: object, color: object): object[] {
  return [
    {
      transform: [{ filter: "datum.source !== 'paper' && datum.low !== null" }],
      mark: { type: "rule", strokeWidth: 1.4 },
      encoding: { y: { ...accuracy, field: "low" }, y2: { field: "high" }, color },
    },
    {
      transform: [{ filter: "datum.source !== 'paper'" }],
      mark: { type: "point", filled: true, opacity: 1, size: 110 },
      encoding: { shape, color },
    },
    {
      transform: [{ filter: "datum.source !== 'paper'" }],
      mark: { type: "text", align: "left", dx: 9, dy: 1, fontSize: 10.5, tooltip: false },
      encoding: { text: { field: "short" } },
    },
  ];
}
