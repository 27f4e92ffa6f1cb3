import type { Change } from "./change.js";
import type { GateConfig } from "./config.js";
import type { ContenderModel } from "./contender.js";
import type { TimedPair } from "./cost.js";
import { judgeLimits, type LimitResult } from "./limits.js";
import type { Finding } from "./measures.js";
import type { MovedItem, StageCount } from "./task-findings.js";
import { inAll, type Verdict } from "./verdict.js";
import type { JudgedItem } from "./work.js";

/** The whole judgement of a candidate. */
export interface GateResult {
  readonly gate: string;
  readonly title: string;
  readonly task: GateConfig["task"];
  readonly verdict: Verdict;
  /** Whether the verdict, as the config counts it, lets the candidate through. */
  readonly accepted: boolean;
  readonly change: Change;
  readonly level: number;
  readonly baseline: GateSide;
  readonly candidate: GateSide;
  readonly limits: readonly LimitResult[];
  /** All that was measured, with a limit or without. */
  readonly findings: readonly Finding[];
  readonly datasets: readonly DatasetResult[];
  readonly latency: TimedPair | null;
  readonly notes: readonly string[];
}

export interface GateSide {
  readonly name: string;
  readonly version: string;
  /** Of the model file; null where the side is a record, or more than one file. */
  readonly sha256: string | null;
}

/** The items of one data set. */
export interface DatasetResult {
  readonly name: string;
  /** Image root, relative to the project where it lies inside. */
  readonly images: string;
  readonly hash: string;
  readonly items: readonly JudgedItem[];
  readonly moved: readonly MovedItem[];
  /** Of a whole pipeline: where its objects were lost. */
  readonly stages?: readonly StageCount[];
}

/** What was measured, before limits are held against it. */
export type Measured = Pick<
  GateResult,
  "baseline" | "candidate" | "change" | "findings" | "datasets" | "latency" | "notes"
>;

/** Holds a config's limits against what was measured. */
export function judgement(config: GateConfig, measured: Measured): GateResult {
  const { name, title, task, level, cannotTell } = config;
  const { change, findings } = measured;
  const limits = judgeLimits(config.limits, findings, { change, level });
  const verdict = inAll(limits.map((l) => l.verdict));
  return {
    gate: name,
    title,
    task,
    verdict,
    accepted: verdict === "pass" || (verdict === "cannot tell" && cannotTell === "pass"),
    level,
    limits,
    ...measured,
  };
}

export function sideOf({ card, sha256 }: ContenderModel): GateSide {
  return { name: card.name, version: card.version, sha256 };
}
