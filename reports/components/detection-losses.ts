import { html } from "npm:htl";
import {
  worstError,
  type CurveRow,
  type ErrorLoss,
  type ErrorLosses,
} from "../analysis/detection-rows.js";
import { formatValue } from "../analysis/format.js";
import { chart } from "./chart.js";
import { lineLegend, namedScales, type Palette } from "./palette.js";

/** Precision over recall, and which kind of error costs it. */
export function lossPanels(
  curve: string | null,
  curves: readonly CurveRow[],
  losses: ErrorLosses,
  models: readonly string[],
): HTMLElement {
  return html`<div class="panels">
    ${curves.length === 0 || curve === null ? null : curvePlot(curve, curves, models)}
    ${losses.rows.length === 0 ? null : errorBars(losses, models)}
  </div>`;
}

function curvePlot(
  curve: string,
  rows: readonly CurveRow[],
  models: readonly string[],
): HTMLElement {
  const sets = Math.max(...rows.map((row) => row.sets));
  return chart({
    title: `${curve.replace(/^p/, "P")} against recall`,
    rows,
    height: 300,
    description:
      `One curve a model${sets > 1 ? `, the mean of ${sets} data sets` : ""}. The further to the ` +
      "upper right, the better.",
    columns: [
      { head: "Model", value: (d) => d.name },
      { head: "recall", value: (d) => d.recall, text: (d) => d.recall.toFixed(2) },
      { head: "precision", value: (d) => d.precision, text: (d) => d.precision.toFixed(3) },
      { head: "data sets", value: (d) => d.sets },
    ],
    spec: (colours, width) => curveSpec(rows, models, colours, width),
  });
}

function curveSpec(
  rows: readonly CurveRow[],
  models: readonly string[],
  colours: Palette,
  width: number,
): Record<string, unknown> {
  const scale = namedScales([...new Set(rows.map(({ name }) => name))], models, colours);
  const ratio = { type: "quantitative", scale: { domain: [0, 1] } };
  const name = { field: "name", type: "nominal", legend: lineLegend(width) };
  return {
    mark: { type: "line", strokeWidth: 2, interpolate: "step-after" },
    encoding: {
      x: { field: "recall", title: "recall (ratio)", ...ratio },
      y: { field: "precision", title: "precision (ratio)", ...ratio },
      color: { ...name, scale: scale.color },
      strokeDash: { ...name, scale: scale.strokeDash },
    },
  };
}

const kinds =
  "Localisation: found, but IoU below 0.5. Background: nothing is there. Duplicate: found a " +
  "second time. Missed: not found at all.";

function errorBars(losses: ErrorLosses, models: readonly string[]): HTMLElement {
  const { rows, fromCases, oneClass } = losses;
  const worst = worstError(rows);
  const errors = new Set(rows.map(({ error }) => error)).size;
  const names = new Set(rows.map(({ name }) => name)).size;
  return chart({
    title: "What costs the precision",
    rows,
    height: Math.max(120, (12 * names + 12) * errors),
    description:
      "AP at IoU 0.50 that mending one kind of error alone would win" +
      `${worst === null ? "" : `: most of all ${worst}`}. The kinds overlap, so they do not add ` +
      "up to what is missing.",
    note: [
      kinds,
      ...(oneClass ? [] : ["Classification: found under another class."]),
      ...(fromCases ? [onCases] : []),
      "After TIDE (Bolya and others, 2020).",
    ].join(" "),
    columns: [
      { head: "Model", value: (d) => d.name },
      { head: "Error", value: (d) => d.error },
      { head: "AP50 to win", value: (d) => d.loss, text: (d) => formatValue(d.loss, "ratio") },
      ...(fromCases ? [{ head: "errors", value: (d: ErrorLoss) => d.count }] : []),
      { head: "n (pictures)", value: (d) => d.n },
    ],
    spec: (colours, width) => barSpec(rows, models, colours, width),
  });
}

const onCases = "Judged on the 20 surest boxes of each picture, which is what a record keeps.";

function barSpec(
  rows: readonly ErrorLoss[],
  models: readonly string[],
  colours: Palette,
  width: number,
): Record<string, unknown> {
  const names = [...new Set(rows.map(({ name }) => name))];
  const columns = width < 500 ? 1 : 3;
  return {
    mark: { type: "bar" },
    encoding: {
      y: {
        field: "error",
        type: "nominal",
        title: null,
        sort: { field: "loss", op: "mean", order: "descending" },
      },
      yOffset: { field: "name", sort: models },
      x: { field: "loss", type: "quantitative", title: "AP at IoU 0.50 to win (ratio)" },
      color: {
        field: "name",
        type: "nominal",
        scale: namedScales(names, models, colours).color,
        legend: { columns },
      },
    },
  };
}
