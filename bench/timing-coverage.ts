// Quantiles of times that are taken one after another: how often the interval that records hold
// has the truth, and how often none is given, where neighbouring times are alike, beside order
// statistics that take them as independent.
//
//   npx tsx bench/timing-coverage.ts [draws]
import { normalQuantile } from "../src/eval/stats/distributions.js";
import { quantileRanks } from "../src/eval/stats/quantile.js";
import type { Random } from "../src/eval/stats/random.js";
import { groupedInterval, seriesInterval } from "../src/eval/stats/series-quantile.js";
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
// The times of a model: 40 blocks of 5, on pictures that come again.
const shape = { blocks: 40, each: 5 };
const blockHead = ["block", "block to block", "picture", "pictures", "quantile", "held", "given"];
const blockRows: (string | number)[][] = [];
for (const [block, phi, picture, pictures] of [
  [0, 0, 0, 48],
  [0.5, 0, 0, 48],
  [1, 0, 0, 48],
  [0.5, 0.5, 0, 48],
  [0.5, 0.9, 0, 48],
  [0, 0, 1, 48],
  [0, 0, 1, 16],
  [0.7, 0.3, 0.7, 48],
] as const)
  for (const q of [0.5, 0.9]) {
    const n = shape.blocks * shape.each;
    const blocks = Int32Array.from({ length: n }, (_, i) => Math.floor(i / shape.each));
    const items = Int32Array.from({ length: n }, (_, i) => i % pictures);
    const truth = Math.sqrt(1 + block ** 2 + picture ** 2) * normalQuantile(q);
    const found = coverage(
      `blocks ${block} ${phi} ${picture} ${pictures} ${q}`,
      draws,
      (random) => {
        const speeds = correlatedNoise(random, shape.blocks, phi);
        const own = Float64Array.from({ length: pictures }, () => random.normal());
        const samples = Float64Array.from(
          { length: n },
          (_, i) => random.normal() + block * speeds[blocks[i]!]! + picture * own[items[i]!]!,
        );
        const interval = groupedInterval(samples, q, 0.95, { blocks, items });
        return "why" in interval ? null : interval.low <= truth && truth <= interval.high;
      },
    );
    const row = [block, phi, picture, pictures, q, percent(found.held), percent(found.given)];
    console.log(row.map((c) => String(c).padStart(12)).join(" "));
    blockRows.push(row);
  }

const text = (names: readonly string[]) =>
  names.map((name) => ({ head: name, unit: "text" as const }));
await writeResult({
  name: "timing-coverage",
  title: "How often intervals of timings hold the truth",
  subject: "latency",
  findings: [
    `Over ${draws} draws, seeded. Second table: times of a model in 40 blocks of 5, spread of ` +
      "blocks and of pictures over that of a single time.",
  ],
  tables: [
    { columns: text(head), rows },
    { columns: text(blockHead), rows: blockRows },
  ],
});
