import type { DetectorTrade } from "../analysis/detection-rows.js";
import { formatBytes, formatMs, formatValue } from "../analysis/format.js";
import { chart } from "./chart.js";
import { namesBeside } from "./mark-names.js";
import { namedScales, type Palette } from "./palette.js";

const height = 280;

/** Mean AP against latency; the size of a mark is that of the model's file. */
export function detectorTradePlot(
  rows: readonly DetectorTrade[],
  models: readonly string[],
): HTMLElement {
  const aps = rows.map(({ ap }) => ap);
  const room = Math.max(0.02, 0.15 * (Math.max(...aps) - Math.min(...aps)));
  const range = {
    x: [0, 1.12 * Math.max(...rows.map(({ ms }) => ms))] as const,
    y: [Math.max(0, Math.min(...aps) - room), Math.max(...aps) + room] as const,
  };
  const named = rows.map((row) => ({
    name: `${row.name}, ${formatBytes(row.bytes)}`,
    x: row.ms,
    y: row.ap,
    row,
  }));
  return chart({
    title: "Mean AP against latency and size",
    rows,
    height,
    description: "One mark a model, larger the larger its file; up and to the left is better.",
    columns: [
      { head: "Model", value: (d) => d.name },
      { head: "mean AP", value: (d) => d.ap, text: (d) => formatValue(d.ap, "ratio") },
      { head: "latency", value: (d) => d.ms, text: (d) => formatMs(d.ms) },
      { head: "size", value: (d) => d.bytes, text: (d) => formatBytes(d.bytes) },
      { head: "data sets", value: (d) => d.sets },
    ],
    spec: (colours, width) => ({
      encoding: { ...axes(range), tooltip },
      layer: [marks(rows, models, colours), namesBeside(named, { ...range, width, height })],
    }),
  });
}

function axes({ x, y }: { readonly x: readonly number[]; readonly y: readonly number[] }): object {
  return {
    x: {
      field: "ms",
      type: "quantitative",
      title: "median latency of one picture (ms)",
      scale: { nice: false, domain: x },
    },
    y: {
      field: "ap",
      type: "quantitative",
      title: "mean AP (ratio)",
      scale: { zero: false, nice: false, domain: y },
    },
  };
}

const tooltip = [
  { field: "name", title: "model" },
  { field: "ap", type: "quantitative", format: ".3f", title: "mean AP" },
  { field: "ms", type: "quantitative", format: ".2f", title: "latency (ms)" },
  { field: "mib", type: "quantitative", format: ".2f", title: "size (MiB)" },
];

function marks(
  rows: readonly DetectorTrade[],
  models: readonly string[],
  colours: Palette,
): object {
  const scale = namedScales(
    rows.map(({ name }) => name),
    models,
    colours,
  );
  const name = { field: "name", type: "nominal", legend: null };
  return {
    mark: { type: "point", filled: true, opacity: 1 },
    encoding: {
      color: { ...name, scale: scale.color },
      shape: { ...name, scale: scale.shape },
      size: {
        field: "mib",
        type: "quantitative",
        legend: null,
        scale: { domainMin: 0, range: [60, 500] },
      },
    },
  };
}
