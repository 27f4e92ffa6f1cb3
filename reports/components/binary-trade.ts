import { html } from "npm:htl";
import type { CodesTrade } from "../analysis/binary-real.js";
import { formatBytes, formatMs, formatValue, logTicks } from "../analysis/format.js";
import { chart } from "./chart.js";
import type { Column } from "./data-table.js";
import { namesBeside } from "./mark-names.js";
import type { Palette } from "./palette.js";

interface Cost {
  readonly field: "kib" | "ms";
  readonly axis: string;
  readonly title: string;
  readonly description: string;
}

/** Recall against the two costs of an index. */
export function tradePanels(rows: readonly CodesTrade[], sets: number): HTMLElement {
  const size = plot(rows, {
    field: "kib",
    axis: "index size (KiB)",
    title: "Recall against index size",
    description:
      `One mark a model, the mean over ${sets} data ${sets === 1 ? "set" : "sets"}. ` +
      "Up and to the left is better.",
  });
  const time = plot(rows, {
    field: "ms",
    axis: "time of a query (ms)",
    title: "Recall against retrieval time",
    description: "The same marks by the time of one query.",
  });
  return html`<div class="panels">${size} ${time}</div>`;
}

const columns: readonly Column<CodesTrade>[] = [
  { head: "Model", value: (d) => d.model },
  { head: "Index", value: (d) => d.index },
  { head: "Codes", value: (d) => d.codes },
  { head: "recall@1, mean", value: (d) => d.recall, text: (d) => formatValue(d.recall, "ratio") },
  { head: "index size, mean", value: (d) => d.bytes, text: (d) => formatBytes(d.bytes) },
  {
    head: "time of a query, mean",
    value: (d) => d.ms,
    text: (d) => (d.ms === null ? "" : formatMs(d.ms)),
  },
  { head: "data sets", value: (d) => d.sets },
];

const height = 300;

function plot(all: readonly CodesTrade[], cost: Cost): HTMLElement | null {
  const { field, axis, title, description } = cost;
  const rows = all.filter((row) => row[field] !== null);
  if (rows.length === 0) return null;
  const costs = rows.map((row) => row[field]!);
  const recalls = rows.map(({ recall }) => recall);
  const x: [number, number] = [Math.min(...costs) / 1.5, Math.max(...costs) * 1.6];
  const room = Math.max(0.02, 0.12 * (Math.max(...recalls) - Math.min(...recalls)));
  const y: [number, number] = [Math.min(...recalls) - room, Math.max(...recalls) + room];
  const linear = { zero: false, nice: false, domain: y };
  return chart({
    title,
    description,
    rows,
    height,
    columns,
    spec: (colours, width) => ({
      encoding: {
        x: { field, ...logAxis(axis, costs, x) },
        y: { field: "recall", type: "quantitative", title: recallTitle, scale: linear },
        tooltip,
      },
      layer: [
        marks(colours),
        namesBeside(
          rows.map((row) => ({ name: row.name, x: row[field]!, y: row.recall, row })),
          { x, y, logX: true, width, height },
        ),
      ],
    }),
  });
}

const recallTitle = "recall@1, mean of the sets (ratio)";

function logAxis(axis: string, values: readonly number[], domain: readonly number[]): object {
  return {
    type: "quantitative",
    title: `${axis}, log`,
    scale: { type: "log", nice: false, domain },
    axis: { format: "~g", values: logTicks(values) },
  };
}

const tooltip = [
  { field: "model" },
  { field: "index" },
  { field: "recall", type: "quantitative", format: ".4f", title: "recall@1" },
  { field: "kib", type: "quantitative", format: ",.0f", title: "size (KiB)" },
  { field: "ms", type: "quantitative", format: ".4f", title: "time (ms)" },
];

function marks({ real, binary }: Palette): object {
  const codes = { field: "codes", type: "nominal" };
  const domain = ["real", "binary"];
  return {
    mark: { type: "point", filled: true, opacity: 1, size: 110 },
    encoding: {
      color: { ...codes, scale: { domain, range: [real, binary] } },
      shape: { ...codes, scale: { domain, range: ["circle", "square"] } },
    },
  };
}
