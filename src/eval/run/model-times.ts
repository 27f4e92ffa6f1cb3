import { UserError } from "../../pipeline/errors.js";
import type { CellPlan } from "../experiments/cell.js";
import {
  latencyScores,
  samplesPerBlock,
  timingFindings,
  type ModelTiming,
  type TimedBlock,
} from "../experiments/model-cost.js";
import type { FinishedCell } from "../record/finished-cell.js";
import { named, undefinedScore } from "../stats/score.js";

/** Blocks a model, over the whole run: enough for the variance between them to be known. */
const blocks = 40;

/** Times of one model so far. */
export interface KeptTimes {
  readonly dataset: string;
  readonly pictures: number;
  readonly samplesMs: readonly number[];
}

/** What a block was taken for, so that its times are put with the others of its model. */
export interface DueBlock {
  readonly plan: CellPlan;
  readonly timing: ModelTiming;
  readonly number: number;
}

/**
 * The times of a run's models: each model is timed once, in blocks between the cells, the models in
 * turn, so that neither the moment nor the data set of a cell decides what a model costs, and its
 * interval knows how the machine's speed changed.
 */
export class ModelTimes {
  readonly #plans: ReadonlyMap<string, readonly CellPlan[]>;
  readonly #times = new Map<string, KeptTimes>();
  readonly #failed = new Map<string, number>();
  readonly #why = new Map<string, string>();

  /** @param kept of a run that was cut off, by key. */
  constructor(plans: readonly CellPlan[], kept: Readonly<Record<string, KeptTimes>> = {}) {
    this.#plans = grouped(plans.filter((plan) => plan.timing && !plan.problem));
    for (const [key, times] of Object.entries(kept))
      if (this.#plans.has(key)) this.#times.set(key, times);
  }

  /** What is taken next of every model, until a share of the run's blocks is there. */
  *due(share: number): Generator<DueBlock> {
    const wanted = Math.ceil(share * blocks);
    for (let number = 0; number < wanted; number++)
      for (const [key, plans] of this.#plans) {
        const plan = plans[this.#failed.get(key) ?? 0];
        if (!plan || this.#count(key) !== number) continue;
        yield { plan, timing: plan.timing!, number };
      }
  }

  #count(key: string): number {
    return (this.#times.get(key)?.samplesMs.length ?? 0) / samplesPerBlock;
  }

  add({ timing }: DueBlock, { samplesMs, pictures }: TimedBlock): void {
    if (samplesMs.length !== samplesPerBlock) {
      this.#next(timing.key, "none of the pictures could be used");
      return;
    }
    const before = this.#times.get(timing.key)?.samplesMs ?? [];
    this.#times.set(timing.key, {
      dataset: timing.dataset,
      pictures,
      samplesMs: [...before, ...samplesMs],
    });
  }

  /**
   * A model that cannot be timed on one data set is timed on the next. Where the process fell it is
   * not tried again.
   */
  fail({ timing }: DueBlock, error: unknown): void {
    if (!(error instanceof UserError) || error.code === "write-failed") throw error;
    this.#next(timing.key, error.message, error.code === "cell-crashed");
  }

  #next(key: string, why: string, last = false): void {
    this.#why.set(key, why);
    this.#times.delete(key);
    this.#failed.set(key, last ? Infinity : (this.#failed.get(key) ?? 0) + 1);
  }

  /** By key, for a run that goes on later. */
  get kept(): Readonly<Record<string, KeptTimes>> {
    return Object.fromEntries(this.#times);
  }

  /** A measured cell with what its model costs in time. */
  complete(done: FinishedCell, plan: CellPlan, level: number): FinishedCell {
    const { cell } = done;
    if (cell.state === "failed" || !plan.timing) return done;
    const { key, stage } = plan.timing;
    const times = this.#times.get(key);
    if (!times) {
      const why = `not timed: ${this.#why.get(key) ?? "the run ended before"}`;
      const score = named(
        { metric: "latency", unit: "ms", better: "lower", of: { stage, percentile: "50" } },
        undefinedScore(why),
      );
      return { ...done, cell: { ...cell, scores: [...cell.scores, score] } };
    }
    const { dataset, pictures, samplesMs } = times;
    const groups = {
      blocks: Int32Array.from(samplesMs, (_, i) => Math.floor(i / samplesPerBlock)),
      items: Int32Array.from(samplesMs, (_, i) => i % pictures),
    };
    const findings = timingFindings({ [stage]: samplesMs });
    return {
      ...done,
      cell: {
        ...cell,
        scores: [...cell.scores, ...latencyScores(stage, samplesMs, level, [50, 90], groups)],
        ...((cell.findings ?? findings).length > 0 && {
          findings: [...(cell.findings ?? []), ...findings],
        }),
        timed: { stage, dataset, pictures, samplesPerBlock },
      },
      samples: { ...done.samples, [stage]: samplesMs },
    };
  }
}

function grouped(plans: readonly CellPlan[]): Map<string, CellPlan[]> {
  const by = new Map<string, CellPlan[]>();
  for (const plan of plans) {
    const { key } = plan.timing!;
    by.set(key, [...(by.get(key) ?? []), plan]);
  }
  return by;
}
