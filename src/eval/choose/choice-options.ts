import type { Clock, Progress } from "../../pipeline/types.js";
import type { ChoiceData } from "./data/choice-data.js";
import type { Limits } from "./limits.js";

export interface ChoiceEvents {
  /** What is being done, in a few words. */
  readonly stage: (text: string) => void;
  readonly progress: Progress;
}

export interface ChoiceOptions {
  readonly data: ChoiceData;
  readonly limits: Limits;
  readonly k: number;
  readonly budgetMs: number;
  /** Figures are wanted for so many vectors; left out: for those there are. */
  readonly growTo?: number;
  /** When the budget began, by the clock: reading the files counts. Left out: now. */
  readonly startedMs?: number;
  readonly engines: readonly string[];
  /** Folder where built indexes are kept. */
  readonly builds: string;
  readonly seed: string;
  readonly events: ChoiceEvents;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}
