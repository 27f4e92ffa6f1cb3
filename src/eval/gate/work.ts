import type { Progress, Protocol } from "../../pipeline/types.js";
import type { LoadedConfig } from "../config/config.js";
import type { ItemError } from "../observe/observations.js";
import { Resources } from "../observe/resources.js";

/** What a gate works with: caches, threads, and how it is stopped. */
export interface GateWork {
  readonly resources: Resources;
  readonly protocol: Protocol;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Opens it. The config names no measurement: a gate asks for its models and data sets by path. */
export function openWork(
  cache: string,
  settings: Readonly<Record<string, string>>,
  { progress, signal }: Pick<GateWork, "progress" | "signal">,
): GateWork {
  const loaded: LoadedConfig = {
    file: "the command line",
    folder: process.cwd(),
    config: {
      schema: 1,
      name: "gate",
      title: "Gate",
      version: 1,
      protocol: "standard",
      settings: { ...settings },
      measure: [],
      expect: [],
    },
  };
  return { resources: new Resources(loaded, cache), protocol: "standard", progress, signal };
}

/** What became of one item under one model. */
export interface Answer {
  /** Right or wrong; null where the item cannot be answered at all, or the model failed on it. */
  readonly right: boolean | null;
  /** What was said; null where nothing was. */
  readonly said: string | null;
  readonly failed: boolean;
}

/** One item as both sides answered it, for the tables of flips. */
export interface JudgedItem {
  readonly item: string;
  /** Path of its picture below the data set's image root. */
  readonly image: string | null;
  readonly truth: string | null;
  readonly baseline: Answer;
  readonly candidate: Answer;
}

/** Items that a side could not be measured on, by item. */
export function failuresOf(errors: readonly ItemError[]): ReadonlyMap<string, ItemError> {
  return new Map(errors.map((e) => [e.item, e]));
}
