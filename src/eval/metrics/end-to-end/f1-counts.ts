import type { F1Definition, Tally } from "./f1-tally.js";

/** F1 = 2 TP / (2 TP + FP + FN); null where there is neither truth nor answer. */
export function f1Of(tp: number, fp: number, fn: number): number | null {
  return tp + fp + fn > 0 ? (2 * tp) / (2 * tp + fp + fn) : null;
}

/** Precision, recall and F1 of one operating point; null where a share has no denominator. */
export interface F1Point {
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
}

/**
 * Counts by group that can be added to and taken from, with the averages kept up to date: a sweep
 * over thresholds touches only the groups that change. A macro average runs over the groups with
 * truth; one of them without any answer has precision 0.
 */
export class Counts {
  readonly #macro: boolean;
  readonly #groups = new Map<string, [tp: number, fp: number, fn: number]>();
  #tp = 0;
  #fp = 0;
  #fn = 0;
  #withTruth = 0;
  #precisions = 0;
  #recalls = 0;
  #f1s = 0;

  constructor(definition: F1Definition) {
    this.#macro = definition === "D";
  }

  add(tallies: readonly Tally[], sign: 1 | -1 = 1): void {
    for (const { group, tp, fp, fn } of tallies) {
      this.#tp += sign * tp;
      this.#fp += sign * fp;
      this.#fn += sign * fn;
      if (!this.#macro) continue;
      let counts = this.#groups.get(group);
      if (!counts) this.#groups.set(group, (counts = [0, 0, 0]));
      this.#average(counts, -1);
      counts[0] += sign * tp;
      counts[1] += sign * fp;
      counts[2] += sign * fn;
      this.#average(counts, 1);
    }
  }

  get point(): F1Point {
    const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
    const counts = { tp: this.#tp, fp: this.#fp, fn: this.#fn };
    if (this.#macro) {
      return {
        precision: share(this.#precisions, this.#withTruth),
        recall: share(this.#recalls, this.#withTruth),
        f1: share(this.#f1s, this.#withTruth),
        ...counts,
      };
    }
    return {
      precision: share(this.#tp, this.#tp + this.#fp),
      recall: share(this.#tp, this.#tp + this.#fn),
      f1: f1Of(this.#tp, this.#fp, this.#fn),
      ...counts,
    };
  }

  #average([tp, fp, fn]: readonly [number, number, number], sign: 1 | -1): void {
    if (tp + fn === 0) return;
    this.#withTruth += sign;
    this.#precisions += sign * (tp + fp > 0 ? tp / (tp + fp) : 0);
    this.#recalls += (sign * tp) / (tp + fn);
    this.#f1s += (sign * 2 * tp) / (2 * tp + fp + fn);
  }
}
