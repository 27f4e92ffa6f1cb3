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

/** A list a contender, a time a round; and of each once more. */
interface TwiceTimed {
  readonly once: readonly Float64Array[];
  readonly again: readonly Float64Array[];
}

/** Times of each contender in the same rounds, and of each once more. */
export interface Rounds extends TwiceTimed {
  readonly names: readonly string[];
  readonly durationMs: number;
  readonly load: NoiseCertificate["load"];
  /** The same of what the contenders' runs consist of. */
  readonly stages?: Readonly<Record<string, TwiceTimed>>;
}

/** Stages that both systems of a comparison have, and that depend on them: decoding does not. */
const comparedStages = ["detect", "embed", "search"] as const;

/** Interleaves whole pictures: in each round every system recognises the round's picture twice. */
export async function measureRounds(
  systems: readonly OpenSystem[],
  { rounds }: ComparisonSettings,
  onRound: () => void,
  signal: AbortSignal,
): Promise<Rounds> {
  const answers = systems.map((): Observation[] => []);
  const stageMs = comparedStages.map(() =>
    [0, 1].map(() => systems.map(() => new Float64Array(rounds))),
  );
  const contender =
    (turn: 0 | 1) =>
    (system: OpenSystem, s: number): Contender => ({
      name: system.name,
      before: () => {
        signal.throwIfAborted();
      },
      run: async (round) => {
        const at = (round + system.pictures.length) % system.pictures.length;
        const { file, item } = system.pictures[at]!;
        const answer = await system.recognizer.recognizeFile(file, item);
        answers[s]!.push(answer);
        if (round < 0) return;
        comparedStages.forEach((stage, i) => {
          stageMs[i]![turn]![s]![round] = answer.stageMs[stage] ?? 0;
        });
      },
    });
  const result = await runRounds(
    systems.map(contender(0)),
    { rounds, warmupRounds: 1, seed: "comparison" },
    onRound,
    systems.map(contender(1)),
  );
  systems.forEach((system, s) => {
    checkAnswers(system, answers[s]!);
  });
  const stages = Object.fromEntries(
    comparedStages.map((stage, i) => [stage, { once: stageMs[i]![0]!, again: stageMs[i]![1]! }]),
  );
  return { ...result, stages };
}

/**
 * @param contenders each is run twice a round.
 * @param twins what is run the second time, where it has to know that it is.
 */
export async function runRounds(
  contenders: readonly Contender[],
  options: InterleaveOptions,
  onRound: () => void = () => undefined,
  twins: readonly Contender[] = contenders,
): Promise<Rounds> {
  const before = systemLoad();
  let last = NaN;
  const told = (c: Contender): Contender => ({
    ...c,
    before: async (round) => {
      if (round !== last) onRound();
      last = round;
      await c.before?.(round);
    },
  });
  const { samplesMs, durationMs } = await interleave([...contenders, ...twins].map(told), options);
  const n = contenders.length;
  return {
    names: contenders.map((c) => c.name),
    once: samplesMs.slice(0, n),
    again: samplesMs.slice(n),
    durationMs,
    load: { before, after: systemLoad() },
  };
}

export interface JudgeOptions {
  readonly level?: number;
  /** Every pair gets a verdict, those with this one ratios as well; left out: all. */
  readonly against?: string;
}

type Judged = Required<Pick<CellOutcome, "scores" | "samples" | "findings" | "notes">>;

/**
 * The noise certificate of each contender, and every pair's ratio and verdict. A pair is judged
 * only where both of its certificates passed. The level of the intervals is raised after
 * Bonferroni, so that at 95% 95 of 100 honest runs have no false alarm at all among their
 * certificates, and none among their pairs. Stages are a family of their own.
 */
export function judgeRounds(
  rounds: Rounds,
  relevantEffect: number,
  { level = defaultIntervals.level, against }: JudgeOptions = {},
): Judged {
  const { names, once, again, load, stages = {} } = rounds;
  const shared = { names, against, relevantEffect, level, rounds };
  const whole = judgeFamily([{ once, again }], shared);
  const parts = judgeFamily(
    Object.entries(stages).map(([stage, lists]) => ({ stage, ...lists })),
    shared,
  );
  const findings = [...whole.findings, ...parts.findings];
  return {
    scores: [...whole.scores, ...loadScores(load), ...parts.scores],
    findings,
    samples: { ...samplesOf(names, { once, again }), ...stageSamples(names, stages) },
    notes: findings.map(noteOf),
  };
}

