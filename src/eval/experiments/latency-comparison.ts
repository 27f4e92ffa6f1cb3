import { loadavg } from "node:os";
import type { Observation } from "../../pipeline/types.js";
import type { LatencyMeasurement } from "../config/config.js";
import { judge, ratioOf } from "../latency/comparison.js";
import { interleave, type Contender, type InterleaveOptions } from "../latency/interleave.js";
import { certify, type NoiseCertificate } from "../latency/noise-certificate.js";
import type { Finding, RecordedScore } from "../record/record.js";
import { defaultIntervals, familyLevel } from "../stats/interval-plan.js";
import { seriesQuantiles } from "../stats/series-quantile.js";
import { exact, measured, named, undefinedScore } from "../stats/score.js";
import type { Score } from "../types.js";
import type { CellOutcome } from "./cell.js";
import { checkAnswers, type OpenSystem } from "./timed-system.js";

export type ComparisonSettings = NonNullable<LatencyMeasurement["comparison"]>;

/** Times of each contender in the same rounds, and of each once more. */
export interface Rounds {
  readonly names: readonly string[];
  readonly once: readonly Float64Array[];
  readonly again: readonly Float64Array[];
  readonly durationMs: number;
  readonly load: NoiseCertificate["load"];
}

/** Interleaves whole pictures: in each round every system recognises the round's picture twice. */
export async function measureRounds(
  systems: readonly OpenSystem[],
  { rounds }: ComparisonSettings,
  onRound: () => void,
  signal: AbortSignal,
): Promise<Rounds> {
  const answers = systems.map((): Observation[] => []);
  const contender = (system: OpenSystem, s: number): Contender => ({
    name: system.name,
    before: () => {
      signal.throwIfAborted();
    },
    run: async (round) => {
      const at = (round + system.pictures.length) % system.pictures.length;
      answers[s]!.push(
        await system.recognizer.recognizeFile(system.pictures[at]!.file, system.pictures[at]!.item),
      );
    },
  });
  const result = await runRounds(
    systems.map(contender),
    { rounds, warmupRounds: 1, seed: "comparison" },
    onRound,
  );
  systems.forEach((system, s) => {
    checkAnswers(system, answers[s]!);
  });
  return result;
}

/** @param contenders each is run twice a round. */
export async function runRounds(
  contenders: readonly Contender[],
  options: InterleaveOptions,
  onRound: () => void = () => undefined,
): Promise<Rounds> {
  const before = systemLoad();
  const last = { name: "", round: NaN };
  const told = contenders.map((c): Contender => ({
    ...c,
    before: async (round) => {
      if (round !== last.round) onRound();
      last.round = round;
      await c.before?.(round);
    },
  }));
  const { samplesMs, durationMs } = await interleave([...told, ...told], options);
  const n = contenders.length;
  return {
    names: contenders.map((c) => c.name),
    once: samplesMs.slice(0, n),
    again: samplesMs.slice(n),
    durationMs,
    load: { before, after: systemLoad() },
  };
}

/**
 * The noise certificate of each contender, and every pair's ratio and verdict. A pair is judged
 * only where both of its certificates passed. The level of the intervals is raised after
 * Bonferroni, so that at 95% 95 of 100 honest runs have no false alarm at all among their
 * certificates, and none among their pairs.
 */
