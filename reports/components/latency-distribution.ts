import { html } from "npm:htl";
import { formatInterval, formatMs, logTicks } from "../analysis/format.js";
import type { Percentiles, StageSamples } from "../analysis/latency-rows.js";
import { confidenceOf, type RecordView } from "../analysis/record-view.js";
import { chart } from "./chart.js";
import { dataTable, type Column } from "./data-table.js";
import { lineLegend, seriesScales, type Palette } from "./palette.js";
import { scoreNode } from "./score-columns.js";

interface Quantile {
  readonly system: string;
  readonly percent: number;
  readonly ms: number;
  readonly n: number;
}

/** The share of a stage's samples that took at most so long, a line a system. */
export function latencyDistribution(stage: string, samples: readonly StageSamples[]): HTMLElement {
  const rows = samples.flatMap(({ system, n, quantiles }) =>
    quantiles.map((ms, percent): Quantile => ({ system, percent, ms, n })),
  );
  return chart({
    title: `Distribution of ${stage}`,
    rows,
    height: 280,
    description:
      "Share of the samples that took at most so long; a steep line is a steady time. " +
      `${samples.map(spread).join("; ")}.`,
    columns: [
      { head: "System", value: (d) => d.system },
      { head: "percentile", value: (d) => d.percent },
      { head: "time", value: (d) => d.ms, text: (d) => formatMs(d.ms) },
      { head: "n", value: (d) => d.n },
    ],
    spec: (colours, width) => stepLines(rows, colours, width),
  });
}

function spread({ system, n, quantiles }: StageSamples): string {
  const [half, most] = [formatMs(quantiles[50]!), formatMs(quantiles[last]!)];
  const count = n.toLocaleString("en-US");
  return `${system}: half within ${half}, 99 of 100 within ${most} (n = ${count})`;
}

/** The slowest of a hundred would stretch the axis over everything else: the table has it. */
const last = 99;

function stepLines(
  rows: readonly Quantile[],
  colours: Palette,
  width: number,
): Record<string, unknown> {
  const names = [...new Set(rows.map(({ system }) => system))];
  const scale = seriesScales(names, colours);
  const system = { field: "system", type: "nominal" };
  const shown = rows.filter(({ percent }) => percent <= last);
  const time = {
    field: "ms",
    type: "quantitative",
    title: "time (ms), log, to the 99th percentile",
  };
  const ticks = logTicks(shown.map(({ ms }) => ms));
  return {
    data: { values: shown },
    mark: { type: "line", interpolate: "step-after", strokeWidth: 2 },
    encoding: {
      x: { ...time, scale: { type: "log", nice: false }, axis: { format: "~g", values: ticks } },
      y: { field: "percent", type: "quantitative", title: "share of samples (%)" },
      color: { ...system, scale: scale.color, legend: lineLegend(width) },
      strokeDash: { ...system, scale: scale.strokeDash, legend: lineLegend(width) },
    },
  };
}

/** The percentiles of one stage, those of all stages behind them. */
export function percentileTables(
  record: RecordView,
  stage: string,
  rows: readonly Percentiles[],
): HTMLElement {
  const own = rows.filter((row) => row.stage === stage);
  return html`<div>
    ${percentileTable(`Percentiles of ${stage}`, own, rows)}
    <p class="note-line">
      Below each value its distribution-free ${confidenceOf(record)} interval, where the samples are
      enough for one.
    </p>
    <details class="as-table">
      <summary>All stages (${rows.length} rows)</summary>
      ${percentileTable("Percentiles by system and stage", rows, rows, "latency")}
    </details>
  </div>`;
}

export function percentileTable(
  caption: string,
  rows: readonly Percentiles[],
  all: readonly Percentiles[],
  downloads?: string,
): HTMLElement {
  const percentiles = [...new Set(all.flatMap(({ scores }) => [...scores.keys()]))];
  return dataTable({
    caption,
    rows,
    ...(downloads !== undefined && { downloads }),
    limit: 60,
    columns: [
      { head: "System", value: (d) => d.system },
      { head: "Stage", value: (d) => d.stage },
      ...percentiles.map(percentileColumn),
      { head: "n", value: (d) => d.n, text: (d) => d.n?.toLocaleString("en-US") ?? "" },
    ],
  });
}

const percentileHeads: Readonly<Record<string, string>> = { mean: "mean", 50: "median" };

function percentileColumn(percentile: string): Column<Percentiles> {
  return {
    head: percentileHeads[percentile] ?? `${percentile}th percentile`,
    align: "right",
    value: ({ scores }) => scores.get(percentile)?.value ?? null,
    text: ({ scores }) => {
      const score = scores.get(percentile);
      if (score === undefined || score.value === null) return "";
      const { interval } = score;
      const within = interval ? ` (${formatInterval(interval.low, interval.high, "ms")})` : "";
      return `${formatMs(score.value)}${within}`;
    },
    show: ({ scores }) => scoreNode(scores.get(percentile)),
  };
}
