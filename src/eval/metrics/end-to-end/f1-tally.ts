import { iou } from "../../../pipeline/box.js";
import type { Box } from "../../../pipeline/types.js";
import { matchGreedily } from "../box-match.js";
import type { TruthObject } from "./f1-evidence.js";

/**
 * The paper reports an F1 of 0.3306 on its test set (section 3.5) and defines it nowhere. These are
 * the readings that it allows; each is named wherever a number is shown.
 *
 * - `A` image top-1, micro: the first answer of a picture against the set of its labels, one
 *   decision a picture.
 * - `B` label set, micro: the set of answered labels against the set of true labels, summed over
 *   pictures.
 * - `C` box and label, micro: answers in the pipeline's order, each matched one to one with the
 *   unmatched truth object of its label that it overlaps most, at IoU 0.5 or more.
 * - `D` label set, macro: B counted for each label, then the mean of the labels' F1 over all labels
 *   that occur in the truth (Opitz and Burst 2019 call this the averaged F1, and show why the F1 of
 *   averages is another thing).
 */
export type F1Definition = "A" | "B" | "C" | "D";

export const f1Definitions: readonly F1Definition[] = ["A", "B", "C", "D"];

export const f1Names: Readonly<Record<F1Definition, string>> = {
  A: "image top-1, micro",
  B: "label set, micro",
  C: "box and label at IoU 0.5, micro",
  D: "label set, macro over labels",
};

/**
 * Hits, false answers and misses of one picture, for one label (or for all of them together in a
 * micro average).
 */
export interface Tally {
  /** The label, or the empty string in a micro average. */
  readonly group: string;
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
}

interface Answer {
  readonly box: Box;
  readonly label: string | null;
}

/** Counts one picture. `answers` are in the pipeline's order and all bear a label. */
export function tally(
  definition: F1Definition,
  truth: readonly TruthObject[],
  answers: readonly Answer[],
  iouThreshold = 0.5,
): Tally[] {
  switch (definition) {
    case "A": {
      const first = answers[0];
      const right = first !== undefined && truth.some((t) => t.label === first.label);
      return [micro(right ? 1 : 0, first && !right ? 1 : 0, truth.length > 0 && !right ? 1 : 0)];
    }
    case "B": {
      const { hits, extra, missed } = labelSets(truth, answers);
      return [micro(hits.length, extra.length, missed.length)];
    }
    case "C": {
      const matched = matchBoxes(truth, answers, iouThreshold).filter((a) => a >= 0).length;
      return [micro(matched, answers.length - matched, truth.length - matched)];
    }
    case "D": {
      const { hits, extra, missed } = labelSets(truth, answers);
      return [
        ...hits.map((group) => ({ group, tp: 1, fp: 0, fn: 0 })),
        ...extra.map((group) => ({ group, tp: 0, fp: 1, fn: 0 })),
        ...missed.map((group) => ({ group, tp: 0, fp: 0, fn: 1 })),
      ];
    }
  }
}

function micro(tp: number, fp: number, fn: number): Tally {
  return { group: "", tp, fp, fn };
}

function labelSets(
  truth: readonly TruthObject[],
  answers: readonly Answer[],
): { hits: string[]; extra: string[]; missed: string[] } {
  const wanted = new Set(truth.map((t) => t.label));
  const given = new Set(answers.map((a) => a.label as string));
  return {
    hits: [...wanted].filter((l) => given.has(l)),
    extra: [...given].filter((l) => !wanted.has(l)),
    missed: [...wanted].filter((l) => !given.has(l)),
  };
}

/**
 * One-to-one matching of definition C: answers in order, each takes the free truth object of its
 * label with the largest IoU of at least `iouThreshold` (the earlier object where two are equal).
 *
 * @returns for each truth object the place of its answer, or -1.
 */
export function matchBoxes(
  truth: readonly TruthObject[],
  answers: readonly Answer[],
  iouThreshold: number,
): number[] {
  const objectOf = matchGreedily(
    answers.length,
    truth.length,
    (a, t) => (truth[t]!.label === answers[a]!.label ? iou(truth[t]!.box, answers[a]!.box) : 0),
    iouThreshold,
  );
  return truth.map((_, t) => objectOf.indexOf(t));
}
