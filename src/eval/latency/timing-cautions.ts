import { rankCorrelations } from "../stats/serial-correlation.js";
import { sampleQuantile } from "../stats/quantile.js";
import { drift } from "./drift.js";

/** What a reader of times should know of them beside their percentiles. */
export interface TimingCaution {
  readonly verdict: "drifting" | "correlated" | "alternating" | "two speeds";
  /** One sentence. */
  readonly why: string;
}

/** One false alarm in a hundred a side: ranks of independent samples correlate near normally. */
const alarm = 2.33;

/** @param samplesMs in the order in which they were taken. */
export function timingCautions(samplesMs: ArrayLike<number>): TimingCaution[] {
  const cautions: TimingCaution[] = [];
  const trend = drift(samplesMs);
  if (trend?.drifting)
    cautions.push({
      verdict: "drifting",
      why: `the samples drift by ${(100 * trend.relativeChange).toFixed(1)}% from first to last`,
    });
  const n = samplesMs.length;
  const alike = n < 20 ? 0 : (rankCorrelations(samplesMs, 1)?.[0] ?? 0);
  const said = `correlation ${alike.toFixed(2)}`;
  if (alike > alarm / Math.sqrt(n))
    cautions.push({
      verdict: "correlated",
      why: `neighbouring samples are alike (${said}): intervals count fewer than there are`,
    });
  if (alike < -alarm / Math.sqrt(n))
    cautions.push({
      verdict: "alternating",
      why: `slow and fast samples take turns (${said}): look for what happens every other time`,
    });
  const two = twoSpeeds(samplesMs);
  if (two)
    cautions.push({
      verdict: "two speeds",
      why:
        `the times are of two kinds, ${(100 * two.share).toFixed(0)}% near ` +
        `${two.slow.toPrecision(3)} ms and the others near ${two.fast.toPrecision(3)} ms: ` +
        "a median between them is the time of no picture",
    });
  return cautions;
}

export interface TwoSpeeds {
  /** Medians of the two kinds, in milliseconds. */
  readonly fast: number;
  readonly slow: number;
  /** Share of the slow ones. */
  readonly share: number;
}

/** Of the variance of log times; one even spread has 0.75, a normal one 0.64. */
const explainedByTwo = 0.85;
/** Fewer of the rarer kind are spikes. */
const leastShare = 0.1;
/** Kinds nearer to each other are told apart by nobody. */
const leastRatio = 1.1;

/**
 * Two kinds of times: the split of their logarithms that leaves the least variance within (Otsu
 * 1979) explains more of it than it could where they are of one kind. Null where it does not.
 */
export function twoSpeeds(samplesMs: ArrayLike<number>): TwoSpeeds | null {
  const n = samplesMs.length;
  const sorted = Float64Array.from(samplesMs).sort();
  if (n < 20 || !(sorted[0]! > 0)) return null;
  const logs = sorted.map(Math.log);
  const mean = logs.reduce((s, v) => s + v, 0) / n;
  const total = logs.reduce((s, v) => s + (v - mean) ** 2, 0);
  let best = { between: 0, at: 0 };
  let sum = 0;
  for (let at = 1; at < n; at++) {
    sum += logs[at - 1]! - mean;
    const between = (sum * sum * n) / (at * (n - at));
    if (between > best.between) best = { between, at };
  }
  const share = 1 - best.at / n;
  if (!(best.between > explainedByTwo * total) || Math.min(share, 1 - share) < leastShare)
    return null;
  const fast = sampleQuantile(sorted.subarray(0, best.at), 0.5);
  const slow = sampleQuantile(sorted.subarray(best.at), 0.5);
  return slow > leastRatio * fast ? { fast, slow, share } : null;
}
