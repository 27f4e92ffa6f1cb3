import { html } from "npm:htl";
import { formatBytes, formatMs, formatValue, logTicks } from "../analysis/format.js";
import { chosenRecall, recallDomain, type ShownPoint } from "../analysis/index-choice.js";
import { chart } from "./chart.js";
import { dataTable, type Column } from "./data-table.js";
import { recallName } from "./index-choice.js";
import { shapes, type Palette } from "./palette.js";

type Y = "labelRecall" | "neighbourRecall";
interface Axes {
  readonly title: string;
  readonly description: string;
  readonly x: "timeMs" | "mib" | "buildS";
  readonly xTitle: string;
  readonly y: Y;
}

/** The points by recall against time, memory and build time, with the pick ringed. */
export function indexPlots(rows: readonly ShownPoint[], minimumRecall: number): HTMLElement {
  const chosen = chosenRecall(rows);
  const name = recallName(rows);
  const time = { x: "timeMs", xTitle: "time of a query (ms)" } as const;
  const plots: Axes[] = [{ title: `${name} against time`, description: front, ...time, y: chosen }];
  if (chosen === "labelRecall") {
    const title = "Neighbour recall against time";
    plots.push({ title, description: neighbours, ...time, y: "neighbourRecall" });
  }
  plots.push({
    title: `${name} against memory`,
    description: "The same points by what they hold in memory.",
    x: "mib",
    xTitle: "memory (MiB)",
    y: chosen,
  });
  if (rows.some((r) => r.buildS)) {
    const description = "The same points by how long they take to build.";
    const title = `${name} against build time`;
    plots.push({ title, description, x: "buildS", xTitle: "build time (s)", y: chosen });
  }
  return html`<div class="panels">
    ${plots.map((axes) => scatter(axes, rows, axes.y === chosen ? minimumRecall : null))}
  </div>`;
}

const front =
  "What is measured in the end: is the right entry found? The dashed line joins the points that " +
  "none beats in both; the ring is the pick, pale marks break a limit.";
const neighbours =
  "Does the index return the same entry as an exact search by the real vectors (by the codes, " +
  "where there are only codes)? It can miss that and still have the right label, so it misleads " +
  "alone.";

/** @param least a line at the least recall asked for; null: none. */
function scatter(axes: Axes, all: readonly ShownPoint[], least: number | null): HTMLElement {
  const { title, description, x, y } = axes;
  const rows = all.filter((r) => r[x] !== null && r[y] !== null);
  return chart<ShownPoint>({
    title,
    description,
    rows,
    height: 300,
    columns: pointColumns(all),
    spec: (c) => ({
      encoding: encoding(axes, rows),
      layer: [
        ...(x === "timeMs" && least !== null ? [frontLine(c)] : []),
        ...(least === null ? [] : [leastLine(c, least)]),
        marks(c, rows),
        ring(c),
      ],
    }),
  });
}

function encoding({ x, xTitle, y }: Axes, rows: readonly ShownPoint[]): Record<string, unknown> {
  const domain = recallDomain(rows.map((r) => r[y]!));
  const yTitle = y === "labelRecall" ? "label recall@1 (ratio)" : neighbourTitle(rows);
  return {
    x: {
      field: x,
      type: "quantitative",
      title: `${xTitle}, log`,
      scale: { type: "log", nice: false, padding: 14 },
      axis: { format: "~g", values: logTicks(rows.map((r) => r[x]!)) },
    },
    y: {
      field: y,
      type: "quantitative",
      title: yTitle,
      axis: { format: ".2~f" },
      scale: { zero: false, nice: false, domain },
    },
    tooltip: [
      { field: "name", title: "index" },
      { field: "codes" },
      { field: "labelRecall", type: "quantitative", format: ".4f", title: "label recall@1" },
      { field: "neighbourRecall", type: "quantitative", format: ".4f", title: "neighbour recall" },
      { field: "timeMs", type: "quantitative", title: "time (ms)" },
      { field: "mib", type: "quantitative", format: ".2f", title: "memory (MiB)" },
    ],
  };
}

function neighbourTitle(rows: readonly ShownPoint[]): string {
  return `neighbour recall@${rows[0]?.neighbours ?? 1} (ratio)`;
}

function frontLine({ muted }: Palette): Record<string, unknown> {
  return {
    transform: [{ filter: "datum.front" }],
    mark: {
      type: "line",
      interpolate: "step-after",
      color: muted,
      strokeWidth: 1,
      strokeDash: [4, 3],
      tooltip: false,
    },
  };
}

function leastLine({ muted }: Palette, least: number): Record<string, unknown> {
  return {
    data: { values: [{}] },
    mark: { type: "rule", color: muted, strokeWidth: 1 },
    encoding: { x: null, y: { datum: least }, tooltip: null },
  };
}

const families = ["Flat", "IVF", "HNSW", "two-stage", "other"] as const;

function marks(c: Palette, rows: readonly ShownPoint[]): Record<string, unknown> {
  return {
    mark: { type: "point", filled: true, size: 85 },
    encoding: {
      color: {
        field: "codes",
        type: "nominal",
        scale: { domain: ["real", "binary"], range: [c.real, c.binary] },
      },
      shape: {
        field: "family",
        type: "nominal",
        scale: {
          domain: families.filter((f) => rows.some((r) => r.family === f)),
          range: shapes,
        },
      },
      opacity: { condition: { test: "datum.state === 'out'", value: 0.35 }, value: 1 },
    },
  };
}

function ring({ ink }: Palette): Record<string, unknown> {
  return {
    mark: {
      type: "point",
      filled: false,
      size: 320,
      strokeWidth: 2,
      stroke: ink,
      shape: "circle",
      tooltip: false,
    },
    encoding: {
      opacity: { condition: { test: "datum.state === 'pick'", value: 1 }, value: 0 },
      tooltip: null,
    },
  };
}

function pointColumns(rows: readonly ShownPoint[]): Column<ShownPoint>[] {
  const ratio = (value: number | null): string =>
    value === null ? "" : formatValue(value, "ratio");
  return [
    { head: "Index", value: (d) => d.name },
    { head: "codes", value: (d) => d.codes },
    { head: "label recall@1", value: (d) => d.labelRecall, text: (d) => ratio(d.labelRecall) },
    {
      head: `neighbour recall@${rows[0]?.neighbours ?? 1}`,
      value: (d) => d.neighbourRecall,
      text: (d) => ratio(d.neighbourRecall),
    },
    { head: "time", value: (d) => d.timeMs, text: (d) => formatMs(d.timeMs!) },
    { head: "memory", value: (d) => d.memoryBytes, text: (d) => formatBytes(d.memoryBytes!) },
    {
      head: "build",
      value: (d) => d.buildMs,
      text: (d) => (d.buildMs === null ? "" : formatMs(d.buildMs)),
    },
    { head: "n", value: (d) => d.n },
    { head: "within limits", value: (d) => (d.state === "out" ? "no" : "yes") },
  ];
}

/** All points, to be sorted and downloaded. */
export function pointTable(rows: readonly ShownPoint[]): HTMLElement {
  const caption = "All sweep points";
  return dataTable({ caption, rows, columns: pointColumns(rows), downloads: "index-choice" });
}
