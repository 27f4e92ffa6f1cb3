import { bootstrap, pairedBootstrap } from "../../../src/eval/stats/bootstrap.js";
import { Random } from "../../../src/eval/stats/random.js";
import {
  meanStatistic,
  sumsStatistic,
  type ResampledStatistic,
} from "../../../src/eval/stats/resampled-statistic.js";
import type { Score } from "../../../src/eval/types.js";

/**
 * Populations whose truth is known, to see how often the intervals hold it. Shared by the tests and
 * bench/interval-coverage.ts.
 */
export interface Scenario {
  readonly name: string;
  /** Intervals that should hold the truth at their nominal 95%. */
  readonly intervals: readonly string[];
  /** Intervals that are wrong here on purpose, and must show it. */
  readonly tooNarrow?: readonly string[];
  /** Tests that should raise a false alarm at their nominal 5%. */
  readonly alarms?: readonly string[];
  /**
   * One draw from the population: did each interval hold the truth, did each test raise an alarm?
   */
  draw(random: Random, seed: number): Record<string, boolean>;
}

/** Share of draws in which each name came true. */
export function simulate(draws: number, draw: Scenario["draw"]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < draws; i++) {
    for (const [name, truth] of Object.entries(draw(new Random("coverage").split(i), i)))
      counts[name] = (counts[name] ?? 0) + (truth ? 1 : 0);
  }
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count / draws]));
}

/** Whether a score's interval holds the truth; a score without interval does not. */
export function holds(score: Score, truth: number): boolean {
  return (
    score.value !== null &&
    score.interval !== null &&
    score.interval.low <= truth &&
    truth <= score.interval.high
  );
}

const f1 = (columns: readonly Float64Array[]): ResampledStatistic =>
  sumsStatistic(columns, ([tp, fp, fn]) =>
    tp! + fp! + fn! > 0 ? (2 * tp!) / (2 * tp! + fp! + fn!) : null,
  );

export const bootstrapScenarios: readonly Scenario[] = [
  {
    name: "the mean of 100 exponential values, skewness 2",
    intervals: ["percentile", "bca"],
    draw(random, seed) {
      const statistic = meanStatistic(
        Float64Array.from({ length: 100 }, () => random.exponential()),
      );
      return {
        percentile: holds(bootstrap(statistic, { resamples: 400, seed }), 1),
        bca: holds(bootstrap(statistic, { method: "bca", resamples: 400, seed }), 1),
      };
    },
  },
  {
    name: "F1 over 120 images of 1 to 3 objects each",
    intervals: ["percentile", "bca"],
    draw(random, seed) {
      // An object is found with chance 0.7; an image has, with chance 0.3, one false find.
      const truth = (2 * 2 * 0.7) / (2 * 2 * 0.7 + 2 * 0.3 + 0.3);
      const columns = [new Float64Array(120), new Float64Array(120), new Float64Array(120)];
      for (let i = 0; i < 120; i++) {
        const objects = 1 + random.below(3);
        for (let o = 0; o < objects; o++) columns[random.next() < 0.7 ? 0 : 2]![i]!++;
        if (random.next() < 0.3) columns[1]![i]!++;
      }
      return {
        percentile: holds(bootstrap(f1(columns), { resamples: 400, seed }), truth),
        bca: holds(bootstrap(f1(columns), { method: "bca", resamples: 400, seed }), truth),
      };
    },
  },
  {
    name: "recall over 60 identities of 4 alike queries, which must be drawn together",
    intervals: ["by identity"],
    tooNarrow: ["by query"],
    draw(random, seed) {
      const clusters = Int32Array.from({ length: 240 }, (_, i) => Math.floor(i / 4));
      const hits = new Float64Array(240);
      for (let c = 0; c < 60; c++) {
        const ability = random.next() < 0.75 ? 0.95 : 0.25; // mean 0.775
        for (let j = 0; j < 4; j++) hits[c * 4 + j] = random.next() < ability ? 1 : 0;
      }
      return {
        "by identity": holds(
          bootstrap(meanStatistic(hits), { resamples: 300, seed, clusters }),
          0.775,
        ),
        "by query": holds(bootstrap(meanStatistic(hits), { resamples: 300, seed }), 0.775),
      };
    },
  },
  {
    name: "the difference of two equal systems on the same 150 items",
    intervals: ["difference"],
    alarms: ["paired test"],
    draw(random, seed) {
      const a = new Float64Array(150);
      const b = new Float64Array(150);
      for (let i = 0; i < 150; i++) {
        const ease = random.next(); // what the two have in common
        a[i] = random.next() < ease ? 1 : 0;
        b[i] = random.next() < ease ? 1 : 0;
      }
      const result = pairedBootstrap(meanStatistic(a), meanStatistic(b), { resamples: 400, seed });
      return {
        difference: holds(result, 0),
        "paired test": result.value !== null && result.p <= 0.05,
      };
    },
  },
];
