// Quantiles of times that are taken one after another: how often the interval that records hold
// has the truth, and how often none is given, where neighbouring times are alike, beside order
// statistics that take them as independent.
//
//   npx tsx bench/timing-coverage.ts [draws]
import { normalQuantile } from "../src/eval/stats/distributions.js";
import { quantileRanks } from "../src/eval/stats/quantile.js";
import type { Random } from "../src/eval/stats/random.js";
import { seriesInterval } from "../src/eval/stats/series-quantile.js";
import { writeResult } from "./result.js";
import { correlatedNoise, coverage } from "./verdict-simulation.js";

const draws = Number(process.argv[2] ?? 1000);
const percent = (v: number | null): string => (v === null ? "-" : `${(100 * v).toFixed(1)}%`);

interface Series {
  readonly name: string;
  readonly draw: (random: Random, n: number) => Float64Array;
  /** The true quantile. */
  readonly truth: (q: number) => number;
}

const correlated = [0, 0.3, 0.5, 0.7, 0.9].map((phi): Series => ({
  name: `correlated by ${phi}`,
  draw: (random, n) => correlatedNoise(random, n, phi).map((x) => Math.exp(0.2 * x)),
  truth: (q) => Math.exp(0.2 * normalQuantile(q)),
}));
const bimodal: Series = {
  name: "two speeds, each time drawn",
  draw: (random, n) =>
    Float64Array.from(
      { length: n },
      () => (random.next() < 0.3 ? 2 : 1) * Math.exp(0.02 * random.normal()),
    ),
  // 70% of times are of the fast kind: the median is its 5/7 quantile, and so on.
  truth: (q) =>
    q < 0.7
      ? Math.exp(0.02 * normalQuantile(q / 0.7))
      : 2 * Math.exp(0.02 * normalQuantile((q - 0.7) / 0.3)),
};
const mixed: Series = {
  name: "a slow wave (.95) under fast noise",
  draw: (random, n) =>
    correlatedNoise(random, n, 0.95).map((x) =>
      Math.exp(0.2 * (Math.sqrt(0.3) * x + Math.sqrt(0.7) * random.normal())),
    ),
  truth: (q) => Math.exp(0.2 * normalQuantile(q)),
};

const head = ["n", "quantile", "series", "as used", "given", "independent"];
console.log(head.map((c) => c.padStart(12)).join(" "));
const rows: (string | number)[][] = [];
for (const series of [...correlated, bimodal, mixed])
  for (const n of [100, 200, 1000])
    for (const q of [0.5, 0.9]) {
      const truth = series.truth(q);
      const name = `${series.name} ${n} ${q}`;
      const used = coverage(name, draws, (random) => {
        const found = seriesInterval(series.draw(random, n), q, 0.95);
        return "why" in found ? null : found.low <= truth && truth <= found.high;
      });
      const ranks = quantileRanks(n, q, 0.95)!;
      const plain = coverage(name, draws, (random) => {
        const sorted = series.draw(random, n).sort();
        return sorted[ranks[0] - 1]! <= truth && truth <= sorted[ranks[1] - 1]!;
      });
      const row = [n, q, series.name, percent(used.held), percent(used.given), percent(plain.held)];
      console.log(row.map((c) => String(c).padStart(12)).join(" "));
      rows.push(row);
    }
await writeResult({
  name: "timing-coverage",
  title: "How often intervals of timings hold the truth",
  subject: "latency",
  findings: [`Over ${draws} draws, seeded.`],
  tables: [{ columns: head.map((name) => ({ head: name, unit: "text" as const })), rows }],
});
