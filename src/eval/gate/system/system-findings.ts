import { accepted } from "../../../pipeline/acceptance.js";
import { f1Difference } from "../../metrics/end-to-end/f1.js";
import { objectLosses, type ObjectLoss } from "../../metrics/end-to-end/waterfall.js";
import { lossStages } from "../../metrics/end-to-end/waterfall-evidence.js";
import { twoSidedLevel } from "../../stats/interval-plan.js";
import { ratioStatistic } from "../../stats/resampled-statistic.js";
import type { ObservedScenes, Scene } from "../../experiments/pipeline.js";
import type { Finding } from "../measures.js";
import { estimateFinding, pairedStatistics, resamples, shareFinding, unusable } from "../paired.js";
import {
  worst,
  type FindingOptions,
  type StageCount,
  type TaskFindings,
} from "../task-findings.js";
import type { Answer, JudgedItem } from "../work.js";

export interface SystemFindingOptions extends FindingOptions {
  /** Score that an answer needs, on either side. */
  readonly threshold: number;
}

/** The stages at which an object is lost before each of these shares counts it. */
const reached = {
  "objects-located": ["missed", "wrong-crop"],
  "objects-matched": ["missed", "wrong-crop", "embedding", "index"],
  "objects-accepted": ["missed", "wrong-crop", "embedding", "index", "threshold"],
  "objects-recognised": ["missed", "wrong-crop", "embedding", "index", "threshold", "suppressed"],
} as const;

/** One pipeline's answers, picture by picture. */
interface Judged {
  readonly losses: readonly (readonly ObjectLoss[])[];
  readonly labels: readonly (readonly string[])[];
}

/** Task deltas of two pipelines on the same scenes: F1, and how far objects come through. */
export function systemFindings(
  baseline: ObservedScenes,
  candidate: ObservedScenes,
  options: SystemFindingOptions,
): TaskFindings {
  const [first, second] = [judged(baseline, options), judged(candidate, options)];
  const items = judgedScenes(baseline, candidate, first, second);
  const alike = first.labels.map((labels, i) => agreement(labels, second.labels[i]!));
  return {
    items,
    moved: worst(
      items.map(({ item }) => item),
      alike,
    ),
    stages: stageCounts(first, second),
    findings: [
      f1Finding(baseline, candidate, options),
      ...survival(first, second, options),
      shareFinding(
        "top-1-flips",
        options.dataset,
        alike.map((a) => a < 1),
      ),
      unusable(items, options.dataset),
    ],
  };
}

function judged({ scenes, rule }: ObservedScenes, { threshold }: SystemFindingOptions): Judged {
  const success = "box" as const;
  return {
    losses: scenes.map(({ crops }) => objectLosses(crops, { ...rule, threshold, success })),
    labels: scenes.map(({ recognitions }) =>
      accepted(recognitions, rule, threshold).map((i) => recognitions[i]!.label ?? ""),
    ),
  };
}

function f1Finding(
  baseline: ObservedScenes,
  candidate: ObservedScenes,
  options: SystemFindingOptions,
): Finding {
  const evidence = ({ scenes }: ObservedScenes) => scenes.map((s) => s.evidence);
  const found = f1Difference(
    evidence(candidate),
    evidence(baseline),
    "C",
    [candidate.rule, baseline.rule],
    [options.threshold, options.threshold],
    { level: twoSidedLevel(options.level), resamples, seed: "gate F1" },
  );
  return estimateFinding("F1", found, options);
}

function survival(first: Judged, second: Judged, options: SystemFindingOptions): Finding[] {
  const objects = first.losses.map((list) => list.length);
  if (objects.every((n) => n === 0)) {
    const why = "no picture has an object that the gallery knows";
    const { dataset } = options;
    return Object.keys(reached).map((measure) => ({ measure, dataset, value: null, why }));
  }
  return Object.entries(reached).map(([measure, lostAt]) => {
    const share = ({ losses }: Judged) =>
      ratioStatistic(
        losses.map((list) => list.filter(({ stage }) => !lostAt.includes(stage as never)).length),
        objects,
      );
    return pairedStatistics(measure, share(first), share(second), options);
  });
}

function stageCounts(first: Judged, second: Judged): StageCount[] {
  return lossStages.map((stage) => {
    const count = ({ losses }: Judged) => losses.flat().filter((l) => l.stage === stage).length;
    return { stage, baseline: count(first), candidate: count(second) };
  });
}

function judgedScenes(
  baseline: ObservedScenes,
  candidate: ObservedScenes,
  first: Judged,
  second: Judged,
): JudgedItem[] {
  const answer = (scene: Scene, side: Judged, i: number): Answer => ({
    right: side.losses[i]!.length === 0 ? null : side.losses[i]!.every(isRecognised),
    said: side.labels[i]!.join(", "),
    failed: scene.width === 0,
  });
  return baseline.scenes.map((scene, i) => ({
    item: scene.evidence.image,
    image: scene.evidence.image,
    truth: scene.evidence.truth.map((t) => t.label).join(", "),
    baseline: answer(scene, first, i),
    candidate: answer(candidate.scenes[i]!, second, i),
  }));
}

const isRecognised = ({ stage }: ObjectLoss): boolean => stage === "correct";

/** Answers that two lists share, as a share of the longer; 1 where neither has any. */
function agreement(first: readonly string[], second: readonly string[]): number {
  const longest = Math.max(first.length, second.length);
  if (longest === 0) return 1;
  const left = [...second];
  const common = first.filter((label) => {
    const at = left.indexOf(label);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
  return common.length / longest;
}
