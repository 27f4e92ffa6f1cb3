import type { RetrievalMetric } from "../retrieval-metric.js";
import { positiveCount, type TieGroups } from "../tied-ranks.js";

/** Mean of R over the rank of the last positive; 0 where some positive is in no place. */
export const meanInversePenalty: RetrievalMetric = {
  name: "mINP",
  unit: "ratio",
  better: "higher",
  source:
    "Ye et al. 2021, Deep Learning for Person Re-identification, section 3.2; PaddleClas `mINP`",
  atK: false,
  ofAnswers: false,
  hits: false,
  column: "inverseNegativePenalty",
  whyInfinite:
    "infinite in PaddleClas: the rank of the last positive counts from 0 there, and " +
    "some query has its only positive first",
  averaging: () => ({ over: "answerable", blocks: true }),
  ofRanks(ranks, { count, rules }) {
    if (ranks.length < count) return 0;
    return rules.penalty === "from-zero" ? penaltyFromZero(ranks) : count / ranks[count - 1]!;
  },
  ofTies: (groups, { count }) =>
    positiveCount(groups) < count ? 0 : expectedPenalty(groups, count),
};

/**
 * INP as PaddleClas `mINP.forward` has it (release/2.3; later releases stop with an error where a
 * list has uids): R over `argmax(equal_flag - equal_flag / (arange + 2))`, the place of the last
 * positive counted from 0, so that it is infinite where the only positive stands first. In float32
 * those values cease to grow some thousand places down, and argmax then takes the first of equal
 * ones.
 */
export function penaltyFromZero(ranks: ArrayLike<number>): number {
  let last = 0;
  let largest = -1;
  for (let i = 0; i < ranks.length; i++) {
    const place = ranks[i]! - 1;
    const value = Math.fround(1 - Math.fround(1 / (place + 2)));
    if (value > largest) {
      largest = value;
      last = place;
    }
  }
  return ranks.length / last;
}

/**
 * Mean of count / rank of the last positive: of p positives at random in t places the last is at m
 * with probability C(m - 1, p - 1) / C(t, p).
 */
function expectedPenalty({ before, size, positives }: TieGroups, count: number): number {
  const last = before.length - 1;
  const [a, t, p] = [before[last]!, size[last]!, positives[last]!];
  let probability = p / t;
  let mean = 0;
  for (let m = t; m >= p && probability > 0; m--) {
    mean += (probability * count) / (a + m);
    if (m > 1) probability *= (m - p) / (m - 1);
  }
  return mean;
}
