// How often do intervals that promise 95% hold the truth, and tests at 5% raise a false alarm?
// Draws from populations whose truth is known.
//
//   npx tsx bench/interval-coverage.ts [draws]
//
// Prints a table; 10,000 draws unless told, seeded: the same figures on every machine. The tests
// run the same scenarios with 2,000.
import type { Interval } from "../src/eval/types.js";
import { earlyStoppingEstimate } from "../src/eval/latency/early-stopping.js";
import { certify } from "../src/eval/latency/noise-certificate.js";
import { mcnemar } from "../src/eval/stats/mcnemar.js";
import { exactInterval, wilsonInterval } from "../src/eval/stats/proportion.js";
import { quantileRanks } from "../src/eval/stats/quantile.js";
import type { Random } from "../src/eval/stats/random.js";
import {
  bootstrapScenarios,
  simulate,
  type Scenario,
} from "../test/eval/stats/coverage-scenarios.js";
import { macroScenario } from "../test/eval/metrics/f1-macro-scenario.js";
import { writeResult } from "./result.js";

const draws = Number(process.argv[2] ?? 10_000);

const count = (random: Random, n: number, p: number): number => {
  let k = 0;
  for (let i = 0; i < n; i++) if (random.next() < p) k++;
  return k;
};
const inside = ({ low, high }: Interval, truth: number): boolean => low <= truth && truth <= high;

function proportion(p: number, n: number): Scenario {
  return {
    name: `a proportion of ${p}, n = ${n}`,
    intervals: ["Wilson", "Clopper-Pearson"],
    draw(random) {
      const k = count(random, n, p);
      return {
        Wilson: inside(wilsonInterval(k, n), p),
        "Clopper-Pearson": inside(exactInterval(k, n), p),
      };
    },
  };
}

/**
 * An interval for whole numbers of hits cannot hold its level at every p; this is its mean over p
 * and n.
 */
const anyProportion: Scenario = {
  name: "a proportion drawn from 0.02 to 0.98, n from 30 to 429",
  intervals: ["Wilson", "Clopper-Pearson"],
  draw(random) {
    const p = 0.02 + 0.96 * random.next();
    const n = 30 + random.below(400);
    const k = count(random, n, p);
    return {
      Wilson: inside(wilsonInterval(k, n), p),
      "Clopper-Pearson": inside(exactInterval(k, n), p),
    };
  },
};

function quantile(q: number, n: number): Scenario {
  const ranks = quantileRanks(n, q)!;
  return {
    name: `the ${100 * q}th percentile, n = ${n}`,
    intervals: ["order statistics"],
    draw(random) {
      const below = count(random, n, q);
      return { "order statistics": below >= ranks[0] && below < ranks[1] };
    },
  };
}

const others: Scenario[] = [
  anyProportion,
  ...[
    [0.05, 200],
    [0.5, 200],
    [0.97, 200],
    [0.9, 30],
  ].map(([p, n]) => proportion(p!, n!)),
  ...[
    [0.5, 100],
    [0.9, 400],
    [0.99, 1500],
  ].map(([q, n]) => quantile(q!, n!)),
  {
    name: "two equal systems, 300 items, 20% discordant",
    intervals: ["Bonett-Price"],
    alarms: ["McNemar mid-p", "McNemar exact"],
    draw(random) {
      let onlyFirst = 0;
      let onlySecond = 0;
      for (let i = 0; i < 300; i++) {
        const u = random.next();
        if (u < 0.1) onlyFirst++;
        else if (u < 0.2) onlySecond++;
      }
      const outcome = { n: 300, onlyFirst, onlySecond };
      const mid = mcnemar(outcome)!;
      return {
        "Bonett-Price": inside(mid.interval, 0),
        "McNemar mid-p": mid.p <= 0.05,
        "McNemar exact": mcnemar(outcome, { test: "mcnemar-exact" })!.p <= 0.05,
      };
    },
  },
  {
    name: "A/A self-test, 100 rounds with spikes",
    intervals: ["certificate"],
    draw(random) {
      const sample = (): number =>
        Math.exp(0.05 * random.normal()) * (random.next() < 1 / 30 ? 1 + 3 * random.next() : 1);
      const once = Float64Array.from({ length: 100 }, sample);
      return {
        certificate: certify(once, Float64Array.from({ length: 100 }, sample), {
          durationMs: 0,
          load: { before: null, after: null },
        }).passed,
      };
    },
  },
  {
    name: "LoadGen's p90 estimate, 300 queries: above the truth (99% promised)",
    intervals: ["early stopping"],
    draw: (random) => ({
      "early stopping":
        earlyStoppingEstimate(
          Float64Array.from({ length: 300 }, () => random.exponential()),
          { percentile: 0.9 },
        ).value! >= Math.log(10),
    }),
  },
  macroScenario(10, 300),
  macroScenario(40, 400),
  macroScenario(50, 200),
  macroScenario(50, 100),
];

console.log(
  `| population | interval or test | nominal | measured over ${draws} draws |\n|---|---|--:|--:|`,
);
const rows: [string, string, number, number][] = [];
for (const { name, intervals, tooNarrow = [], alarms = [], draw } of [
  ...others,
  ...bootstrapScenarios,
]) {
  const shares = simulate(draws, draw);
  for (const key of [...intervals, ...tooNarrow, ...alarms]) {
    const nominal = promised(key, alarms);
    const shown = `${key}${tooNarrow.includes(key) ? " (not used here)" : ""}`;
    console.log(`| ${name} | ${shown} | ${100 * nominal}% | ${(100 * shares[key]!).toFixed(1)}% |`);
    rows.push([name, shown, nominal, shares[key]!]);
  }
}
await writeResult({
  name: "interval-coverage",
  title: "How often intervals hold the truth",
  subject: "intervals",
  findings: [
    `Over ${draws} draws, seeded. "Not used here" shows why the interval that is used was chosen.`,
  ],
  tables: [
    {
      columns: [
        { head: "population", unit: "text" },
        { head: "", unit: "text" },
        { head: "nominal", unit: "share" },
        { head: "measured", unit: "share" },
      ],
      rows,
    },
  ],
});

/** The share of draws that an interval is to hold the truth in, or a test to raise an alarm in. */
function promised(key: string, alarms: readonly string[]): number {
  if (alarms.includes(key)) return 0.05;
  return key === "early stopping" ? 0.99 : 0.95;
}
