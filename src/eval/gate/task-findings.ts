import type { LossStage } from "../metrics/end-to-end/waterfall-evidence.js";
import type { Finding } from "./measures.js";
import type { PairedOptions } from "./paired.js";
import type { JudgedItem } from "./work.js";

/** How far one picture's outputs moved, for the list of the worst. */
export interface MovedItem {
  readonly item: string;
  readonly image: string | null;
  /** Of embeddings a cosine, of codes the share of equal bits, of boxes the share that pairs. */
  readonly agreement: number;
}

/** Objects of a whole pipeline that ended at one stage of the loss waterfall. */
export interface StageCount {
  readonly stage: LossStage;
  readonly baseline: number;
  readonly candidate: number;
}

/** What two sides gave on one data set. */
export interface TaskFindings {
  readonly findings: readonly Finding[];
  readonly items: readonly JudgedItem[];
  /** The pictures that agree least, worst first. */
  readonly moved: readonly MovedItem[];
  readonly stages?: readonly StageCount[];
}

export interface FindingOptions extends PairedOptions {
  /** Pictures whose outputs are compared number by number. */
  readonly sample: number;
}

/** Items in all that the list of the worst holds. */
const shown = 12;

/** The items that agree least. */
export function worst(names: readonly string[], agreements: readonly number[]): MovedItem[] {
  return names
    .map((item, i) => ({ item, image: item, agreement: agreements[i]! }))
    .sort((a, b) => a.agreement - b.agreement)
    .slice(0, shown);
}
