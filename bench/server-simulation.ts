// Whether a queue meets its bound: how often the server scenario's verdict is false at the very
// bound, beside LoadGen's rule of counting late queries as if waits were independent; and how often
// it is found where there is room.
//
//   npx tsx bench/server-simulation.ts [draws]
import { boundMet } from "../src/eval/latency/early-stopping.js";
import { judgeQueue, serviceTimes } from "../src/eval/latency/queue-replay.js";
import { sampleQuantile } from "../src/eval/stats/quantile.js";
import { Random } from "../src/eval/stats/random.js";
import { writeResult } from "./result.js";
import { correlatedNoise } from "./verdict-simulation.js";

const draws = Number(process.argv[2] ?? 120);
const percent = (v: number): string => `${(100 * v).toFixed(1)}%`;

type Services = (random: Random, n: number) => Float64Array;
const kinds: Readonly<Record<string, Services>> = {
  exponential: (random, n) => Float64Array.from({ length: n }, () => random.exponential()),
  "nearly constant": (random, n) =>
    Float64Array.from({ length: n }, () => Math.exp(0.1 * random.normal() - 0.005)),
  "correlated by 0.5": (random, n) =>
    correlatedNoise(random, n, 0.5).map((x) => Math.exp(0.3 * x - 0.045)),
  "correlated by 0.9": (random, n) =>
    correlatedNoise(random, n, 0.9).map((x) => Math.exp(0.3 * x - 0.045)),
};

/** Waits and services of one queue, service times of mean 1 s, at so many arrivals a second. */
function served(random: Random, services: Float64Array, qps: number) {
  const n = services.length;
  const arrivalsMs = new Float64Array(n);
  const latenciesMs = new Float64Array(n);
  let [arrival, free] = [0, 0];
  services.forEach((service, i) => {
    arrival += (1000 * random.exponential()) / qps;
    free = Math.max(free, arrival) + 1000 * service;
    arrivalsMs[i] = arrival;
    latenciesMs[i] = free - arrival;
  });
  return { arrivalsMs, latenciesMs };
}

const rows: (string | number)[][] = [];
for (const [name, services] of Object.entries(kinds))
  for (const percentile of [0.9, 0.99])
    for (const load of [0.5, 0.9]) {
      const long = new Random(`truth ${name} ${load}`);
      const { latenciesMs } = served(long, services(long, 1_000_000), load);
      const boundMs = sampleQuantile(latenciesMs.sort(), percentile);
      for (const n of percentile === 0.9 ? [459, 2000] : [459]) {
        const counts = { atBound: 0, missed: 0, counted: 0, withRoom: 0 };
        for (let d = 0; d < draws; d++) {
          const random = new Random(`${name} ${percentile} ${load} ${n} ${d}`);
          const judge = (qps: number) => {
            const queries = served(random, services(random, n), qps);
            const { verdict } = judgeQueue(serviceTimes(queries), { qps, boundMs, percentile }, d);
            const late = queries.latenciesMs.filter((ms) => ms > boundMs).length;
            return { verdict, counted: boundMet(n, late, { percentile }) };
          };
          const { verdict, counted } = judge(load);
          if (verdict === "met") counts.atBound++;
          if (verdict === "missed") counts.missed++;
          if (counted) counts.counted++;
          if (d % 4 === 0 && judge(0.8 * load).verdict === "met") counts.withRoom += 4;
        }
        const shares = [counts.counted, counts.atBound, counts.missed, counts.withRoom];
        const row = [name, 100 * percentile, load, n, ...shares.map((c) => percent(c / draws))];
        console.log(row.map((c) => String(c).padStart(12)).join(" "));
        rows.push(row);
      }
    }
const head = [
  "service times",
  "percentile",
  "load",
  "queries",
  "late counted: false met",
  "false met",
  "false missed",
  "met at 80% of the rate",
];
await writeResult({
  name: "server-simulation",
  title: "How often a server bound is falsely met",
  subject: "latency",
  findings: [`Over ${draws} draws, seeded, at the very rate whose percentile is the bound.`],
  tables: [{ columns: head.map((name) => ({ head: name, unit: "text" as const })), rows }],
});
