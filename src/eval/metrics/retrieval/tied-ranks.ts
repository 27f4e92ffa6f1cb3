/**
 * What one query's ranking is worth, where some items tie. A ranking is known by its groups of
 * equal score: only groups that hold a positive matter, and of each how many items stand before it,
 * how many it holds, and how many of these are positives.
 *
 * Tied items have no order of their own, so a metric has three honest values: with the positives of
 * each group first (optimistic), last (pessimistic), and the mean over all orders of each group
 * (expected). The means are exact, not simulated; for average precision the formula is that of
 * McSherry and Najork, "Computing Information Retrieval Performance Measures Efficiently in the
 * Presence of Tied Scores" (ECIR 2008).
 */
export interface TieGroups {
  /**
   * Best group first. Groups without a positive are left out, their items counted in `before` of
   * those that follow.
   */
  readonly before: readonly number[];
  readonly size: readonly number[];
  readonly positives: readonly number[];
}

/** The value of each metric for one query. */
export interface QueryValue {
  /** One a k: 1 where a positive is among the k best (expected: its probability). */
  readonly hit: number[];
  /** One a k: positives among the k best, over k. */
  readonly precision: number[];
  /** Mean over the positives of the precision at their ranks. */
  readonly averagePrecision: number;
  /**
   * The same sum cut at rank R, over R (Musgrave et al. 2020, "A Metric Learning Reality Check",
   * section 3.1).
   */
  readonly mapAtR: number;
  /** Precision at R, the number of positives. */
  readonly rPrecision: number;
  /**
   * R over the rank of the last positive (Ye et al. 2021, "Deep Learning for Person
   * Re-identification", section 3.2: INP).
   */
  readonly inverseNegativePenalty: number;
  /** Rank of the first positive, from 1. */
  readonly firstRank: number;
}

export function positiveCount(groups: TieGroups): number {
  return groups.positives.reduce((a, b) => a + b, 0);
}

/** Whether the order inside some group makes a difference to some metric. */
export function isTied({ size, positives }: TieGroups): boolean {
  return size.some((s, i) => s !== positives[i]);
}

/**
 * Ranks of the positives where those of each group come first (`optimistic`) or last. Ascending,
 * from 1.
 */
export function extremeRanks(
  { before, size, positives }: TieGroups,
  which: "optimistic" | "pessimistic",
): Float64Array {
  const ranks = new Float64Array(positives.reduce((a, b) => a + b, 0));
  let filled = 0;
  for (let g = 0; g < before.length; g++) {
    const skipped = which === "optimistic" ? 0 : size[g]! - positives[g]!;
    for (let j = 1; j <= positives[g]!; j++) ranks[filled++] = before[g]! + skipped + j;
  }
  return ranks;
}

/**
 * All metrics from the ranks of the positives (ascending, from 1, at least one).
 *
 * @param count R, where some positives are in no place of the ranking because their pictures could
 * not be embedded: they are never found.
 */
export function valueOfRanks(
  ranks: ArrayLike<number>,
  ks: readonly number[],
  count = ranks.length,
): QueryValue {
  const ranked = ranks.length;
  let averagePrecision = 0;
  let mapAtR = 0;
  let withinR = 0;
  for (let i = 0; i < ranked; i++) {
    const precision = (i + 1) / ranks[i]!;
    averagePrecision += precision;
    if (ranks[i]! <= count) {
      mapAtR += precision;
      withinR++;
    }
  }
  const within = (k: number) => {
    let n = 0;
    while (n < ranked && ranks[n]! <= k) n++;
    return n;
  };
  return {
    hit: ks.map((k) => (ranks[0]! <= k ? 1 : 0)),
    precision: ks.map((k) => within(k) / k),
    averagePrecision: averagePrecision / count,
    mapAtR: mapAtR / count,
    rPrecision: withinR / count,
    inverseNegativePenalty: ranked < count ? 0 : count / ranks[count - 1]!,
    firstRank: ranks[0]!,
  };
}

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

/** The mean of all metrics over all orders of the tied items. `count` as in `valueOfRanks`. */
export function expectedValue(
  groups: TieGroups,
  ks: readonly number[],
  count = positiveCount(groups),
): QueryValue {
  const { before, size, positives } = groups;
  let averagePrecision = 0;
  let mapAtR = 0;
  let positivesBefore = 0;
  for (let g = 0; g < before.length; g++) {
    const [a, t, p] = [before[g]!, size[g]!, positives[g]!];
    // The item at place j of the group is a positive with probability p / t; given that, (j - 1)(p
    // - 1) / (t - 1) of those before it are.
    const slope = t > 1 ? (p - 1) / (t - 1) : 0;
    for (let j = 1; j <= t; j++) {
      const term = ((p / t) * (positivesBefore + 1 + (j - 1) * slope)) / (a + j);
      averagePrecision += term;
      if (a + j <= count) mapAtR += term;
    }
    positivesBefore += p;
  }
  return {
    hit: ks.map((k) => expectedHit(groups, k)),
    precision: ks.map((k) => expectedWithin(groups, k) / k),
    averagePrecision: averagePrecision / count,
    mapAtR: mapAtR / count,
    rPrecision: expectedWithin(groups, count) / count,
    inverseNegativePenalty: positiveCount(groups) < count ? 0 : expectedPenalty(groups, count),
    // Of t places taken at random, the first of p lies on average at (t + 1) / (p + 1).
    firstRank: before[0]! + (size[0]! + 1) / (positives[0]! + 1),
  };
}

/**
 * Probability that a positive is among the k best: with m places left for the first group that
 * holds one, of t items with d negatives, 1 - C(d, m) / C(t, m) (hypergeometric).
 */
export function expectedHit({ before, size, positives }: TieGroups, k: number): number {
  const places = Math.min(k - before[0]!, size[0]!);
  if (places <= 0) return 0;
  const negatives = size[0]! - positives[0]!;
  let none = 1;
  for (let i = 0; i < places && none > 0; i++) none *= Math.max(0, negatives - i) / (size[0]! - i);
  return 1 - none;
}

/** Expected number of positives among the k best. */
function expectedWithin({ before, size, positives }: TieGroups, k: number): number {
  let sum = 0;
  for (let g = 0; g < before.length; g++)
    sum += (positives[g]! * Math.min(Math.max(0, k - before[g]!), size[g]!)) / size[g]!;
  return sum;
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
