import { f1Statistic } from "../../../src/eval/metrics/end-to-end/f1.js";
import type { Tally } from "../../../src/eval/metrics/end-to-end/f1-tally.js";
import { bootstrap } from "../../../src/eval/stats/bootstrap.js";
import { jackknife } from "../../../src/eval/stats/jackknife.js";
import type { Random } from "../../../src/eval/stats/random.js";
import type { ResampledStatistic } from "../../../src/eval/stats/resampled-statistic.js";
import { holds, type Scenario } from "../stats/coverage-scenarios.js";

/**
 * Pictures of one label each, found with chances from 0.4 to 0.95 by label; three in ten have a
 * false answer with a label at random.
 */
export function drawMacro(random: Random, labels: number, images: number): ResampledStatistic {
  const tallies = Array.from({ length: images }, (): Tally[] => {
    const label = random.below(labels);
    const hit = random.next() < foundChance(label, labels);
    const list: Tally[] = [{ group: String(label), tp: hit ? 1 : 0, fp: 0, fn: hit ? 0 : 1 }];
    if (random.next() < 0.3)
      list.push({ group: String(random.below(labels)), tp: 0, fp: 1, fn: 0 });
    return list;
  });
  return f1Statistic(tallies, "D");
}

/** The macro F1 that ever more pictures would come to. */
export function macroTruth(labels: number): number {
  let sum = 0;
  for (let l = 0; l < labels; l++) {
    const p = foundChance(l, labels);
    sum += (2 * p) / (2 * p + (1 - p) + 0.3);
  }
  return sum / labels;
}

export function macroScenario(labels: number, images: number): Scenario {
  const truth = macroTruth(labels);
  return {
    name: `macro F1 over ${labels} labels in ${images} pictures`,
    intervals: ["jackknife"],
    tooNarrow: ["percentile", "bca"],
    draw(random, seed) {
      const statistic = drawMacro(random, labels, images);
      return {
        jackknife: holds(jackknife(statistic), truth),
        percentile: holds(bootstrap(statistic, { resamples: 400, seed }), truth),
        bca: holds(bootstrap(statistic, { method: "bca", resamples: 400, seed }), truth),
      };
    },
  };
}

function foundChance(label: number, labels: number): number {
  return 0.4 + (0.55 * label) / (labels - 1);
}