export function judgeRounds(
  { names, once, again, durationMs, load }: Rounds,
  relevantEffect: number,
  level = defaultIntervals.level,
): Pick<CellOutcome, "scores" | "samples" | "findings" | "notes"> {
  const pairs = names.flatMap((_, a) =>
    names.slice(a + 1).map((_unused, i) => [a, a + 1 + i] as const),
  );
  const levelOf = (tests: number): number => familyLevel(level, tests);
  const certificates = names.map((_, i) =>
    certify(once[i]!, again[i]!, { level: levelOf(names.length), durationMs, load }),
  );
  // Both runs of a round: A, A, B, B in an order drawn anew, whose noise halves.
  const both = (i: number): Float64Array => once[i]!.map((ms, r) => (ms + again[i]![r]!) / 2);
  const scores: RecordedScore[] = [];
  const findings: Finding[] = [];
  for (const [i, certificate] of certificates.entries()) {
    const of = { system: names[i]! };
    scores.push(
      named(
        { metric: "round-latency", unit: "ms", better: "lower", of },
        seriesQuantiles(once[i]!, [0.5], level)[0]!,
      ),
      ratioScore("self-ratio", of, certificate.ratio),
      effectScore(of, certificate),
    );
    findings.push({
      about: "noise",
      of,
      verdict: certificate.passed ? "passed" : "failed",
      why: certificateWhy(certificate),
    });
  }
  for (const [a, b] of pairs) {
    const of = { first: names[a]!, second: names[b]! };
    const ratio = ratioOf(both(a), both(b), levelOf(pairs.length));
    const worst = [certificates[a]!, certificates[b]!].find((c) => !c.passed) ?? certificates[a]!;
    const { verdict, why } = judge(ratio, relevantEffect, worst);
    scores.push(ratioScore("latency-ratio", of, ratio), totalScore(of, ratio));
    findings.push({ about: "comparison", of, verdict, why });
  }
  for (const when of ["before", "after"] as const) {
    const value = load[when];
    scores.push(
      named(
        { metric: "load-average", unit: "count", better: "lower", of: { when } },
        value === null ? undefinedScore("the system does not tell its load") : exact(value),
      ),
    );
  }
  return {
    scores,
    findings,
    samples: Object.fromEntries(
      names.flatMap((name, i) => [
        [name, [...once[i]!]],
        [`${name} again`, [...again[i]!]],
      ]),
    ),
    notes: findings.map((f) =>
      f.about === "noise"
        ? `noise certificate of ${f.of.system}: ${f.verdict}; ${f.why}`
        : `${f.of.second} against ${f.of.first}: ${f.verdict}; ${f.why}`,
    ),
  };
}

function ratioScore(metric: string, of: Record<string, string>, ratio: Score): RecordedScore {
  const better = metric === "self-ratio" ? "neither" : "lower";
  return named({ metric, unit: "ratio", better, of }, ratio);
}

/** Times of all rounds together, over those of the other. */
function totalScore(of: Record<string, string>, ratio: ReturnType<typeof ratioOf>): RecordedScore {
  const name = { metric: "total-ratio", unit: "ratio" as const, better: "lower" as const, of };
  if (ratio.value === null) return named(name, ratio);
  const { total, n, interval } = ratio;
  if ("why" in total) return named(name, measured(total.value, n, null, total.why));
  const { low, high, units } = total;
  const level = interval?.level ?? defaultIntervals.level;
  return named(name, measured(total.value, n, { low, high, level, method: "delta-method", units }));
}

function effectScore(
  of: Record<string, string>,
  { minimalDetectableEffect: value, n, power }: NoiseCertificate,
): RecordedScore {
  return named(
    { metric: "minimal-detectable-effect", unit: "ratio", better: "lower", of },
    value === null
      ? undefinedScore("no interval")
      : measured(value, n, null, `found in ${100 * power} of 100 runs`),
  );
}

function certificateWhy({ why, n, durationMs, minimalDetectableEffect }: NoiseCertificate): string {
  const ran = `${n} rounds in ${(durationMs / 1000).toFixed(1)} s`;
  if (why !== null) return `${ran}: ${why}`;
  return (
    `${ran}: against itself no difference was found, and one of ` +
    `${(100 * (minimalDetectableEffect ?? 0)).toFixed(1)}% would have been in 8 of 10 ` +
    "such runs"
  );
}

/** Windows has no load average and reports zeros. */
function systemLoad(): number | null {
  return process.platform === "win32" ? null : loadavg()[0]!;
}
