import { judgeLoss, pairedDifference } from "../src/eval/gate/non-inferiority.js";
import { itemsNeeded } from "../src/eval/gate/non-inferiority.js";
import { pairedStatistics } from "../src/eval/gate/paired.js";
import { judgeLimit } from "../src/eval/gate/limits.js";
import { measureNamed } from "../src/eval/gate/measures.js";
import { Random } from "../src/eval/stats/random.js";
import { meanStatistic } from "../src/eval/stats/resampled-statistic.js";

/**
 * What a gate's verdicts are worth, by simulation: 400 seeded repetitions each of two equal models
 * (false alarms), of a loss that is the limit itself (false passes) and of one that is twice the
 * limit (power). Prints Markdown.
 */
const repetitions = 400;
const level = 0.95;

interface Case {
  readonly name: string;
  readonly limit: number;
  readonly items: number;
  /** One repetition with a true loss: its verdict. */
  judge(loss: number, random: Random): string;
}

/** Rights and wrongs: a share of the items flips to either side, and as many more are lost. */
function shares(limit: number, flipping: number, items: number): Case {
  return {
    name: `recall@1, ${100 * flipping}% flip`,
    limit,
    items,
    judge(loss, random) {
      let onlyFirst = 0;
      let onlySecond = 0;
      for (let i = 0; i < items; i++) {
        const place = random.next();
        if (place < flipping / 2) onlyFirst++;
        else if (place < flipping + loss) onlySecond++;
      }
      return judgeLoss(pairedDifference({ n: items, onlyFirst, onlySecond }, level)!, limit);
    },
  };
}

/** One number an item, skewed as average precisions are, by the paired bootstrap. */
function means(limit: number, spread: number, items: number): Case {
  const measure = measureNamed("mAP");
  return {
    name: `mAP, differences of ${spread}`,
    limit,
    items,
    judge(loss, random) {
      const first = Array.from({ length: items }, () => random.next() ** 2);
      const second = first.map((v) => {
        // Few items change, and those by much.
        const change = random.next() < 0.2 ? random.normal() * spread * Math.sqrt(5) : 0;
        return v - loss + change;
      });
      const options = { dataset: "drawn", level };
      const found = pairedStatistics("mAP", meanStatistic(first), meanStatistic(second), options);
      return judgeLimit(measure, limit, found, level).verdict;
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
  means(0.02, 0.1, enough(0.02, 0.1)),
];

const percent = (list: readonly string[], verdict: string): string =>
  `${((100 * list.filter((v) => v === verdict).length) / list.length).toFixed(1)}%`;

const heads = ["measure", "limit", "items", "equal: fail", "equal: pass"];
console.log(`| ${heads.join(" | ")} | loss = limit: pass | loss = 2 x limit: fail |`);
console.log("|---|--:|--:|--:|--:|--:|--:|");
for (const { name, limit, items, judge } of cases) {
  const run = (loss: number): string[] =>
    Array.from({ length: repetitions }, (_, i) =>
      judge(loss, new Random(`${name} ${loss}`).split(i)),
    );
  const [equal, same, twice] = [run(0), run(limit), run(2 * limit)];
  const shares = [
    percent(equal, "fail"),
    percent(equal, "pass"),
    percent(same, "pass"),
    percent(twice, "fail"),
  ];
  console.log(`| ${[name, limit, items, ...shares].join(" | ")} |`);
}
console.log("\n| limit | 1% flip | 2% | 5% | 10% | 20% |\n|--:|--:|--:|--:|--:|--:|");
for (const limit of [0.005, 0.01, 0.02, 0.03, 0.05]) {
  const needed = [0.01, 0.02, 0.05, 0.1, 0.2].map((share) => itemsNeeded(limit, share));
  console.log(`| ${limit} | ${needed.map((n) => n.toLocaleString("en-US")).join(" | ")} |`);
}
