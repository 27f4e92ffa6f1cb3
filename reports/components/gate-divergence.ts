import { html } from "npm:htl";
import {
  divergencePoints,
  divergenceSentence,
  mostDb,
  type DivergencePoint,
  type GateView,
} from "../analysis/gate-view.js";
import { chart } from "./chart.js";

/** Where the two graphs part, value by value; a sentence where they were not compared. */
export function divergence({ document }: GateView): HTMLElement | null {
  if (document.diagnosis === null) return null;
  const rows = divergencePoints(document);
  const floor = document.diagnosis.layers?.floorDb ?? 0;
  if (rows.length === 0) return html`<p class="muted">${divergenceSentence(document)}</p>`;
  return chart<DivergencePoint>({
    title: "Where the graphs part",
    description: divergenceSentence(document),
    rows,
    note: `Agreement above ${mostDb} dB is drawn there: it is rounding.`,
    columns: [
      { head: "Place", value: (p) => p.place },
      { head: "Operator", value: (p) => p.operator },
      { head: "Value", value: (p) => p.value },
      { head: "dB", value: (p) => p.db, text: (p) => p.db.toFixed(1) },
    ],
    spec: (colours) => ({
      layer: [
        {
          mark: { type: "point", filled: true, size: 28, tooltip: true },
          encoding: {
            x: { field: "place", type: "quantitative", title: "order of computation (values)" },
            y: { field: "db", type: "quantitative", title: "signal to noise (dB)" },
            shape: { field: "kind", type: "nominal", title: null },
            color: {
              field: "kind",
              type: "nominal",
              title: null,
              scale: {
                domain: ["as usual", "below the floor", "first below the floor"],
                range: [colours.category[0], colours.category[1], colours.miss],
              },
            },
          },
        },
        {
          data: { values: [{ floor }] },
          mark: { type: "rule", strokeDash: [4, 3], color: colours.muted },
          encoding: { y: { field: "floor", type: "quantitative" } },
        },
      ],
    }),
  });
}
