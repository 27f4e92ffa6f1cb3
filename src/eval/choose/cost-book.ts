import { predictCost, usualExponent, type Cost } from "./budget.js";
import { settingKey, type Setting } from "./point.js";

/** What building and sweeping took, setting by setting, and what it would take at another size. */
export class CostBook {
  readonly #build = new Map<string, Cost[]>();
  readonly #sweep = new Map<string, Cost[]>();

  noteBuild(setting: Setting, cost: Cost): void {
    append(this.#build, settingKey(setting), cost);
  }

  noteSweep(setting: Setting, cost: Cost): void {
    append(this.#sweep, settingKey(setting), cost);
  }

  /** Milliseconds for building and sweeping at a size; null where neither was ever done. */
  totalMs(setting: Setting, size: number): number | null {
    const key = settingKey(setting);
    const usual = usualExponent(setting.factory);
    const build = predictCost(this.#build.get(key) ?? [], size, usual);
    const sweep = predictCost(this.#sweep.get(key) ?? [], size, sweepExponent);
    return build === null || sweep === null ? null : build + sweep;
  }
}

/** The number of queries is the same at each size, and a search grows slower than the index. */
const sweepExponent = 0.8;

function append(to: Map<string, Cost[]>, key: string, cost: Cost): void {
  to.set(key, [...(to.get(key) ?? []), cost]);
}
