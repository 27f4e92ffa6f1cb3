import { accepted, passes, type Candidate } from "../../../pipeline/acceptance.js";
import { iou } from "../../../pipeline/box.js";
import { bootstrap, pairedBootstrap, type BootstrapOptions } from "../../stats/bootstrap.js";
import { wilsonInterval } from "../../stats/proportion.js";
import { ratioStatistic } from "../../stats/resampled-statistic.js";
import { measured, undefinedScore } from "../../stats/score.js";
import type { Score } from "../../types.js";
import type { TruthObject } from "./f1-evidence.js";
import { matchBoxes } from "./f1-tally.js";
import {
  lossStages,
  type CropEvidence,
  type CropsOfImage,
  type LossStage,
  type WaterfallRule,
} from "./waterfall-evidence.js";

/** What became of one truth object. */
export interface ObjectLoss {
  readonly image: string;
  /** Place of the object in the picture's truth. */
  readonly object: number;
  readonly label: string;
  readonly stage: LossStage;
  /** Place of the crop that got furthest; null where the object was missed. */
  readonly crop: number | null;
}

export interface Counterfactual {
  readonly name:
    | "oracle boxes"
    | "exact index"
    | "oracle boxes and exact index"
    | "no threshold"
    | "no suppression";
  /** Share of objects recognised if this were so. */
  readonly recall: Score;
  /** That share less the share recognised as things are, paired by picture. */
  readonly gain: Score;
}

export interface Waterfall {
  readonly objects: readonly ObjectLoss[];
  readonly counts: Readonly<Record<LossStage, number>>;
  /**
   * Share of truth objects that ended at each stage; the shares add up to 1. Intervals by a
   * bootstrap over pictures, at 0 and 1 Wilson's over pictures.
   */
  readonly shares: Readonly<Record<LossStage, Score>>;
  readonly counterfactuals: readonly Counterfactual[];
}

/** What the evidence does not tell, and why: what hangs on it is then null with that reason. */
export interface Lacking {
  /** Exact neighbours of the crops: what the index lost counts as lost by the embedding. */
  readonly exact?: string;
  /** Exact neighbours of the oracle boxes. */
  readonly oracleExact?: string;
}

/**
 * Follows every truth object through the pipeline and names the one stage that lost it: the
 * furthest that any of its crops got. Then asks what would have been recognised with perfect boxes,
 * an exact index, no threshold, or no suppression. A gain is not the share of its stage: an object
 * set free at one stage may be lost at the next.
 */
export function waterfall(
  images: readonly CropsOfImage[],
  rule: WaterfallRule,
  { lacking = {}, ...options }: BootstrapOptions & { readonly lacking?: Lacking } = {},
): Waterfall {
  const losses = images.map((image) => objectLosses(image, rule));
  const objects = losses.flat();
  const counts = Object.fromEntries(
    lossStages.map((stage) => [stage, objects.filter((o) => o.stage === stage).length]),
  ) as Record<LossStage, number>;
  const perImage = images.map((i) => i.truth.length);
  const withTruth = perImage.filter((n) => n > 0).length;
  const share = (hits: readonly number[]): Score => {
    if (objects.length === 0) return undefinedScore("no picture has a truth object");
    const score: Score = bootstrap(ratioStatistic(hits, perImage), options);
    // All or none: every resample agrees, yet more pictures might not. Wilson's interval over
    // pictures, of which there are fewer than objects, is cautious.
    return score.value === 0 || score.value === 1
      ? measured(
          score.value,
          score.n,
          wilsonInterval(score.value * withTruth, withTruth, options.level),
        )
      : score;
  };
  const shares = Object.fromEntries(
    lossStages.map((stage) => [
      stage,
      share(losses.map((list) => list.filter((o) => o.stage === stage).length)),
    ]),
  ) as Record<LossStage, Score>;

  const actual = losses.map((list) => list.filter((o) => o.stage === "correct").length);
  const unknown = (name: Counterfactual["name"], why: string): Counterfactual => ({
    name,
    recall: undefinedScore(why),
    gain: undefinedScore(why),
  });
  const imagine = (
    name: Counterfactual["name"],
    correct: (image: CropsOfImage) => number,
  ): Counterfactual => {
    const hits = images.map(correct);
    const gain =
      objects.length === 0
        ? share(hits)
        : pairedBootstrap(
            ratioStatistic(hits, perImage),
            ratioStatistic(actual, perImage),
            options,
          );
    return { name, recall: share(hits), gain };
  };
  const unless = (
    name: Counterfactual["name"],
    correct: (image: CropsOfImage) => number,
  ): Counterfactual => {
    const without = images.find((i) => i.truth.length > 0 && !i.oracle);
    return without
      ? unknown(name, `the truth boxes were not run as crops (first: ${without.image})`)
      : imagine(name, correct);
  };
  const noOracleExact = lacking.exact ?? lacking.oracleExact;
  const perfect = (image: CropsOfImage): readonly CropEvidence[] => [
    ...(image.oracle ?? []),
    ...image.crops.filter((c) => c.whole),
  ];
  return {
    objects,
    counts,
    shares:
      lacking.exact === undefined ? shares : { ...shares, index: undefinedScore(lacking.exact) },
    counterfactuals: [
      unless("oracle boxes", (i) => recognised(i.truth, perfect(i), rule, "found")),
      lacking.exact !== undefined
        ? unknown("exact index", lacking.exact)
        : imagine("exact index", (i) => recognised(i.truth, i.crops, rule, "exact")),
      noOracleExact !== undefined
        ? unknown("oracle boxes and exact index", noOracleExact)
        : unless("oracle boxes and exact index", (i) =>
            recognised(i.truth, perfect(i), rule, "exact"),
          ),
      imagine("no threshold", (i) =>
        recognised(i.truth, i.crops, { ...rule, threshold: null }, "found"),
      ),
      imagine("no suppression", (i) =>
        recognised(i.truth, i.crops, { ...rule, suppressIou: null }, "found"),
      ),
    ],
  };
}

