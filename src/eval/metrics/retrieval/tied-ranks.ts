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

/** How many of the ranks, ascending, are at most k. */
export function ranksWithin(ranks: ArrayLike<number>, k: number): number {
  let n = 0;
  while (n < ranks.length && ranks[n]! <= k) n++;
  return n;
}

/** Sum of the precisions at those ranks of the positives that are at most k. */
export function precisionsAt(ranks: ArrayLike<number>, k: number): number {
  let sum = 0;
  for (let i = 0; i < ranks.length && ranks[i]! <= k; i++) sum += (i + 1) / ranks[i]!;
  return sum;
}

/** The mean of that sum over all orders of the tied items. */
export function expectedPrecisions({ before, size, positives }: TieGroups, k: number): number {
  let sum = 0;
  let positivesBefore = 0;
  for (let g = 0; g < before.length; g++) {
    const [a, t, p] = [before[g]!, size[g]!, positives[g]!];
    // The item at place j of the group is a positive with probability p / t; given that, (j - 1)(p
    // - 1) / (t - 1) of those before it are.
    const slope = t > 1 ? (p - 1) / (t - 1) : 0;
    for (let j = 1; j <= t && a + j <= k; j++)
      sum += ((p / t) * (positivesBefore + 1 + (j - 1) * slope)) / (a + j);
    positivesBefore += p;
  }
  return sum;
}

/** Mean rank of the first positive: of t places taken at random, the first of p lies on average at
 * (t + 1) / (p + 1). */
export function expectedFirstRank({ before, size, positives }: TieGroups): number {
  return before[0]! + (size[0]! + 1) / (positives[0]! + 1);
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
export function expectedWithin({ before, size, positives }: TieGroups, k: number): number {
  let sum = 0;
  for (let g = 0; g < before.length; g++)
    sum += (positives[g]! * Math.min(Math.max(0, k - before[g]!), size[g]!)) / size[g]!;
  return sum;
}
