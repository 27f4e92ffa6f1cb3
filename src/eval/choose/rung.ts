import { isCodes, type Clock } from "../../pipeline/types.js";
import { UserError } from "../../pipeline/errors.js";
import { measured, undefinedScore } from "../stats/score.js";
import { build, type Built } from "./built.js";
import type { BuildStore } from "./build-store.js";
import { predictCost, unseenCost, type Budget, type Cost } from "./budget.js";
import { firstRows, type ChoiceData } from "./choice-data.js";
import { measureFootprint, type FootprintAnswer } from "./footprint.js";
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
}

export interface RungOptions {
  readonly data: ChoiceData;
  readonly budget: Budget;
  readonly clock: Clock;
  /** Kept for what follows the sweep. */
  readonly reserveMs: number;
  readonly signal: AbortSignal;
}

/** What building and sweeping took, setting by setting. */
export class CostBook {
  readonly #build = new Map<string, Cost[]>();
  readonly #sweep = new Map<string, Cost[]>();

  noteBuild(setting: Setting, cost: Cost): void {
    append(this.#build, settingKey(setting), cost);
  }

  noteSweep(setting: Setting, cost: Cost): void {
    append(this.#sweep, settingKey(setting), cost);
  }

  /** Milliseconds for building at a size; null where it was never built. */
  buildMs(setting: Setting, size: number): number | null {
    return predictCost(this.#build.get(settingKey(setting)) ?? [], size);
  }

  totalMs(setting: Setting, size: number): number | null {
    const build = this.buildMs(setting, size);
    const sweep = predictCost(this.#sweep.get(settingKey(setting)) ?? [], size);
    return build === null || sweep === null ? null : build + sweep;
  }
}

/** On a sample, an index may take no more than this share of the time left. */
const sampleShare = 0.15;

/** Builds that took longer are kept on disk for the next choice. */
const worthKeepingMs = 1000;

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

function append(to: Map<string, Cost[]>, key: string, cost: Cost): void {
  to.set(key, [...(to.get(key) ?? []), cost]);
}

/** All settings at one size. */
export class Rung {
  readonly truth: Truth;
  readonly points: Point[] = [];
  readonly omissions: Omission[] = [];
  readonly open = new Map<string, Built>();
  readonly #options: RungOptions;
  readonly #costs: CostBook;

  constructor(truth: Truth, costs: CostBook, options: RungOptions) {
    this.truth = truth;
    this.#costs = costs;
    this.#options = options;
  }

  /** Builds and sweeps one setting, if it can be afforded, and closes it again. */
  async tryOut(setting: Setting, effort: Effort): Promise<void> {
    if (!this.#affordable(setting, sampleShare)) return;
    const built = await this.#build(setting);
    if (built === null) return;
    await this.#sweep(built, effort);
    built.index.close();
  }

  /** The same at the full size: the index stays open, and is kept where it took long to build. */
  async measure(setting: Setting, effort: Effort, store: BuildStore): Promise<void> {
    const built = (await store.find(setting))?.built ?? (await this.#buildAnew(setting, store));
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

  #affordable(setting: Setting, share: number): boolean {
    const { signal, budget, reserveMs } = this.#options;
    const { size } = this.truth;
    signal.throwIfAborted();
    if (size < setting.leastSize) return this.#omit(setting, tooFew(setting, size));
    const expected = this.#costs.totalMs(setting, size) ?? this.#unseenMs(setting);
    // Without an exact search at the full size there is no answer at all.
    if (isYardstick(setting)) return true;
    const left = share * (budget.leftMs - reserveMs);
    return expected <= left || this.#omit(setting, tooLong(expected, left));
  }

  #unseenMs({ factory }: Setting): number {
    const { rows } = this.#options.data.gallery;
    return isCodes(rows) ? 0 : unseenCost(factory, this.truth.size, rows.dim);
  }

  async #buildAnew(setting: Setting, store: BuildStore): Promise<Built | null> {
    if (!this.#affordable(setting, 1)) return null;
    const built = await this.#build(setting);
    if (built && built.trainMs + built.addMs > worthKeepingMs) await store.keep(built);
    return built;
  }

  async #build(setting: Setting): Promise<Built | null> {
    const { data, clock } = this.#options;
    const { size } = this.truth;
    const start = clock();
    try {
      const built = await build(setting, firstRows(data.gallery.rows, size), data.metric);
      this.#costs.noteBuild(setting, { size, ms: clock() - start });
      return built;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#omit(setting, error.complaint.message);
      return null;
    }
  }

  async #sweep(built: Built, effort: Effort): Promise<void> {
    const { budget, reserveMs, clock } = this.#options;
    const start = clock();
    await sweepKnob(built, {
      truth: this.truth,
      effort,
      all: this.points,
      go: () => budget.leftMs > reserveMs,
    });
    this.#costs.noteSweep(built.setting, { size: built.size, ms: clock() - start });
  }

  #omit(setting: Setting, why: string): false {
    this.omissions.push({ setting, family: setting.family, why });
    return false;
  }
}

function tooFew({ leastSize }: Setting, size: number): string {
  return `${size} vectors; it is trained on ${leastSize} or more`;
}

function tooLong(expectedMs: number, leftMs: number): string {
  const seconds = (ms: number): string => `${Math.max(0, ms / 1000).toFixed(0)} s`;
  return `would take ${seconds(expectedMs)}; the budget leaves it ${seconds(leftMs)}`;
}
