import { formatInterval } from "../analysis/format.js";
import { recallSentence, type RecallRow } from "../analysis/recognition-rows.js";
import { confidenceOf, type RecordView } from "../analysis/record-view.js";
import { chart } from "./chart.js";
import type { Palette } from "./palette.js";

/** recall@1 of every model on every data set, as a map whose legend says what a colour means. */
export function recallMap(
  record: RecordView,
  rows: readonly RecallRow[],
  models: readonly string[],
): HTMLElement {
  const sets = [...new Set(rows.map(({ dataset }) => dataset))];
  return chart({
    title: "Recall@1",
    rows,
    height: 30 * models.length + 10,
    description: recallSentence(rows),
    columns: [
      { head: "Model", value: (d) => d.model },
      { head: "Data set", value: (d) => d.dataset },
      { head: "recall@1", value: (d) => d.recall, text: (d) => d.text },
      {
        head: `${confidenceOf(record)} interval`,
        align: "right",
        value: (d) => d.low,
        text: ({ low, high }) =>
          low === null || high === null ? "" : formatInterval(low, high, "ratio"),
      },
      { head: "n", value: (d) => d.n },
    ],
    spec: (colours, width) => ({
      encoding: {
        x: setAxis(sets, width),
        y: modelAxis(models, width),
        tooltip,
      },
      layer: [fields(colours), texts(colours, width)],
    }),
  });
}

function setAxis(sets: readonly string[], width: number): object {
  return {
    field: "dataset",
    type: "nominal",
    sort: sets,
    title: null,
    axis: {
      orient: "top",
      labelAngle: sets.length > 3 && width < 700 ? -40 : 0,
      domain: false,
      ticks: false,
      ...(width < 500 && { labelExpr: "replace(datum.label, 'mini-', '')" }),
    },
  };
}

const modelAxis = (models: readonly string[], width: number): object => ({
  field: "model",
  type: "nominal",
  sort: models,
  title: null,
  axis: { domain: false, ticks: false, labelLimit: width < 500 ? 104 : 220 },
});

const tooltip = [
  { field: "model" },
  { field: "dataset" },
  { field: "recall", type: "quantitative", format: ".4f" },
  { field: "low", type: "quantitative", format: ".4f" },
  { field: "high", type: "quantitative", format: ".4f" },
  { field: "n", type: "quantitative" },
];

const fields = ({ background, ramp }: Palette): object => ({
  mark: { type: "rect", stroke: background, strokeWidth: 2, cornerRadius: 3 },
  encoding: {
    color: {
      field: "recall",
      type: "quantitative",
      scale: { domain: [0, 1], range: ramp, interpolate: "rgb" },
      legend: {
        orient: "bottom",
        direction: "horizontal",
        title: "recall@1 (ratio)",
        gradientLength: 160,
        gradientThickness: 8,
        values: [0, 0.5, 1],
      },
    },
  },
});

const texts = ({ rampTurn, rampText }: Palette, width: number): object => ({
  mark: { type: "text", fontSize: width < 500 ? 9.5 : 11.5 },
  encoding: {
    text: { field: "text" },
    color: {
      condition: { test: `datum.recall > ${rampTurn}`, value: rampText[1] },
      value: rampText[0],
    },
  },
});
