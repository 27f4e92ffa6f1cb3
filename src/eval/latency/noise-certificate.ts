import { loadavg } from "node:os";
import { judge, ratioOf, power, type Judgement, type Ratio } from "./comparison.js";
import { interleave, type Contender, type InterleaveOptions } from "./interleave.js";
import { defaultIntervals } from "../stats/interval-plan.js";
import type { Undefined } from "../stats/score.js";

/**
 * The machine's noise, measured by comparing a thing with itself under the conditions of the
 * comparison that it stands beside. It passed where no difference was found (95 of 100 honest runs
 * do). Then the minimal detectable effect is the size of change that this run could see; smaller
 * ones are not "no change" but unseen.
 */
export interface NoiseCertificate {
  readonly passed: boolean;
  /** Why it failed; null where it passed. */
  readonly why: string | null;
  readonly ratio: Ratio | Undefined;
  /** As a fraction: 0.05 is 5%. Null where there was no interval. */
  readonly minimalDetectableEffect: number | null;
  readonly level: number;
  readonly power: number;
  /** Rounds. */
  readonly n: number;
  readonly durationMs: number;
  /** Load average of the last minute before and after; null where the system does not tell. */
  readonly load: { readonly before: number | null; readonly after: number | null };
}

export interface ComparisonOptions extends InterleaveOptions {
  readonly level?: number;
  /** The smallest change that matters, as a fraction. */
  readonly relevantEffect?: number;
  readonly load?: () => number | null;
}

export interface LatencyComparison extends Judgement {
  readonly first: string;
  readonly second: string;
  readonly ratio: Ratio | Undefined;
  readonly certificate: NoiseCertificate;
  /** A sample a round: the first, the first again (for the self-test), the second. */
  readonly samplesMs: {
    readonly first: Float64Array;
    readonly again: Float64Array;
    readonly second: Float64Array;
  };
}

/**
 * Judges the noise of a machine from two lists of samples of one and the same thing, taken in the
 * same rounds.
 */
export function certify(
  once: ArrayLike<number>,
  again: ArrayLike<number>,
  {
    level = defaultIntervals.level,
    durationMs,
    load,
  }: { level?: number; durationMs: number; load: NoiseCertificate["load"] },
): NoiseCertificate {
  const ratio = ratioOf(once, again, level);
  const why = objection(ratio);
  return {
    passed: why === null,
    why,
    ratio,
    level,
    power,
    durationMs,
    load,
    n: once.length,
    minimalDetectableEffect: ratio.value === null ? null : ratio.minimalDetectableEffect,
  };
}

function objection(ratio: Ratio | Undefined): string | null {
  if (ratio.value === null) return ratio.why;
  if (ratio.interval === null) return ratio.whyNoInterval!;
  const { low, high } = ratio.interval;
  if (low > 1 || high < 1)
    return (
      `it found the same thing to differ from itself, by a factor of ${low.toFixed(4)} ` +
      `to ${high.toFixed(4)}`
    );
  if (ratio.drift !== null)
    return `the ratio of the same thing to itself drifts, by ${(100 * ratio.drift).toFixed(1)}%`;
  return null;
}

/**
 * Interleaved A/B with its A/A self-test in the same rounds: each round runs the first, the first
 * again and the second, in an order drawn anew. The verdict is about the second: "faster",
 * "slower", "same", or "cannot tell" where the run was too noisy or too short.
 */
export async function compareLatency(
  first: Contender,
  second: Contender,
  options: ComparisonOptions = {},
): Promise<LatencyComparison> {
  const {
    level = defaultIntervals.level,
    relevantEffect = 0.05,
    load = systemLoad,
    ...rest
  } = options;
  const before = load();
  const { samplesMs, durationMs } = await interleave(
    [first, { ...bound(first), name: `${first.name} again` }, second],
    rest,
  );
  const [a, again, b] = samplesMs as [Float64Array, Float64Array, Float64Array];
  const certificate = certify(a, again, { level, durationMs, load: { before, after: load() } });
  const ratio = ratioOf(a, b, level);
  return {
    first: first.name,
    second: second.name,
    ...judge(ratio, relevantEffect, certificate),
    ratio,
    certificate,
    samplesMs: { first: a, again, second: b },
  };
}

/** The A/A self-test alone. */
export async function selfTest(
  contender: Contender,
  options: Omit<ComparisonOptions, "relevantEffect"> = {},
): Promise<NoiseCertificate> {
  const { level = defaultIntervals.level, load = systemLoad, ...rest } = options;
  const before = load();
  const { samplesMs, durationMs } = await interleave(
    [contender, { ...bound(contender), name: `${contender.name} again` }],
    rest,
  );
  return certify(samplesMs[0]!, samplesMs[1]!, {
    level,
    durationMs,
    load: { before, after: load() },
  });
}

/** A contender may be an instance of a class: spreading it would lose its methods. */
function bound(contender: Contender): Contender {
  return {
    name: contender.name,
    run: (round) => contender.run(round),
    ...(contender.before && { before: (round: number) => contender.before!(round) }),
  };
}

/** Windows has no load average and reports zeros. */
function systemLoad(): number | null {
  return process.platform === "win32" ? null : loadavg()[0]!;
}
