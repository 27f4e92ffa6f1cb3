import { html } from "npm:htl";
import { formatCount, formatMs, formatValue, logTicks } from "../analysis/format.js";
import { familyOrder, type Network } from "../analysis/networks.js";
import { scoreOf, type CompletedCell } from "../analysis/record-view.js";
import { chart } from "./chart.js";
import { dataTable, type Column } from "./data-table.js";
import { namesBeside } from "./mark-names.js";
import { shapes } from "./palette.js";
import { countColumn, labelColumn, scoreColumn } from "./score-columns.js";

/** Accuracy against the two costs that Table 6 prints. */
export function networkPlots(networks: readonly Network[]): HTMLElement {
  // Their data and machines differ: an axis in common would compare what does not compare.
  const ours = networks.filter(({ source }) => source === "measured here");
  const theirs = networks.filter(({ source }) => source === "paper");
  return html`<div class="panels">
    ${costs.flatMap((cost) => [
      accuracyAgainst(cost, "measured here", ours),
      accuracyAgainst(cost, "in the paper", theirs),
    ])}
  </div>`;
}

interface NetworkCost {
  readonly field: "ms" | "mega";
  readonly axis: string;
  readonly title: string;
  readonly of: string;
}

const costs: readonly NetworkCost[] = [
  {
    field: "ms",
    axis: "latency (ms)",
    title: "Accuracy against latency",
    of: "the time of one picture",
  },
  {
    field: "mega",
    axis: "multiply-adds (M)",
    title: "Accuracy against arithmetic",
    of: "multiply-adds of one picture, which the paper calls FLOPs",
  },
];

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

const height = 320;

function accuracyAgainst(
  { field, axis, title, of }: NetworkCost,
  where: string,
  networks: readonly Network[],
): HTMLElement | null {
  const rows = networks.filter((d) => d[field] !== null);
  if (rows.length === 0) return null;
  const range = ranges(rows, field);
  const marks = rows.map((row) => ({
    name: row.short,
    x: row[field]!,
    y: row.top1,
    ...(row.low !== null && row.high !== null && { whisker: [row.low, row.high] as const }),
    row,
  }));
  return chart({
    title: `${title}, ${where}`,
    description: `Top-1 against ${of}: ${rows.length} networks. Up and to the left is better.`,
    rows,
    height,
    columns,
    spec: (_, width) => ({
      encoding: {
        x: costAxis(field, axis, rows, range.x),
        y: { ...accuracy, field: "top1", scale: { zero: false, nice: false, domain: range.y } },
        tooltip,
      },
      layer: [
        ...layers(rows, width < 500 ? 2 : 3),
        namesBeside(marks, { ...range, logX: true, width, height }),
      ],
    }),
  });
}

/** Both axes with room for names beside the outermost marks. */
function ranges(rows: readonly Network[], field: "ms" | "mega") {
  const costs = rows.map((row) => row[field]!);
  const tops = rows.flatMap(({ top1, low, high }) => [top1, low ?? top1, high ?? top1]);
  const [low, high] = [Math.min(...tops), Math.max(...tops)];
  const room = Math.max(0.01, 0.08 * (high - low));
  const stretch = (Math.max(...costs) / Math.min(...costs)) ** 0.12 * 1.05;
  return {
    x: [Math.min(...costs) / stretch, Math.max(...costs) * stretch] as const,
    y: [low - room, high + room] as const,
  };
}

function costAxis(
  field: "ms" | "mega",
  axis: string,
  rows: readonly Network[],
  domain: readonly number[],
): object {
  return {
    field,
    type: "quantitative",
    title: `${axis}, log`,
    scale: { type: "log", nice: false, domain },
    axis: { format: "~g", values: logTicks(rows.map((row) => row[field]!)) },
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

/** Whiskers below marks that differ by family in hue and shape; the paper's are hollow. */
function layers(networks: readonly Network[], legendColumns: number): object[] {
  const seen = familyOrder.filter((f) => networks.some((d) => d.family === f));
  const family = {
    field: "family",
    type: "nominal",
    sort: seen,
    legend: { columns: legendColumns },
  };
  const color = { ...family, scale: { domain: seen } };
  const shape = { ...family, scale: { domain: seen, range: shapes.slice(0, seen.length) } };
  const filled = networks.some(({ source }) => source === "measured here");
  return [
    {
      transform: [{ filter: "datum.low !== null" }],
      mark: { type: "rule", strokeWidth: 1.4 },
      encoding: { y: { ...accuracy, field: "low" }, y2: { field: "high" }, color },
    },
    {
      mark: { type: "point", filled, opacity: 1, size: 100, strokeWidth: 1.5 },
      encoding: { shape, color },
    },
  ];
}
