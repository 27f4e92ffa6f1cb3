// metrics/end-to-end/: recognitions with the truth in; F1, thresholds and the stage at which each
// object was lost out. It never sees pictures or a model.
import { accepted, type AcceptanceRule } from "../../../pipeline/acceptance.js";
import type { Score } from "../../types.js";
import {
  bootstrap,
  pairedBootstrap,
  type BootstrapOptions,
  type PairedEstimate,
} from "../../stats/bootstrap.js";
import { defaultIntervals } from "../../stats/interval-plan.js";
import { jackknife } from "../../stats/jackknife.js";
import type { ResampledStatistic } from "../../stats/resampled-statistic.js";
import { measured, undefinedScore, type Undefined } from "../../stats/score.js";
import type { ImageEvidence } from "./f1-evidence.js";
import { f1Of, type F1Point, Counts } from "./f1-counts.js";
import { tally, type F1Definition, type Tally } from "./f1-tally.js";

/** F1 at one threshold with precision, recall, counts, and an interval over pictures. */
export interface F1Result {
  readonly definition: F1Definition;
  readonly threshold: number | null;
  readonly point: F1Point;
  readonly f1: Score;
  readonly images: number;
  readonly distractors: number;
}

/**
 * Fewer pictures a label than this on average, and no interval of a macro F1 was found that keeps
 * its promise (bench/interval-coverage.ts).
 */
const fewestPicturesALabel = 4;

/**
 * F1 at a given threshold. `n` of the score is the number of pictures, which are what is drawn
 * again: micro averages have the bootstrap that the options ask for, the macro average D has the
 * jackknife, whatever they ask for.
 *
 * @param threshold null accepts every crop.
 */
export function f1At(
  images: readonly ImageEvidence[],
  definition: F1Definition,
  rule: AcceptanceRule,
  threshold: number | null,
  options: BootstrapOptions = {},
): F1Result {
  const tallies = tallyAll(images, definition, rule, threshold);
  const point = pointOf(tallies, definition);
  const f1 =
    images.length === 0
      ? undefinedScore("no pictures")
      : point.f1 === null
        ? undefinedScore(noF1(images, definition))
        : definition === "D"
          ? macroInterval(tallies, options.level)
          : bootstrap(f1Statistic(tallies, definition), options);
  return {
    definition,
    threshold,
    point,
    f1,
    images: images.length,
    distractors: images.filter((i) => i.truth.length === 0).length,
  };
}

/**
 * The difference in F1 of two systems on the same pictures, each at its own threshold; pictures are
 * drawn in pairs.
 */
export function f1Difference(
  first: readonly ImageEvidence[],
  second: readonly ImageEvidence[],
  definition: F1Definition,
  rules: readonly [AcceptanceRule, AcceptanceRule],
  thresholds: readonly [number | null, number | null],
  options: BootstrapOptions = {},
): PairedEstimate | Undefined {
  const byName = new Map(second.map((s) => [s.image, s]));
  const partners = first.map((f) => {
    const partner = byName.get(f.image);
    if (!partner || second.length !== first.length)
      throw new RangeError("the two systems were not run on the same pictures");
    return partner;
  });
  return pairedBootstrap(
    f1Statistic(tallyAll(first, definition, rules[0], thresholds[0]), definition),
    f1Statistic(tallyAll(partners, definition, rules[1], thresholds[1]), definition),
    options,
  );
}

/** F1 at a threshold, without an interval. */
export function plainF1At(
  images: readonly ImageEvidence[],
  definition: F1Definition,
  rule: AcceptanceRule,
  threshold: number | null,
): Score {
  const { f1 } = pointOf(tallyAll(images, definition, rule, threshold), definition);
  return f1 === null ? undefinedScore(noF1(images, definition)) : measured(f1, images.length);
}

function pointOf(tallies: readonly (readonly Tally[])[], definition: F1Definition): F1Point {
  const counts = new Counts(definition);
  for (const t of tallies) counts.add(t);
  return counts.point;
}

function tallyAll(
  images: readonly ImageEvidence[],
  definition: F1Definition,
  rule: AcceptanceRule,
  threshold: number | null,
): Tally[][] {
  return images.map(({ truth, recognitions }) =>
    tally(
      definition,
      truth,
      accepted(recognitions, rule, threshold).map((i) => recognitions[i]!),
    ),
  );
}

function macroInterval(
  tallies: readonly (readonly Tally[])[],
  level = defaultIntervals.level,
): Score {
  const result = jackknife(f1Statistic(tallies, "D"), { level, range: [0, 1] });
  const why = tooFewForMacro(tallies);
  return result.value === null || why === null
    ? result
    : measured(result.value, result.n, null, why);
}

/** Why the pictures a label are too few for an interval of a macro F1; null where they are not. */
export function tooFewForMacro(tallies: readonly (readonly Tally[])[]): string | null {
  const shown = tallies.flat().filter((t) => t.tp + t.fn > 0);
  const labels = new Set(shown.map((t) => t.group)).size;
  if (shown.length >= fewestPicturesALabel * labels) return null;
  return (
    `${labels} labels with ${(shown.length / labels).toFixed(1)} pictures each: too few ` +
    "for an interval that could be trusted"
  );
}

function noF1(images: readonly ImageEvidence[], definition: F1Definition): string {
  return definition === "D" || images.every((i) => i.truth.length === 0)
    ? "no picture has a truth object"
    : "no picture has a truth object or an answer";
}

/**
 * F1 as the bootstrap wants it: per-picture counts, never matched again. Macro runs over the labels
 * with truth in the resample.
 */
export function f1Statistic(
  tallies: readonly (readonly Tally[])[],
  definition: F1Definition,
): ResampledStatistic {
  const groups = new Map<string, number>();
  const rows: number[] = [];
  tallies.forEach((list, image) => {
    for (const { group, tp, fp, fn } of list) {
      let g = groups.get(group);
      if (g === undefined) groups.set(group, (g = groups.size));
      rows.push(image, 3 * g, tp, fp, fn);
    }
  });
  const table = Int32Array.from(rows);
  const sums = new Float64Array(3 * groups.size);
  return {
    n: tallies.length,
    evaluate(weights) {
      sums.fill(0);
      for (let i = 0; i < table.length; i += 5) {
        const weight = weights[table[i]!]!;
        const at = table[i + 1]!;
        sums[at]! += weight * table[i + 2]!;
        sums[at + 1]! += weight * table[i + 3]!;
        sums[at + 2]! += weight * table[i + 4]!;
      }
      if (definition !== "D") return groups.size === 0 ? null : f1Of(sums[0]!, sums[1]!, sums[2]!);
      let total = 0;
      let count = 0;
      for (let at = 0; at < sums.length; at += 3) {
        if (sums[at]! + sums[at + 2]! === 0) continue;
        total += f1Of(sums[at]!, sums[at + 1]!, sums[at + 2]!)!;
        count++;
      }
      return count > 0 ? total / count : null;
    },
  };
}

/** The F1 score alone, for tables: with the threshold's choice in the name of whoever calls. */
export function scoreOf({ f1 }: Pick<F1Result, "f1">): Score {
  return f1;
}