/** The stage of each truth object of one picture. */
export function objectLosses(
  { image, truth, crops }: CropsOfImage,
  rule: WaterfallRule,
): ObjectLoss[] {
  const { success, iou: enough = 0.5, overlap = 0.1, threshold, better } = rule;
  const { answers, answerOf } = answer(truth, crops, rule, "found");
  const taken = new Set(
    success === "box" ? answerOf.filter((a) => a >= 0).map((a) => answers[a]!) : [],
  );
  return truth.map((object, o): ObjectLoss => {
    const lost = (stage: LossStage, crop: number | null): ObjectLoss => ({
      image,
      object: o,
      label: object.label,
      stage,
      crop,
    });
    if (answerOf[o]! >= 0) return lost("correct", answers[answerOf[o]!]!);
    let furthest = 0;
    let at: number | null = null;
    const reach = (stage: LossStage, crop: number): void => {
      const place = lossStages.indexOf(stage);
      if (place > furthest) [furthest, at] = [place, crop];
    };
    crops.forEach((crop, c) => {
      // A crop that already answers for another object of the same label is that object's, not this
      // one's.
      if (taken.has(c)) return;
      const overlapping = iou(crop.box, object.box);
      // The whole picture overlaps every object: only as a good crop does it say anything about the
      // detector.
      if (!crop.whole && overlapping >= overlap) reach("wrong-crop", c);
      if (overlapping >= enough) reach("embedding", c);
      if (success === "box" && overlapping < enough) return;
      if (crop.found?.label === object.label)
        reach(
          threshold === null || passes(crop.found.score, threshold, better)
            ? "suppressed"
            : "threshold",
          c,
        );
      else if (crop.exact?.label === object.label) reach("index", c);
    });
    return lost(lossStages[furthest]!, at);
  });
}

/** Truth objects recognised under a rule, with one search's neighbours or the other's. */
function recognised(
  truth: readonly TruthObject[],
  crops: readonly CropEvidence[],
  rule: WaterfallRule,
  search: "exact" | "found",
): number {
  return answer(truth, crops, rule, search).answerOf.filter((a) => a >= 0).length;
}

/**
 * The crops that answer, as places in `crops`, and for each truth object the place in `answers` of
 * the one that got it right, or -1.
 */
function answer(
  truth: readonly TruthObject[],
  crops: readonly CropEvidence[],
  rule: WaterfallRule,
  search: "exact" | "found",
): { answers: number[]; answerOf: number[] } {
  const candidates = crops.map((c): Candidate => ({
    box: c.box,
    label: c[search]?.label ?? null,
    score: c[search]?.score ?? 0,
  }));
  const answers = accepted(candidates, rule, rule.threshold);
  const given = answers.map((i) => candidates[i]!);
  const answerOf =
    rule.success === "box"
      ? matchBoxes(truth, given, rule.iou ?? 0.5)
      : truth.map((t) => given.findIndex((g) => g.label === t.label));
  return { answers, answerOf };
}
