import { defaultIntervals } from "../stats/interval-plan.js";
import { sampleQuantile } from "../stats/quantile.js";
import { seriesInterval } from "../stats/series-quantile.js";
import { measured, undefinedScore, type Undefined } from "../stats/score.js";
import type { Interval, Measured } from "../types.js";
import { drift, lagOneCorrelation } from "./drift.js";
import {
  detectableEffect,
  relativeClockStep,
  totalRatio,
  type TotalRatio,
} from "./round-ratios.js";

export { power } from "./round-ratios.js";

/**
 * How many times as long the second takes as the first: 2 is twice as slow, 0.5 twice as fast. The
 * median of n rounds, with its distribution-free interval: as many rounds count as are independent,
 * and it is never finer than the clock.
 */
export interface Ratio extends Measured {
  /**
   * The smallest true change that such an interval would exclude from 1 in 80% of runs, as a
   * fraction: 0.05 is 5%. Null without interval.
   */
  readonly minimalDetectableEffect: number | null;
  /** Correlation of neighbouring rounds' ratios. */
  readonly autocorrelation: number | null;
  /** Change of the ratio from the first round to the last, where it drifts; else null. */
  readonly drift: number | null;
  /** Of all times together, spikes included. */
  readonly total: TotalRatio;
}

/**
 * The ratio of two contenders that were run in the same rounds. Each round gives one ratio, so that
 * what slows a round slows both; the median of the ratios does not heed spikes, and its interval
 * assumes nothing about their distribution. Noise that clings to one of the two makes neighbouring
 * ratios alike, which the interval heeds.
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
  if (n === 0) return undefinedScore("no rounds");
  const found = seriesInterval(logs, 0.5, level);
  const step = Math.log1p(relativeClockStep(first, second));
  const half = "why" in found ? null : (found.high - found.low) / 2 + step;
  const interval: Interval | null =
    "why" in found
      ? null
      : {
          low: Math.exp(found.low - step),
          high: Math.exp(found.high + step),
          level,
          method: "order-statistics",
          units: found.units,
        };
  const trend = drift(logs.map(Math.exp));
  const value = Math.exp(sampleQuantile(logs.slice().sort(), 0.5));
  return {
    ...measured(value, n, interval, "why" in found ? found.why : undefined),
    autocorrelation: lagOneCorrelation(logs),
    drift: trend?.drifting ? trend.relativeChange : null,
    total: totalRatio(first, second, level),
    minimalDetectableEffect: half === null ? null : detectableEffect(half, level),
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
  if (!noise.passed) return cannot(`the machine failed its self-test: ${noise.why}`);
  if (ratio.value === null) return cannot(ratio.why);
  if (ratio.interval === null) return cannot(ratio.whyNoInterval!);
  if (ratio.drift !== null)
    return cannot(`the ratio itself drifts, by ${percent(1 + ratio.drift)} from first to last`);
  const { low, high } = ratio.interval;
  const interval = `${percent(ratio.value)}, ${percent(low)} to ${percent(high)}`;
  const said = `${interval} in the median round; ${totalText(ratio.total)}`;
  const verdict = verdictOf(low, high, relevantEffect);
  if (verdict !== null && contradicted(verdict, ratio.total, relevantEffect))
    return cannot(`the median round and the total disagree: ${said}`);
  if (verdict === "slower") return { verdict, why: `takes longer by ${said}` };
  if (verdict === "faster") return { verdict, why: `changes the time by ${said}` };
  if (verdict === "same")
    return { verdict, why: `no difference beyond ${percent(1 + relevantEffect)}: ${said}` };
  const effect = ratio.minimalDetectableEffect!;
  // The width shrinks with the root of the rounds.
  const rounds = Math.ceil(ratio.n * Math.max(1, (effect / relevantEffect) ** 2));
  return cannot(
    `underpowered: ${interval} holds 0, and only changes from ${percent(1 + effect)} would ` +
      `be found; for ${percent(1 + relevantEffect)} about ${rounds} rounds are needed`,
  );
}

function cannot(why: string): Judgement {
  return { verdict: "cannot tell", why };
}

function percent(ratio: number): string {
  return `${ratio >= 1 ? "+" : ""}${(100 * (ratio - 1)).toFixed(1)}%`;
}

function totalText(total: TotalRatio): string {
  const limits = "why" in total ? "" : ` (${percent(total.low)} to ${percent(total.high)})`;
  return `${percent(total.value)}${limits} in all`;
}

function verdictOf(
  low: number,
  high: number,
  relevantEffect: number,
): "faster" | "slower" | "same" | null {
  if (low > 1) return "slower";
  if (high < 1) return "faster";
  return low >= 1 / (1 + relevantEffect) && high <= 1 + relevantEffect ? "same" : null;
}

/**
 * Whether all times together speak against what the median round says: beyond chance, or by more
 * than the change that matters.
 */
function contradicted(
  verdict: "faster" | "slower" | "same",
  total: TotalRatio,
  relevantEffect: number,
): boolean {
  const surely = (side: 1 | -1): boolean =>
    !("why" in total) && (side > 0 ? total.low > 1 : total.high < 1);
  const relevantly = (side: 1 | -1): boolean =>
    side > 0 ? total.value > 1 + relevantEffect : total.value < 1 / (1 + relevantEffect);
  const against = (side: 1 | -1): boolean => surely(side) || relevantly(side);
  if (verdict === "slower") return against(-1);
  if (verdict === "faster") return against(1);
  return [1, -1].some((side) => surely(side as 1 | -1) && relevantly(side as 1 | -1));
}
