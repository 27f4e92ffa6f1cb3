import { formatInterval, formatMs, formatValue, logTicks } from "../analysis/format.js";
import type { ServerRate } from "../analysis/scenarios.js";
import { chart } from "./chart.js";
import type { Column } from "./data-table.js";
import { seriesScales, type Palette } from "./palette.js";

/** Latency as pictures arrive faster, with the bound that it must keep. */
export function serverScenario(rates: readonly ServerRate[]): HTMLElement {
  const { boundMs, percentile } = rates[0]!;
  return chart({
    title: "Server scenario: latency as pictures arrive faster",
    rows: rates,
    height: 300,
    description:
      `Pictures arrive at random (Poisson) at a given mean rate; the ${percentile}th percentile ` +
      `of the time from arrival to answer must stay below ${formatMs(boundMs)} (the dashed ` +
      `line). ${bestRates(rates)}`,
    columns,
    spec: (colours, width) => spec(rates, colours, width),
  });
}

/** The highest rate of each system that met the bound. */
function bestRates(rates: readonly ServerRate[]): string {
  const met = rates.filter((r) => r.verdict === "met").sort((a, b) => a.rate - b.rate);
  const best = [...new Map(met.map((r) => [r.system, r])).values()];
  if (best.length === 0) return "No rate tried met it.";
  const told = best.map((r) => `${r.system} ${formatValue(r.rate, "per-second")}`);
  return `Highest rate that met it: ${told.join(", ")}.`;
}

const columns: readonly Column<ServerRate>[] = [
  { head: "System", value: (d) => d.system },
  { head: "arrivals", value: (d) => d.rate, text: (d) => formatValue(d.rate, "per-second") },
  { head: "latency", value: (d) => d.ms, text: latencyText },
  { head: "verdict", value: (d) => d.verdict },
  { head: "n", value: (d) => d.n },
];

function latencyText({ ms, low, high }: ServerRate): string {
  const known = low !== null && high !== null;
  return `${formatMs(ms)}${known ? ` (${formatInterval(low, high, "ms")})` : ""}`;
}

const quantitative = { type: "quantitative" };

function spec(
  rates: readonly ServerRate[],
  colours: Palette,
  width: number,
): Record<string, unknown> {
  const scale = seriesScales([...new Set(rates.map((d) => d.system))], colours);
  const legend = { columns: width < 500 ? 1 : 3 };
  const color = { field: "system", type: "nominal", scale: scale.color, legend };
  const [x, y] = [arrivalAxis(rates), latencyAxis(rates)];
  return {
    layer: [
      {
        data: { values: [{}] },
        mark: { type: "rule", strokeDash: [4, 3], color: colours.ink },
        encoding: { y: { datum: rates[0]!.boundMs, ...quantitative } },
      },
      { mark: { type: "line", strokeWidth: 1.5 }, encoding: { x, color, y } },
      {
        mark: { type: "rule", strokeWidth: 1.2 },
        encoding: { x, color, y: { ...y, field: "low" }, y2: { field: "high" } },
      },
      ...verdictMarks(rates, { x, color, y }),
    ],
  };
}

function arrivalAxis(rates: readonly ServerRate[]): object {
  return {
    ...{ field: "rate", ...quantitative },
    title: "arrivals (pictures per second), log",
    scale: { type: "log", nice: false, padding: 16 },
    axis: { format: "~g", values: logTicks(rates.map((d) => d.rate)) },
  };
}

function latencyAxis(rates: readonly ServerRate[]): object {
  const values = rates.flatMap((d) => [d.low ?? d.ms, d.ms, d.high ?? d.ms]);
  return {
    ...{ field: "ms", ...quantitative },
    title: `${rates[0]!.percentile}th percentile (ms), log`,
    scale: { type: "log", nice: false, padding: 10 },
    axis: { format: "~g", values: logTicks(values) },
  };
}

const shape = {
  ...{ field: "verdict", type: "nominal" },
  scale: {
    domain: ["met", "missed", "cannot tell"],
    range: ["circle", "cross", "triangle-up"],
  },
};
const tooltip = [
  { field: "system" },
  { field: "rate", ...quantitative, format: ".1f", title: "arrivals (/s)" },
  { field: "ms", ...quantitative, format: ".1f", title: "latency (ms)" },
  { field: "verdict" },
  { field: "n", ...quantitative },
];

/** Rates that met the bound are filled. */
function verdictMarks(rates: readonly ServerRate[], place: object): object[] {
  const kinds = [true, false].filter((met) => rates.some((d) => (d.verdict === "met") === met));
  return kinds.map((met) => ({
    transform: [{ filter: `(datum.verdict === 'met') === ${met}` }],
    mark: { type: "point", filled: met, size: 90, opacity: 1, strokeWidth: 1.8 },
    encoding: { ...place, shape, tooltip },
  }));
}
