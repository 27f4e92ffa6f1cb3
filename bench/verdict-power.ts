// How often the verdicts on times are right, as they are used: each with the noise certificate of
// the same rounds. Systems that differ by a true share, independent noise.
//
//   npx tsx bench/verdict-power.ts [draws]
import { judge, ratioOf } from "../src/eval/latency/comparison.js";
import { certify } from "../src/eval/latency/noise-certificate.js";
import { Random } from "../src/eval/stats/random.js";
import { writeResult } from "./result.js";

const draws = Number(process.argv[2] ?? 500);
const relevant = 0.05;
const cases = [
  { rounds: 300, noise: 0.08, change: 0 },
  { rounds: 300, noise: 0.08, change: 0.05 },
  { rounds: 300, noise: 0.08, change: 0.1 },
  { rounds: 100, noise: 0.08, change: 0 },
  { rounds: 100, noise: 0.08, change: 0.05 },
  { rounds: 15, noise: 0.3, change: 0 },
  { rounds: 15, noise: 0.3, change: 0.05 },
] as const;
const verdicts = ["slower", "faster", "same", "cannot tell"] as const;

const rows = cases.map(({ rounds, noise, change }) => {
  const random = new Random(`power ${rounds} ${noise} ${change}`);
  const counts = new Map<string, number>();
  const times = (speed: number): Float64Array =>
    Float64Array.from({ length: rounds }, () => 10 * speed * Math.exp(noise * random.normal()));
  for (let d = 0; d < draws; d++) {
    const [once, again, other] = [times(1), times(1), times(1 + change)];
    const certificate = certify(once, again, {
      durationMs: 1000,
      load: { before: null, after: null },
    });
    const { verdict } = judge(ratioOf(once, other), relevant, certificate);
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  const shares = verdicts.map((v) => `${((100 * (counts.get(v) ?? 0)) / draws).toFixed(1)}%`);
  return [rounds, `${100 * noise}%`, `${100 * change}%`, ...shares];
});
for (const row of rows) console.log(row.map((c) => String(c).padStart(12)).join(" "));
const head = ["rounds", "noise", "true change", ...verdicts];
await writeResult({
  name: "verdict-power",
  title: "How often the verdicts on times are right",
  subject: "latency",
  findings: [
    `Over ${draws} draws a row, seeded; each verdict with the certificate of the same rounds.`,
  ],
  tables: [{ columns: head.map((name) => ({ head: name, unit: "text" as const })), rows }],
});
