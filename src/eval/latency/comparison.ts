import { normalQuantile } from "../stats/distributions.js";
import { defaultIntervals } from "../stats/interval-plan.js";
import { quantileOfSorted } from "../stats/quantile.js";
import { measured, undefinedScore, type Undefined } from "../stats/score.js";
import type { Interval, Measured } from "../types.js";
import { lagOneCorrelation } from "./drift.js";

/**
 * How many times as long the second takes as the first: 2 is twice as slow, 0.5 twice as fast. The
 * median of n rounds, with its distribution-free interval.
 */
export interface Ratio extends Measured {
  /**
   * The smallest true change that such an interval would exclude from 1 in 80% of runs, as a
   * fraction: 0.05 is 5%. Null without interval.
   */
  readonly minimalDetectableEffect: number | null;
  /** Correlation of neighbouring rounds' ratios. */
  readonly autocorrelation: number | null;
}

/** Chance of finding a true change of the size called minimal. */
export const power = 0.8;

/**
 * The ratio of two contenders that were run in the same rounds. Each round gives one ratio, so that
 * what slows a round slows both; the median of the ratios does not heed spikes, and its interval
 * assumes nothing about their distribution.
 */
export function ratioOf(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  level = defaultIntervals.level,
): Ratio | Undefined {
  if (first.length !== second.length)
    throw new RangeError(`rounds differ: ${first.length} and ${second.length}`);
  const n = first.length;
  const logs = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    if (!(first[i]! > 0 && second[i]! > 0))
      return undefinedScore("a sample lasted no time at all: put more calls in a sample");
    logs[i] = Math.log(second[i]! / first[i]!);
  }
  const autocorrelation = lagOneCorrelation(logs);
  const median = quantileOfSorted(logs.sort(), 0.5, level);
  if (median.value === null) return undefinedScore("no rounds");
  const z = normalQuantile(0.5 + level / 2);
  // The half width is z standard errors; level and power together need z + z(power) of them.
  const inLogs = median.interval;
  const effect =
    inLogs && Math.expm1((((inLogs.high - inLogs.low) / 2) * (z + normalQuantile(power))) / z);
  const interval: Interval | null = inLogs && {
    ...inLogs,
    low: Math.exp(inLogs.low),
    high: Math.exp(inLogs.high),
  };
  return {
    ...measured(Math.exp(median.value), n, interval, median.whyNoInterval),
    autocorrelation,
    minimalDetectableEffect: effect,
  };
}

/**
 * What a comparison may say. "same" is a finding too: no difference beyond the one that matters.
 */
export interface Judgement {
  readonly verdict: "faster" | "slower" | "same" | "cannot tell";
  /** One sentence. */
  readonly why: string;
}

/**
 * Judges the second contender against the first.
 *
 * @param relevantEffect the smallest change that matters, as a fraction: "same" means that the
 * whole interval lies within it.
 * @param noise the A/A test of the same session: unless it passed, nothing is said.
 */
export function judge(
  ratio: Ratio | Undefined,
  relevantEffect: number,
  noise: { readonly passed: boolean; readonly why: string | null },
): Judgement {
  const cannot = (why: string): Judgement => ({ verdict: "cannot tell", why });
  if (!noise.passed) return cannot(`the machine failed its self-test: ${noise.why}`);
  if (ratio.value === null) return cannot(ratio.why);
  if (ratio.interval === null) return cannot(`${ratio.n} rounds are too few for an interval`);
  const { low, high } = ratio.interval;
  const percent = (r: number): string => `${r >= 1 ? "+" : ""}${(100 * (r - 1)).toFixed(1)}%`;
  const interval = `${percent(ratio.value)}, ${percent(low)} to ${percent(high)}`;
  if (low > 1) return { verdict: "slower", why: `takes longer by ${interval}` };
  if (high < 1) return { verdict: "faster", why: `changes the time by ${interval}` };
  if (low >= 1 / (1 + relevantEffect) && high <= 1 + relevantEffect)
    return {
      verdict: "same",
      why: `no difference beyond ${percent(1 + relevantEffect)}: ${interval}`,
    };
  const effect = ratio.minimalDetectableEffect!;
  // The width shrinks with the root of the rounds.
  const rounds = Math.ceil(ratio.n * Math.max(1, (effect / relevantEffect) ** 2));
  return cannot(
    `underpowered: ${interval} holds 0, and only changes from ${percent(1 + effect)} would ` +
      `be found; for ${percent(1 + relevantEffect)} about ${rounds} rounds are needed`,
  );
}
