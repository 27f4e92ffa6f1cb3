import { correlationTime, midRanks } from "./serial-correlation.js";

/** What makes samples of a series alike beyond that neighbours are. */
export interface SeriesGroups {
  /** A number a sample, from 0 without gaps: what it was taken of, such as a picture. */
  readonly items?: Int32Array | undefined;
  /** The same for stretches taken in one go, in the order of time. */
  readonly blocks?: Int32Array | undefined;
}

/** How much less the samples tell than independent ones, or why that cannot be said. */
export type SeriesEffect =
  | {
      /** Variance of a mean over what it would be if all samples were independent; at least 1. */
      readonly effect: number;
      /** Groups that the estimate rests on. */
      readonly units: number;
    }
  | { readonly why: string };

/**
 * Blocks in which the machine's phases last longer than this tell too little of them: an interval
 * from them is too narrow (`bench/timing-coverage.ts`).
 */
const longestPhase = 3;

/**
 * The design effect of a series: neighbours that are alike (or blocks of them, and blocks after
 * blocks), and items that come again. The parts add, as the variances of crossed groups do
 * (Cameron, Gelbach and Miller 2011), and each is the larger of that of the ranks and that of the
 * samples above the quantile in question.
 *
 * @param samples in the order in which they were taken.
 */
export function seriesEffect(
  samples: ArrayLike<number>,
  above: number,
  { items, blocks }: SeriesGroups,
): SeriesEffect {
  const ranks = midRanks(samples);
  const beyond = Float64Array.from(samples, (v) => Number(v > above));
  const of = (groups: Int32Array): number =>
    Math.max(groupEffect(ranks, groups), groupEffect(beyond, groups));
  let time = correlationTime(samples);
  if (blocks) {
    const phase = correlationTime(groupMeans(ranks, blocks));
    if (phase > longestPhase)
      return { why: "the machine's speed changed for longer than a few blocks of samples" };
    time = Math.max(1, of(blocks)) * phase;
  }
  const again = items ? Math.max(0, of(items) - 1) : 0;
  const count = (groups: Int32Array | undefined): number =>
    groups?.reduce(most, 0) ?? samples.length;
  return { effect: time + again, units: Math.min(count(blocks), count(items)) };
}

function most(so: number, group: number): number {
  return Math.max(so, group + 1);
}

function groupMeans(values: Float64Array, groups: Int32Array): Float64Array {
  const count = groups.reduce(most, 0);
  const sums = new Float64Array(count);
  const sizes = new Float64Array(count);
  groups.forEach((g, i) => {
    sums[g]! += values[i]!;
    sizes[g]!++;
  });
  return sums.map((s, g) => s / sizes[g]!);
}

/** Variance of the mean between groups over that between samples; 1 where no group holds two. */
function groupEffect(values: Float64Array, groups: Int32Array): number {
  const n = values.length;
  const count = groups.reduce(most, 0);
  if (count < 2 || count === n) return 1;
  const mean = values.reduce((s, v) => s + v, 0) / n;
  const sums = new Float64Array(count);
  let squares = 0;
  groups.forEach((g, i) => {
    sums[g]! += values[i]! - mean;
    squares += (values[i]! - mean) ** 2;
  });
  const between = (count / (count - 1)) * sums.reduce((s, v) => s + v * v, 0);
  return squares > 0 ? between / squares : 1;
}
