import type { UserError } from "../../pipeline/errors.js";
import type { Progress } from "../../pipeline/types.js";
import type { Resources } from "../observe/resources.js";
import type { Finding } from "../record/record.js";
import type { IntervalPlan } from "../stats/interval-plan.js";
import type { FinishedCell } from "../record/finished-cell.js";
import type { ModelTiming } from "./model-cost.js";

/** Hashes by what they are of: `card models/light/card.yaml`, `pictures of goods`. */
export type Sources = Readonly<Record<string, string>>;

/**
 * All that a cell comes from besides code and config. `files` is asked before the cell is measured
 * and `pictures` after it, when hashes of what was `measured` are at hand: what changes meanwhile
 * is never taken for that.
 */
export interface CellSources {
  files(): Promise<Sources>;
  pictures(of: "measured" | "now"): Promise<Sources>;
}

/** One cell of an experiment's sweep, ready to be measured. */
export interface CellPlan {
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Why it cannot be measured, where that is known beforehand: a missing file, a broken card. */
  readonly problem?: UserError;
  /** What times the cell's model: the run does, once for all cells that have the same. */
  readonly timing?: ModelTiming;
  readonly sources: CellSources;
  measure(context: CellContext): Promise<CellOutcome>;
}

export interface CellContext {
  readonly resources: Resources;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** How the intervals of its scores are made. */
  readonly intervals: IntervalPlan;
}

export interface CellOutcome extends Omit<FinishedCell, "cell" | "cases"> {
  readonly versions: Readonly<Record<string, string>>;
  readonly scores: Extract<FinishedCell["cell"], { state: "completed" }>["scores"];
  readonly errors?: Extract<FinishedCell["cell"], { state: "completed" }>["errors"];
  readonly notes?: readonly string[];
  readonly findings?: readonly Finding[];
  /** Rows without their `cell`, which the runner fills in. */
  readonly cases: readonly Omit<FinishedCell["cases"][number], "cell">[];
}
