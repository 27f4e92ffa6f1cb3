import { html } from "npm:htl";
import { growthRows, growthTitles } from "../analysis/choice-view.js";
import type { ChoiceView, GrowthFigure, GrowthRow } from "../analysis/choice-view.js";
import { formatBytes, formatMs, formatValue, logTicks } from "../analysis/format.js";
import { chosenRecall, type IndexPick, type IndexPoint } from "../analysis/index-choice.js";
import { valueOf, type CompletedCell } from "../analysis/record-view.js";
import { chart } from "./chart.js";
import { dataTable, type Column } from "./data-table.js";
import { checkbox, limitField, steps } from "./range.js";
import { noteList } from "./runs.js";

/** The limits: recall, time, memory, deletes; each a field with its unit. */
export function limitFields(usable: readonly IndexPoint[], cells: readonly CompletedCell[]) {
  const times = steps(usable.map((p) => p.timeMs!));
  const sizes = steps(usable.map((p) => p.memoryBytes!));
  const memory = cells.some((cell) => valueOf(cell, "memory") !== null) ? "Memory" : "Size";
  return {
    recall: limitField({
      label: `${recallName(usable)}, at least`,
      unit: "ratio",
      steps: Array.from({ length: 101 }, (_, i) => i / 100),
      initial: 0.9,
    }),
    ms: limitField({
      label: "Time of a query, at most",
      unit: "ms",
      steps: times.length > 0 ? times : [0],
      initial: times.at(-1) ?? 0,
    }),
    bytes: limitField({
      label: `${memory}, at most`,
      unit: "MiB",
      steps: sizes.length > 0 ? sizes : [0],
      initial: sizes.at(-1) ?? 0,
      scale: 2 ** 20,
    }),
    remove: checkbox("Must be able to delete entries"),
  };
}

export function recallName(points: readonly IndexPoint[]): string {
  if (chosenRecall(points) === "labelRecall") return "Label recall@1";
  return `Neighbour recall@${points[0]?.neighbours ?? 1}`;
}

/** The pick, its runner-up, and what is to be known of it. */
export function pickCard(
  usable: readonly IndexPoint[],
  { allowed, pick, runnerUp }: IndexPick,
  cells: readonly CompletedCell[],
): HTMLElement {
  if (pick === null)
    return html`<div class="pick none-left" aria-live="polite">
      <span class="name">No index fits</span>
      <p>
        None of the ${usable.length} points keeps all limits. Lower the recall, or allow more time
        or memory.
      </p>
    </div>`;
  const notes = cells.find((c) => c.id === pick.cell)?.notes ?? [];
  const line = (p: IndexPoint): string => sentence(p, usable);
  return html`<div class="pick" aria-live="polite">
    <span class="muted">The fastest of the ${allowed.length} of ${usable.length} that fit</span
    ><br /><span class="name" id="pick">${pick.name}</span>
    <span class="tag">${pick.codes}</span>
    <p>${line(pick)}.</p>
    ${
      runnerUp
        ? html`<p class="muted">
            Runner-up: <strong>${runnerUp.name}</strong>, ${line(runnerUp)}.
          </p>`
        : html`<p class="muted">There is no runner-up within the limits.</p>`
    }
    ${notes.map((note) => html`<p class="problem">${note}</p>`)}
  </div>`;
}

function sentence(p: IndexPoint, usable: readonly IndexPoint[]): string {
  const recall = formatValue(p[chosenRecall(usable)]!, "ratio");
  const built = p.buildMs === null ? "" : `, built in ${formatMs(p.buildMs)}`;
  const costs = `${formatMs(p.timeMs!)} a query, ${formatBytes(p.memoryBytes!)}`;
  const name = recallName(usable);
  return `${name[0]!.toLowerCase()}${name.slice(1)} ${recall}, ${costs}${built}`;
}

type Family = ChoiceView["families"][number];

/** Why each family is not the pick, as `shitu choose` found it. */
export function whyNotTable(choice: ChoiceView): HTMLElement {
  const columns: Column<Family>[] = [
    { head: "Family", value: (d) => d.family },
    { head: "its best", value: (d) => d.best ?? "" },
    { head: "why not", value: (d) => d.why },
  ];
  return dataTable({ caption: "Why not", rows: choice.families, columns, downloads: "why-not" });
}

/** One figure over the number of vectors: what was measured, and what is foretold. */
export function growthCurve(figure: GrowthFigure): HTMLElement {
  const rows = growthRows(figure);
  const { title, axis } = growthTitles[figure.figure] ?? { title: figure.figure, axis: "" };
  const log = figure.figure !== "neighbourRecall";
  const number = (v: number | null): string => (v === null ? "" : String(Number(v.toPrecision(4))));
  return chart<GrowthRow>({
    title: `${title} as the gallery grows`,
    description:
      "Full marks were measured on samples of the gallery and on all of it; pale ones are what " +
      "their law says of sizes beyond it, with the interval of a new measurement.",
    rows,
    height: 220,
    columns: [
      { head: "vectors", value: (d) => d.size },
      { head: axis, value: (d) => d.value, text: (d) => number(d.value) },
      { head: "low", value: (d) => d.low, text: (d) => number(d.low) },
      { head: "high", value: (d) => d.high, text: (d) => number(d.high) },
      { head: "how", value: (d) => d.kind },
    ],
    spec: (c) => ({
      encoding: {
        x: {
          field: "size",
          type: "quantitative",
          title: "vectors (count), log",
          scale: { type: "log", nice: false, padding: 14 },
          axis: { format: "~s", values: logTicks(rows.map((r) => r.size)) },
        },
        y: {
          field: "value",
          type: "quantitative",
          title: log ? `${axis}, log` : axis,
          scale: log ? { type: "log", nice: false, padding: 10 } : { zero: false },
          axis: { format: "~g" },
        },
        opacity: { condition: { test: "datum.kind === 'extrapolated'", value: 0.45 }, value: 1 },
      },
      layer: [
        {
          transform: [{ filter: "isValid(datum.low)" }],
          mark: { type: "rule", color: c.real, strokeWidth: 1.5 },
          encoding: { y: { field: "low" }, y2: { field: "high" } },
        },
        { mark: { type: "point", filled: true, size: 60, color: c.real } },
      ],
    }),
  });
}

/** What the record says of its points, one line a warning. */
export function choiceWarnings(
  cells: readonly CompletedCell[],
  points: readonly IndexPoint[],
): HTMLElement | null {
  const notes = cells.flatMap((cell) =>
    cell.notes.map((note) => ({
      name: points.find((p) => p.cell === cell.id)?.name ?? cell.id,
      note,
    })),
  );
  return notes.length === 0 ? null : noteList(notes);
}
