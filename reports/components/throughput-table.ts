import { html } from "npm:htl";
import { formatInterval, formatValue } from "../analysis/format.js";
import type { OtherScore } from "../analysis/latency-rows.js";
import { dataTable, type Column } from "./data-table.js";
import { scoreNode } from "./score-columns.js";

type Scores = ReadonlyMap<string, OtherScore["score"]>;
interface Row {
  readonly what: string;
  readonly bySystem: Scores;
}

/** Throughput, scenarios and resources: a line a measure, a column a system. */
export function throughputTable(scores: readonly OtherScore[]): HTMLElement {
  const systems = [...new Set(scores.map((d) => d.system))];
  const rows = [...new Set(scores.map((d) => d.what))].map((what): Row => {
    const own = scores.filter((d) => d.what === what).reverse();
    return { what, bySystem: new Map(own.map((d) => [d.system, d.score])) };
  });
  return dataTable({
    caption: "Throughput, scenarios and resources",
    rows,
    downloads: "throughput",
    limit: 60,
    columns: [{ head: "What", value: (d) => d.what }, ...systems.map(systemColumn)],
  });
}

function systemColumn(system: string): Column<Row> {
  return {
    head: system,
    align: "right",
    value: ({ bySystem }) => bySystem.get(system)?.value ?? null,
    text: ({ bySystem }) => scoreText(bySystem.get(system)),
    show: ({ bySystem }) => countedScore(bySystem.get(system)),
  };
}

function scoreText(score: OtherScore["score"] | undefined): string {
  if (score === undefined) return "";
  if (score.value === null) return score.why;
  const { interval, unit, n } = score;
  const within = interval ? ` (${formatInterval(interval.low, interval.high, unit)})` : "";
  return `${formatValue(score.value, unit)}${within}, n = ${n}`;
}

function countedScore(score: OtherScore["score"] | undefined): HTMLElement {
  if (score === undefined) return html`<span class="score">${scoreNode(score)}</span>`;
  if (score.value === null)
    return html`<span class="score why"><span class="interval">${score.why}</span></span>`;
  return html`<span class="score"
    >${scoreNode(score)}<span class="interval">n = ${score.n.toLocaleString("en-US")}</span></span
  >`;
}
