import { isCodes, type Clock } from "../../pipeline/types.js";
import { measured, undefinedScore } from "../stats/score.js";
import type { Built } from "./building/built.js";
import type { BuildStore } from "./building/build-store.js";
import { seconds, type Workshop } from "./building/workshop.js";
import { unseenCost, type Budget } from "./budget.js";
import type { CostBook } from "./cost-book.js";
import type { ChoiceData } from "./data/choice-data.js";
import { measureFootprint, type FootprintAnswer } from "./building/footprint.js";
import type { Effort } from "./measure.js";
import {
  isYardstick,
  settingKey,
  type Family,
  type Figures,
  type Point,
  type Setting,
} from "./point.js";
import { sweepKnob } from "./sweep.js";
import type { Truth } from "./truth.js";

/** Why a setting was not measured at the full size. */
export interface Omission {
  readonly setting: Setting;
  readonly family: Family;
  readonly why: string;
  /** `time`: the budget did not reach so far; `build`: it was refused, or cut off. */
  readonly cause: "time" | "build" | "size";
}

export interface RungOptions {
  readonly data: ChoiceData;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly workshop: Pick<Workshop, "build">;
  readonly costs: CostBook;
  /** Kept for what follows the sweep. */
  readonly reserveMs: number;
  readonly signal: AbortSignal;
}

/** A build may take so many times as long as foretold, and this much more, before it is cut off. */
const lateness = 2;
const latenessMs = 3000;
/** Where nothing is foretold, one index may take this share of the time there is. */
const unknownShare = 0.3;

/** All settings at one size. */
export class Rung {
  readonly truth: Truth;
  readonly points: Point[] = [];
  readonly omissions: Omission[] = [];
  readonly open = new Map<string, Built>();
  readonly #options: RungOptions;
  /** What the budget has left when this size has had its time. */
  readonly #leaveMs: number;

  /** @param share of the time left, that all settings together may take at this size. */
  constructor(truth: Truth, options: RungOptions, share: number) {
    const { budget, reserveMs } = options;
    this.truth = truth;
    this.#options = options;
    this.#leaveMs = reserveMs + (1 - share) * Math.max(0, budget.leftMs - reserveMs);
  }

  /** Builds and sweeps one setting, if it can be afforded, and closes it again. */
  async tryOut(setting: Setting, effort: Effort): Promise<void> {
    const built = await this.#build(setting, null);
    if (built === null) return;
    await this.#sweep(built, effort);
    built.index.close();
  }

  /** The same at the full size: the index stays open, and is kept where it took long to build. */
  async measure(setting: Setting, effort: Effort, store: BuildStore): Promise<void> {
    const kept = (await store.find(setting))?.built ?? null;
    const built = kept ?? (await this.#build(setting, store));
    if (built === null) return;
    this.open.set(settingKey(setting), built);
    await this.#sweep(built, effort);
  }

  /** Resident memory and the time to load an open index, by a fresh process. */
  async footprint(built: Built, store: BuildStore): Promise<void> {
    const saved = (await store.saved(built.setting)) ?? (await store.keep(built));
    this.amend(built.setting, footprintFigures(await measureFootprint(saved), built.size));
  }

  /** Adds figures to all points of a setting. */
  amend(setting: Setting, figures: Figures): void {
    const key = settingKey(setting);
    this.points.forEach((point, i) => {
      if (settingKey(point.setting) !== key) return;
      this.points[i] = { ...point, figures: { ...point.figures, ...figures } };
    });
  }

  close(): void {
    for (const { index } of this.open.values()) index.close();
    this.open.clear();
  }

  get #leftMs(): number {
    return this.#options.budget.leftMs - this.#leaveMs;
  }

  async #build(setting: Setting, store: BuildStore | null): Promise<Built | null> {
    const { signal, clock, workshop, costs } = this.#options;
    const { size } = this.truth;
    signal.throwIfAborted();
    if (size < setting.leastSize) return this.#omit(setting, "size", tooFew(setting, size));
    const expectedMs = costs.totalMs(setting, size) ?? (this.#unseenMs(setting) || null);
    const left = this.#leftMs;
    // Without an exact search at the full size there is no answer at all.
    const always = isYardstick(setting);
    if (!always && (left <= 0 || (expectedMs ?? 0) > left)) {
      return this.#omit(setting, "time", tooLong(expectedMs, left));
    }
    const mostMs = always ? Infinity : allowance(expectedMs, left);
    const start = clock();
    const work = await workshop.build({ setting, size, expectedMs, mostMs, store });
    if ("why" in work) return this.#omit(setting, "build", work.why);
    costs.noteBuild(setting, { size, ms: clock() - start });
    return work.built;
  }

  #unseenMs({ factory }: Setting): number {
    const { rows } = this.#options.data.gallery;
    return isCodes(rows) ? 0 : unseenCost(factory, this.truth.size, rows.dim);
  }

  async #sweep(built: Built, effort: Effort): Promise<void> {
    const { clock, costs } = this.#options;
    const start = clock();
    await sweepKnob(built, {
      truth: this.truth,
      effort,
      all: this.points,
      go: () => this.#leftMs > 0,
    });
    costs.noteSweep(built.setting, { size: built.size, ms: clock() - start });
  }

  #omit(setting: Setting, cause: Omission["cause"], why: string): null {
    this.omissions.push({ setting, family: setting.family, cause, why });
    return null;
  }
}

/** How long a build may last where so much time is left for it. */
export function allowance(expectedMs: number | null, leftMs: number): number {
  if (expectedMs === null) return Math.max(latenessMs, unknownShare * leftMs);
  return Math.min(leftMs, lateness * expectedMs + latenessMs);
}

function tooFew({ leastSize }: Setting, size: number): string {
  return `${size} vectors; it is trained on ${leastSize} or more`;
}

function tooLong(expectedMs: number | null, leftMs: number): string {
  const left = `the budget leaves it ${seconds(leftMs)}`;
  if (expectedMs === null) return `not measured: ${left}`;
  return `not measured: its build and search would take about ${seconds(expectedMs)}; ${left}`;
}

function footprintFigures(answer: FootprintAnswer, size: number): Figures {
  if ("failed" in answer) {
    const unknown = undefinedScore(answer.failed);
    return { memoryBytes: unknown, coldLoadMs: unknown };
  }
  return {
    memoryBytes: measured(answer.memoryBytes, size),
    coldLoadMs: measured(answer.coldLoadMs, size),
  };
}
