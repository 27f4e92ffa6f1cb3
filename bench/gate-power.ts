// What a gate's verdicts are worth, by simulation: seeded repetitions of two equal models (false
// alarms), of a loss that is the limit itself (false passes) and of one that is twice the limit
// (power); then how many items a limit needs.
//
//   npx tsx bench/gate-power.ts [repetitions]
import { itemsNeeded } from "../src/eval/gate/non-inferiority.js";
import { judgeLimit } from "../src/eval/gate/limits.js";
import { measureNamed, type Finding } from "../src/eval/gate/measures.js";
import { pairedMeans, pairedStatistics, rightsAndWrongs } from "../src/eval/gate/paired.js";
import type { CocoMatches } from "../src/eval/metrics/coco/coco.js";
import { apStatistic } from "../src/eval/metrics/coco/coco-resample.js";
import { Random } from "../src/eval/stats/random.js";
import { drawPair, dropFor, type PairedPopulation } from "./detector-pairs.js";
import { writeResult } from "./result.js";

const repetitions = Number(process.argv[2] ?? 400);
const level = 0.95;
const options = { dataset: "drawn", level, clusters: "label" } as const;

interface Case {
  readonly name: string;
  readonly measure: string;
  readonly limit: number;
  readonly items: number;
  /** One repetition with a true loss. */
  find(loss: number, random: Random): Finding;
}

/**
 * Rights and wrongs: a share of the items flips to either side, and as many more are lost. Items of
 * a label are alike: where one flips, the others of its label do too, by the chance `alike`.
 */
function shares(
  limit: number,
  flipping: number,
  items: number,
  { size = 1, alike = 0 }: { size?: number; alike?: number } = {},
): Case {
  const answer = (right: boolean) => ({ right, said: null, failed: false });
  const clusters = size === 1 ? "" : `, ${size} a label`;
  return {
    name: `recall@1, ${100 * flipping}% flip${clusters}`,
    measure: "recall@1",
    limit,
    items,
    find(loss, random) {
      let shown = 0;
      const judged = Array.from({ length: items }, (_, i) => {
        if (i % size === 0 || random.next() >= alike) shown = random.next();
        const lost = shown < flipping / 2;
        const gained = !lost && shown < flipping;
        const worse = shown >= flipping && shown < flipping + loss;
        return {
          item: String(i),
          image: null,
          truth: String(Math.floor(i / size)),
          baseline: answer(!gained),
          candidate: answer(!lost && !worse),
        };
      });
      return rightsAndWrongs("recall@1", judged, options);
    },
  };
}

/** One number an item, skewed as average precisions are, by the paired bootstrap. */
function means(limit: number, spread: number, items: number): Case {
  return {
    name: `mAP, differences of ${spread}`,
    measure: "mAP",
    limit,
    items,
    find(loss, random) {
      const pairs = Array.from({ length: items }, () => {
        const baseline = random.next() ** 2;
        // Few items change, and those by much.
        const change = random.next() < 0.2 ? random.normal() * spread * Math.sqrt(5) : 0;
        return { baseline, candidate: baseline - loss + change, label: null };
      });
      return pairedMeans("mAP", pairs, options);
    },
  };
}

const apOf = (matches: CocoMatches): number =>
  apStatistic(matches).evaluate(new Uint32Array(matches.images).fill(1))!;

/** COCO AP of two detectors on the same pictures. */
function detectors(limit: number, items: number, population: PairedPopulation): Case {
  const drops = new Map<number, number>();
  return {
    name: `AP, ${100 * population.redrawn}% of the boxes differ`,
    measure: "AP",
    limit,
    items,
    find(loss, random) {
      const drop = drops.get(loss) ?? dropFor(loss, population, apOf);
      drops.set(loss, drop);
      const [baseline, candidate] = drawPair(random, items, { ...population, drop });
      return pairedStatistics("AP", apStatistic(baseline), apStatistic(candidate), options);
    },
  };
}

/** Items by which a loss of twice the limit fails in 95 of 100 samples, and a bit more. */
const enough = (limit: number, deviation: number): number =>
  Math.ceil(((1.645 + 1.645) * deviation) ** 2 / limit ** 2) + 50;

const cases = [
  shares(0.01, 0.02, enough(0.01, Math.sqrt(0.04))),
  shares(0.02, 0.04, enough(0.02, Math.sqrt(0.08))),
  shares(0.05, 0.1, enough(0.05, Math.sqrt(0.2))),
  shares(0.02, 0.04, 300),
  // Alike by 0.5, four of a label are worth 4 / 1.9 independent ones.
  shares(0.05, 0.1, Math.ceil(2.2 * enough(0.05, Math.sqrt(0.2))), { size: 4, alike: 0.5 }),
  means(0.02, 0.1, enough(0.02, 0.1)),
  detectors(0.03, 300, { redrawn: 0.1 }),
];

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
const columns = [
  "measure",
  "limit",
  "items",
  "equal: fail",
  "equal: pass",
  "loss = limit: pass",
  "loss = 2 x limit: fail",
];
const print = (cells: readonly (string | number)[]): void =>
  console.log(`| ${cells.join(" | ")} |`);

print(columns);
print(["---", "--:", "--:", "--:", "--:", "--:", "--:"]);
const rows: (string | number)[][] = [];
for (const { name, measure, limit, items, find } of cases) {
  const verdicts = (loss: number): string[] =>
    Array.from({ length: repetitions }, (_, i) => {
      const finding = find(loss, new Random(`${name} ${loss}`).split(i));
      return judgeLimit(measureNamed(measure), limit, finding, level).verdict;
    });
  const share = (list: readonly string[], verdict: string): number =>
    list.filter((v) => v === verdict).length / list.length;
  const [equal, same, twice] = [verdicts(0), verdicts(limit), verdicts(2 * limit)];
  const found = [
    share(equal, "fail"),
    share(equal, "pass"),
    share(same, "pass"),
    share(twice, "fail"),
  ];
  print([name, limit, items, ...found.map(percent)]);
  rows.push([name, limit, items, ...found]);
}

const flips = [0.01, 0.02, 0.05, 0.1, 0.2];
console.log();
print(["limit", ...flips.map((f) => `${100 * f}% flip`)]);
print(["--:", ...flips.map(() => "--:")]);
const needs = [0.005, 0.01, 0.02, 0.03, 0.05].map((limit) => [
  limit,
  ...flips.map((share) => itemsNeeded(limit, share)),
]);
for (const [limit, ...items] of needs)
  print([limit!, ...items.map((n) => n.toLocaleString("en-US"))]);

await writeResult({
  name: "gate-power",
  title: "What the verdicts of a gate are worth",
  subject: "intervals",
  findings: [
    `Over ${repetitions} seeded repetitions. A pass at the limit should happen in 5% of them.`,
  ],
  tables: [
    {
      columns: columns.map((head, i) => ({
        head,
        unit: i === 0 ? "text" : i === 1 ? "ratio" : i === 2 ? "count" : "share",
      })),
      rows,
    },
    {
      caption: "Items by which an equal candidate passes in 8 of 10 samples",
      columns: [
        { head: "limit", unit: "ratio" },
        ...flips.map((f) => ({ head: `${100 * f}% flip`, unit: "count" as const })),
      ],
      rows: needs,
    },
  ],
});
