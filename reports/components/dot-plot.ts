import { intervalHead } from "npm:shitu-bench/src/eval/record/interval-text";
import { formatInterval, formatValue, type Unit } from "../analysis/format.js";
import { chart } from "./chart.js";
import type { Palette } from "./palette.js";
import { seriesScales, shapes } from "./palette.js";

export interface Dot {
  readonly name: string;
  readonly group: string;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  /** Confidence of the interval. */
  readonly level?: number | null;
  readonly n: number | null;
}

export interface DotPlotOptions {
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Dot[];
  /** Title of the axis, with its unit. */
  readonly axis: string;
  readonly unit: Unit;
  readonly groupTitle: string;
  readonly colours?: (palette: Palette) => {
    readonly domain: readonly string[];
    readonly range: readonly string[];
  };
  /** The groups are models or systems, which look the same on every page. */
  readonly series?: boolean;
  /** A line at this value: 0 for differences. */
  readonly reference?: number;
  readonly note?: string;
}

/** Values with whiskers, a line a name and a mark a group: what intervals are compared in. */
export function dotPlot({
  title,
  description,
  rows,
  axis,
  unit,
  groupTitle,
  colours,
  series = false,
  reference,
  note,
}: DotPlotOptions): HTMLElement {
  const names = [...new Set(rows.map((r) => r.name))];
  const groups = [...new Set(rows.map((r) => r.group))];
  const several = groups.length > 1;
  // Side by side only where one name has several marks.
  const beside = new Set(rows.map((r) => r.name)).size < rows.length;
  return chart({
    title,
    description,
    rows,
    ...(note === undefined ? {} : { note }),
    height: names.length * (beside ? Math.max(26, 13 * groups.length + 8) : 26) + 10,
    columns: [
      { head: "", value: (r) => r.name },
      ...(several ? [{ head: groupTitle, value: (r: Dot) => r.group }] : []),
      { head: axis, value: (r) => r.value, text: (r) => formatValue(r.value, unit) },
      {
        head: intervalHead(rows),
        value: (r) => r.low,
        text: (r) => (r.low === null || r.high === null ? "" : formatInterval(r.low, r.high, unit)),
        align: "right",
      },
      {
        head: "n",
        value: (r) => r.n,
        text: (r) => r.n?.toLocaleString("en-US") ?? "",
        align: "right",
      },
    ],
    spec: (palette, width) => {
      const looks = series ? seriesScales(groups, palette) : null;
      const scale = looks?.color ?? colours?.(palette);
      const marks =
        looks?.shape.range ?? shapes.slice(0, Math.max(1, (scale?.domain ?? groups).length));
      const tooltip = [
        { field: "name", type: "nominal", title: " " },
        ...(several ? [{ field: "group", type: "nominal", title: groupTitle }] : []),
        { field: "value", type: "quantitative", title: axis, format: ".4~f" },
        { field: "low", type: "quantitative", format: ".4~f" },
        { field: "high", type: "quantitative", format: ".4~f" },
        { field: "n", type: "quantitative" },
      ];
      const place = {
        y: {
          field: "name",
          type: "nominal",
          sort: names,
          title: null,
          axis: { labelLimit: width < 500 ? 110 : 230, grid: false },
        },
        ...(beside ? { yOffset: { field: "group", sort: groups } } : {}),
        tooltip,
      };
      const colour = {
        color: {
          field: "group",
          type: "nominal",
          sort: groups,
          scale: scale ?? { domain: groups },
          legend: several ? { columns: width < 500 ? 2 : 4 } : null,
        },
      };
      return {
        layer: [
          ...(reference === undefined
            ? []
            : [
                {
                  data: { values: [{}] },
                  mark: { type: "rule", strokeDash: [3, 3] },
                  encoding: { x: { datum: reference } },
                },
              ]),
          {
            mark: { type: "rule", strokeWidth: 1.6 },
            encoding: {
              ...place,
              ...colour,
              x: { field: "low", type: "quantitative", title: axis },
              x2: { field: "high" },
            },
          },
          {
            mark: {
              type: "point",
              filled: true,
              opacity: 1,
              size: beside ? 52 : 80,
              stroke: palette.background,
              strokeWidth: 0.8,
            },
            encoding: {
              ...place,
              ...colour,
              ...(several
                ? {
                    shape: {
                      field: "group",
                      type: "nominal",
                      sort: groups,
                      scale: { domain: scale?.domain ?? groups, range: marks },
                      legend: { columns: width < 500 ? 2 : 4 },
                    },
                  }
                : {}),
              x: {
                field: "value",
                type: "quantitative",
                title: axis,
                scale: { zero: false, nice: true },
              },
            },
          },
        ],
      };
    },
  });
}
