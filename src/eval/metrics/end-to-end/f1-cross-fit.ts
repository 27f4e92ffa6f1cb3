import { accepted, type AcceptanceRule } from "../../../pipeline/acceptance.js";
import { studentQuantile } from "../../stats/clusters.js";
import { defaultIntervals } from "../../stats/interval-plan.js";
import { hashFraction, Random } from "../../stats/random.js";
import { measured, undefinedScore } from "../../stats/score.js";
import type { Score } from "../../types.js";
import { f1Of } from "./f1-counts.js";
import { steps, type ImageEvidence } from "./f1-evidence.js";
import { plainF1At, tooFewForMacro } from "./f1.js";
import { bestPoint, sweepF1 } from "./f1-sweep.js";
import { tally, type F1Definition, type Tally } from "./f1-tally.js";

/** F1 of pictures that are each judged at a threshold that other pictures chose. */
export interface CrossFit {
  /** Mean over the splits. */
  readonly value: number;
  /** Spread over resampled pictures, each with a split and a choice of thresholds of its own. */
  readonly standardError: number;
  /** Median of the thresholds that were chosen. */
  readonly threshold: number;
  readonly splits: number;
}

export interface CrossFitOptions {
  readonly splits?: number;
  readonly resamples?: number;
  readonly seed?: number | string;
}

/**
 * Cross-fitting: the pictures are split into halves many times, the same splits whatever the
 * definition. Each half chooses the threshold of its best F1, the other is judged at it, and both
 * halves' counts together give the F1 of all pictures. One split's figure depends on the split by
 * more than its interval says; their mean hardly does.
 *
 * @returns null where some half gives no threshold, or no F1 at all.
 */
export function crossFitF1(
  images: readonly ImageEvidence[],
  definition: F1Definition,
  rule: AcceptanceRule,
  { splits = 25, resamples = 200, seed = 0 }: CrossFitOptions = {},
): CrossFit | null {
  const found = crossFitMean(images, definition, rule, { splits, seed });
  const standardError = found && spreadOf(images, definition, rule, { resamples, seed });
  return found === null || standardError === null ? null : { ...found, standardError, splits };
}

function crossFitMean(
  images: readonly ImageEvidence[],
  definition: F1Definition,
  rule: AcceptanceRule,
  { splits, seed }: { splits: number; seed: number | string },
): Pick<CrossFit, "value" | "threshold"> | null {
  let sum = 0;
  const chosen: number[] = [];
  for (let s = 0; s < splits; s++) {
    const sides = splitOf(images, `${seed}/split ${s}`);
    const counts: Tally[] = [];
    for (const side of [0, 1] as const) {
      const own = images.filter((_, i) => sides[i] === side);
      const best = bestPoint(sweepF1(own, definition, rule));
      if (best === null) return null;
      chosen.push(best.threshold);
      images.forEach((image, i) => {
        if (sides[i] !== side) counts.push(...tallyAt(image, definition, rule, best.threshold));
      });
    }
    const f1 = f1OfTallies(counts, definition);
    if (f1 === null) return null;
    sum += f1;
  }
  chosen.sort((a, b) => a - b);
  return { value: sum / splits, threshold: chosen[splits]! };
}

/**
 * F1 without an interval, for tables of what a rule is worth: at the threshold, or cross-fitted
 * where none is given.
 */
export function plainF1(
  images: readonly ImageEvidence[],
  definition: F1Definition,
  rule: AcceptanceRule,
  { threshold, seed = 0 }: { threshold: number | null; seed?: number | string },
): Score {
  if (threshold !== null) return plainF1At(images, definition, rule, threshold);
  const found = crossFitMean(images, definition, rule, { splits, seed });
  return found === null ? undefinedScore(noThreshold) : measured(found.value, images.length);
}

const noThreshold =
  "some half of the pictures gives no threshold: no truth objects, or no crop that found a label";

/** Splits whose mean is taken, and resamples for its spread. */
const splits = 25;
const resamples = 200;

/** The headline F1: of pictures that are each judged at a threshold that others chose. */
export interface HeldOutF1 {
  readonly definition: F1Definition;
  readonly f1: Score;
  /** Median of those that were chosen; null where none could be. */
  readonly threshold: number | null;
  readonly splits: number;
}

/**
 * Cross-fitted F1 with Student's interval around it; its spread counts the pictures, the split and
 * the choice of the threshold.
 */
export function heldOutF1(
  images: readonly ImageEvidence[],
  definition: F1Definition,
  rule: AcceptanceRule,
  { level = defaultIntervals.level, seed = 0 }: { level?: number; seed?: number | string } = {},
): HeldOutF1 {
  const found = crossFitF1(images, definition, rule, { splits, resamples, seed });
  const head = { definition, threshold: found?.threshold ?? null, splits };
  if (found === null) return { ...head, f1: undefinedScore(noThreshold) };
  const { value, standardError } = found;
  const n = images.length;
  const few =
    definition === "D"
      ? tooFewForMacro(images.map((image) => tallyAt(image, definition, rule, found.threshold)))
      : null;
  if (few !== null) return { ...head, f1: measured(value, n, null, few) };
  if (standardError <= 1e-12)
    return { ...head, f1: measured(value, n, null, "every resample gives the same value") };
  const half = studentQuantile(0.5 + level / 2, n - 1) * standardError;
  const [low, high] = [Math.max(0, value - half), Math.min(1, value + half)];
  const interval = { low, high, level, method: "cross-fit-bootstrap", units: n };
  return { ...head, f1: measured(value, n, interval) };
}