function pairsOf(names: readonly string[]): [number, number][] {
  return names.flatMap((_, a) =>
    names.slice(a + 1).map((_unused, i): [number, number] => [a, a + 1 + i]),
  );
}

interface Series extends TwiceTimed {
  readonly stage?: string;
}

interface Family {
  readonly names: readonly string[];
  readonly against: string | undefined;
  readonly relevantEffect: number;
  readonly level: number;
  readonly rounds: Pick<Rounds, "durationMs" | "load">;
}

/** Certificates and pairs of several series, whose intervals hold all at once. */
function judgeFamily(
  family: readonly Series[],
  { names, against, relevantEffect, level, rounds: { durationMs, load } }: Family,
): { scores: RecordedScore[]; findings: Finding[] } {
  const scores: RecordedScore[] = [];
  const findings: Finding[] = [];
  const certified = { level: familyLevel(level, family.length * names.length), durationMs, load };
  const pairs = pairsOf(names);
  const scored = pairs.filter(
    ([a, b]) => against === undefined || [names[a], names[b]].includes(against),
  );
  const levelOf = (among: typeof pairs): number => familyLevel(level, family.length * among.length);
  for (const { stage, once, again } of family) {
    const within = stage === undefined ? {} : { stage };
    const certificates = names.map((_, i) => certify(once[i]!, again[i]!, certified));
    for (const [i, certificate] of certificates.entries()) {
      const of = { system: names[i]!, ...within };
      scores.push(
        named(
          { metric: "round-latency", unit: "ms", better: "lower", of },
          seriesQuantiles(once[i]!, [0.5], level)[0]!,
        ),
        ratioScore("self-ratio", of, certificate.ratio),
        effectScore(of, certificate),
      );
      findings.push(noiseFinding(of, certificate));
    }
    // Both runs of a round: A, A, B, B in an order drawn anew, whose noise halves.
    const both = (i: number): Float64Array => once[i]!.map((ms, r) => (ms + again[i]![r]!) / 2);
    for (const pair of pairs) {
      const [a, b] = pair;
      const of = { first: names[a]!, second: names[b]!, ...within };
      const worst = [certificates[a]!, certificates[b]!].find((c) => !c.passed) ?? certificates[a]!;
      const { verdict, why } = judge(
        ratioOf(both(a), both(b), levelOf(pairs)),
        relevantEffect,
        worst,
      );
      findings.push({ about: "comparison", of, verdict, why });
      if (!scored.includes(pair)) continue;
      const ratio = ratioOf(both(a), both(b), levelOf(scored));
      scores.push(ratioScore("latency-ratio", of, ratio), totalScore(of, ratio));
      if (ratio.value !== null && ratio.drift !== null)
        findings.push(driftFinding(of, ratio.drift));
    }
  }
  return { scores, findings };
}

function noiseFinding(of: Record<string, string>, certificate: NoiseCertificate): Finding {
  const verdict = certificate.passed ? "passed" : "failed";
  return { about: "noise", of, verdict, why: certificateWhy(certificate) };
}

function driftFinding(of: Record<string, string>, drift: number): Finding {
  const why = `the ratio drifts by ${(100 * drift).toFixed(1)}% from first to last round`;
  return { about: "drift", of, verdict: "drifting", why };
}

function loadScores(load: NoiseCertificate["load"]): RecordedScore[] {
  return (["before", "after"] as const).map((when) => {
    const value = load[when];
    return named(
      { metric: "load-average", unit: "count", better: "lower", of: { when } },
      value === null ? undefinedScore("the system does not tell its load") : exact(value),
    );
  });
}

function samplesOf(
  names: readonly string[],
  { once, again }: TwiceTimed,
  suffix = "",
): Record<string, number[]> {
  return Object.fromEntries(
    names.flatMap((name, i) => [
      [`${name}${suffix}`, [...once[i]!]],
      [`${name} again${suffix}`, [...again[i]!]],
    ]),
  );
}

function stageSamples(
  names: readonly string[],
  stages: NonNullable<Rounds["stages"]>,
): Record<string, number[]> {
  const lists = Object.entries(stages).map(([stage, s]) => samplesOf(names, s, `, ${stage}`));
  return Object.assign({}, ...lists) as Record<string, number[]>;
}

function noteOf({ about, of, verdict, why }: Finding): string {
  const within = of.stage === undefined ? "" : `, ${of.stage}`;
  if (about === "noise") return `noise certificate of ${of.system}${within}: ${verdict}; ${why}`;
  return `${of.second} against ${of.first}${within}: ${verdict}; ${why}`;
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
