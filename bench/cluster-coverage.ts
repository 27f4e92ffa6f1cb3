// Shares and paired differences of items that come in clusters of alike ones: coverage of the
// intervals that records hold, beside those that take items as independent, and false alarms and
// power of the paired test.
//
//   npx tsx bench/cluster-coverage.ts [draws]
import { clusteredPair, clusteredShare } from "../src/eval/stats/clusters.js";
import { wilsonInterval } from "../src/eval/stats/proportion.js";
import { writeResult } from "./result.js";
import { alikeHits, clustersOf, coverage, share, type Coverage } from "./verdict-simulation.js";

const draws = Number(process.argv[2] ?? 2000);
const percent = (v: number | null): string => (v === null ? "-" : `${(100 * v).toFixed(1)}%`);

const shares: string[][] = [];
const all: Coverage[] = [];
for (const n of [20, 200, 2000])
  for (const size of [1, 4, 8])
    for (const alike of size === 1 ? [0] : [0, 0.3, 0.8])
      for (const p of [0.01, 0.5, 0.9, 0.99, 1]) {
        const population = { n, size, p, alike };
        const name = `share ${JSON.stringify(population)}`;
        const clusters = clustersOf(n, size);
        const used = coverage(name, draws, (random) => {
          const limits = clusteredShare(alikeHits(random, population), clusters, 0.95);
          return limits && limits.low <= p && p <= limits.high;
        });
        const plain = coverage(name, draws, (random) => {
          const hits = alikeHits(random, population).reduce((s, v) => s + v, 0);
          const { low, high } = wilsonInterval(hits, n);
          return low <= p && p <= high;
        });
        all.push(used);
        shares.push([n, size, alike, p, percent(used.held), percent(plain.held)].map(String));
      }

const pairs: string[][] = [];
for (const size of [1, 4, 8])
  for (const [effect, what] of [
    [0, "false alarms"],
    [0.1, "found, of 10 points"],
  ] as const) {
    const clusters = clustersOf(200, size);
    const judged = (random: Parameters<typeof alikeHits>[0]) =>
      clusteredPair(
        alikeHits(random, { n: 200, size, p: 0.7 + effect, alike: size === 1 ? 0 : 0.8 }),
        alikeHits(random, { n: 200, size, p: 0.7, alike: size === 1 ? 0 : 0.8 }),
        clusters,
        0.95,
      )!;
    const name = `pair ${size} ${effect}`;
    pairs.push([
      String(size),
      what,
      percent(share(name, draws, (random) => judged(random).p < 0.05)),
      percent(
        share(name, draws, (random) => {
          const { low, high } = judged(random).interval;
          return low <= effect && effect <= high;
        }),
      ),
    ]);
  }

const print = (head: string[], rows: string[][]): void => {
  for (const row of [head, ...rows]) console.log(row.map((c) => c.padStart(12)).join(" "));
  console.log();
};
print(["n", "cluster", "alike by", "p", "as used", "by item"], shares);
print(["cluster", "", "test at 5%", "interval"], pairs);
console.log(`least coverage as used: ${percent(Math.min(...all.map((c) => c.held ?? 1)))}`);
await writeResult({
  name: "cluster-coverage",
  title: "How often intervals over clusters hold the truth",
  subject: "intervals",
  findings: [`Over ${draws} draws, seeded.`],
  tables: [
    {
      columns: ["n", "cluster", "alike by", "p", "as used", "by item"].map((head) => ({
        head,
        unit: "text" as const,
      })),
      rows: shares,
    },
    {
      columns: ["cluster", "", "test at 5%", "interval"].map((head) => ({
        head,
        unit: "text" as const,
      })),
      rows: pairs,
    },
  ],
});
