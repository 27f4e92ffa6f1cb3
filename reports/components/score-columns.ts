import { html } from "npm:htl";
import { formatInterval, formatValue } from "../analysis/format.js";
import { metricName, scoreOf, type CompletedCell } from "../analysis/record-view.js";
import type { Column } from "./data-table.js";

/** A value with its interval small beneath it, or a dash that says why there is none. */
export function scoreNode(score: ReturnType<typeof scoreOf>): HTMLElement {
  if (score === undefined) return html`<span class="none">–</span>`;
  if (score.value === null)
    return html`<span class="none" title="${score.why}"
      >–<span class="only-read"> ${score.why}</span></span
    >`;
  const { value, unit, interval } = score;
  const within = interval === null ? null : formatInterval(interval.low, interval.high, unit);
  return html`<span class="score"
    ><span class="value">${formatValue(value, unit)}</span>${
      within === null ? null : html`<span class="interval">${within}</span>`
    }</span
  >`;
}

/** A column of one score of a cell. */
export function scoreColumn(
  metric: string,
  of: Readonly<Record<string, string>> = {},
  head: string = metricName({ metric, of }),
): Column<CompletedCell> {
  const find = (cell: CompletedCell): ReturnType<typeof scoreOf> => scoreOf(cell, metric, of);
  return {
    head,
    metric,
    align: "right",
    value: (cell) => find(cell)?.value ?? null,
    text: (cell) => {
      const score = find(cell);
      if (score === undefined || score.value === null) return "";
      return score.interval === null
        ? formatValue(score.value, score.unit)
        : `${formatValue(score.value, score.unit)} ` +
            `(${formatInterval(score.interval.low, score.interval.high, score.unit)})`;
    },
    show: (cell) => scoreNode(find(cell)),
  };
}

export function labelColumn(label: string, head: string = label): Column<CompletedCell> {
  return {
    head,
    value: (cell) => cell.labels[label] ?? null,
    text: (cell) => cell.labels[label] ?? "",
  };
}

/** How many items a score is over. */
export function countColumn(metric: string, head = "n"): Column<CompletedCell> {
  const n = (cell: CompletedCell): number | null => {
    const score = scoreOf(cell, metric);
    return score !== undefined && score.value !== null ? score.n : null;
  };
  return { head, value: n, text: (cell) => n(cell)?.toLocaleString("en-US") ?? "", align: "right" };
}