function tallyAt(
  { truth, recognitions }: ImageEvidence,
  definition: F1Definition,
  rule: AcceptanceRule,
  threshold: number,
): Tally[] {
  const answers = accepted(recognitions, rule, threshold).map((i) => recognitions[i]!);
  return tally(definition, truth, answers);
}

/** 0 or 1 a picture, by seed and name; distractors and others are halved apart. */
export function splitOf(images: readonly ImageEvidence[], seed: string): Uint8Array {
  const sides = new Uint8Array(images.length);
  for (const distractors of [false, true])
    images
      .map((evidence, i) => ({ i, evidence }))
      .filter(({ evidence }) => (evidence.truth.length === 0) === distractors)
      .map(({ i, evidence }) => ({ i, place: hashFraction(seed, evidence.image) }))
      .sort((a, b) => a.place - b.place || a.i - b.i)
      .forEach(({ i }, place) => {
        sides[i] = place % 2;
      });
  return sides;
}

/** F1 of counts, over all of them or as the mean of the labels that have truth. */
function f1OfTallies(tallies: readonly Tally[], definition: F1Definition): number | null {
  const groups = new Map<string, [number, number, number]>();
  for (const { group, tp, fp, fn } of tallies) {
    const sums = groups.get(group) ?? [0, 0, 0];
    groups.set(group, [sums[0] + tp, sums[1] + fp, sums[2] + fn]);
  }
  return meanF1([...groups.values()], definition);
}

function meanF1(
  groups: readonly (readonly [number, number, number])[],
  definition: F1Definition,
): number | null {
  if (definition !== "D") return groups[0] ? f1Of(...groups[0]) : null;
  const shown = groups.filter(([tp, , fn]) => tp + fn > 0);
  if (shown.length === 0) return null;
  return shown.reduce((s, counts) => s + f1Of(...counts)!, 0) / shown.length;
}

/** Thresholds that a resample chooses among: more would cost time and change little. */
const mostThresholds = 60;

/**
 * Standard deviation of one split's F1 over bootstrap samples of the pictures; the copies of a
 * picture stay on one side, or the choice would see what it is judged on.
 */
function spreadOf(
  images: readonly ImageEvidence[],
  definition: F1Definition,
  rule: AcceptanceRule,
  { resamples, seed }: { resamples: number; seed: number | string },
): number | null {
  const grid = thresholdsOf(images, rule);
  if (grid.length === 0) return null;
  const groups = new Map<string, number>();
  const rows = images.map((image) =>
    grid.map((threshold) =>
      tallyAt(image, definition, rule, threshold).map(({ group, tp, fp, fn }) => {
        const number = groups.get(group) ?? groups.size;
        groups.set(group, number);
        return [3 * number, tp, fp, fn] as const;
      }),
    ),
  );
  const random = new Random(seed).split("cross-fit");
  const weights = new Uint32Array(images.length);
  const sums = new Float64Array(3 * groups.size);
  const add = (side: Uint8Array, which: number, at: number): void => {
    for (let i = 0; i < rows.length; i++) {
      if (weights[i] === 0 || side[i] !== which) continue;
      for (const [g, tp, fp, fn] of rows[i]![at]!) {
        sums[g]! += weights[i]! * tp;
        sums[g + 1]! += weights[i]! * fp;
        sums[g + 2]! += weights[i]! * fn;
      }
    }
  };
  const value = (): number | null => {
    const parts: [number, number, number][] = [];
    for (let g = 0; g < sums.length; g += 3) parts.push([sums[g]!, sums[g + 1]!, sums[g + 2]!]);
    return meanF1(parts, definition);
  };
  const replicates: number[] = [];
  for (let r = 0; r < resamples; r++) {
    random.resample(weights);
    const sides = splitOf(images, `${seed}/resample ${r}`);
    const choose = (which: number): number => {
      let [best, bestAt] = [-1, 0];
      for (let at = 0; at < grid.length; at++) {
        sums.fill(0);
        add(sides, which, at);
        const f1 = value() ?? -1;
        if (f1 > best + 1e-12) [best, bestAt] = [f1, at];
      }
      return bestAt;
    };
    const [first, second] = [choose(0), choose(1)];
    sums.fill(0);
    add(sides, 1, first);
    add(sides, 0, second);
    const f1 = value();
    if (f1 !== null) replicates.push(f1);
  }
  if (replicates.length < resamples / 2) return null;
  const mean = replicates.reduce((s, v) => s + v, 0) / replicates.length;
  return Math.sqrt(replicates.reduce((s, v) => s + (v - mean) ** 2, 0) / (replicates.length - 1));
}

/** Evenly spread over the distinct scores, strictest first. */
function thresholdsOf(images: readonly ImageEvidence[], rule: AcceptanceRule): number[] {
  const all = new Set(images.flatMap((i) => steps(i.recognitions, rule).map((s) => s.score)));
  const sorted = [...all].sort((a, b) => (rule.better === "higher" ? b - a : a - b));
  if (sorted.length <= mostThresholds) return sorted;
  return Array.from(
    { length: mostThresholds },
    (_, i) => sorted[Math.round((i * (sorted.length - 1)) / (mostThresholds - 1))]!,
  );
}
