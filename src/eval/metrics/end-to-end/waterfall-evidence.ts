import type { AcceptanceRule } from "../../../pipeline/acceptance.js";
import type { Box, Recognition } from "../../../pipeline/types.js";
import type { TruthObject } from "./f1-evidence.js";

/** A gallery entry near a crop. */
export interface Neighbour {
  readonly label: string;
  readonly score: number;
}

/**
 * One crop of a picture and what two searches found for it. The caller fills both, so that the
 * metric stays pure.
 */
export interface CropEvidence {
  readonly box: Box;
  /** The whole picture, which the pipeline adds without having detected anything. */
  readonly whole: boolean;
  /**
   * First neighbour by exhaustive search over the gallery; null only where the gallery or the crop
   * is empty.
   */
  readonly exact: Neighbour | null;
  /**
   * First neighbour from the index under test; null where it returned none. The same as `exact` for
   * a Flat index.
   */
  readonly found: Neighbour | null;
}

/** One query picture. */
export interface CropsOfImage {
  readonly image: string;
  readonly truth: readonly TruthObject[];
  readonly crops: readonly CropEvidence[];
  /**
   * The counterfactual of a perfect detector: the truth boxes as crops, in the order of `truth`.
   * Absent where it was not run.
   */
  readonly oracle?: readonly CropEvidence[];
}

/** Where a truth object was lost, in the order of the pipeline, or that it was not. */
export const lossStages = [
  "missed",
  "wrong-crop",
  "embedding",
  "index",
  "threshold",
  "suppressed",
  "correct",
] as const;
export type LossStage = (typeof lossStages)[number];

export const lossMeanings: Readonly<Record<LossStage, string>> = {
  missed: "no detected box overlaps the object",
  "wrong-crop": "a detected box overlaps the object, but none well enough",
  embedding: "the exact nearest neighbour of every good crop has another label",
  index: "the exact nearest neighbour is right, but the index returned another",
  threshold: "the right label was found, below the threshold",
  suppressed:
    "the right label was found and passed, but an overlapping box with a better score " +
    "suppressed it",
  correct: "recognised",
};

export interface WaterfallRule extends AcceptanceRule {
  /** The recognition threshold of the run; null accepts every score. */
  readonly threshold: number | null;
  /**
   * What counts as recognised. `label`: some answer of the picture bears the object's label,
   * wherever it is (as in F1 definition B). `box`: an answer bears it, overlaps the object at `iou`
   * and is matched to no other object (definition C).
   */
  readonly success: "label" | "box";
  /**
   * From this IoU on a crop is the object's: 0.5, the foreground threshold of TIDE (Bolya et al.
   * 2020).
   */
  readonly iou?: number;
  /**
   * From this IoU on a detected box is a bad crop of the object rather than none: 0.1, TIDE's
   * background threshold.
   */
  readonly overlap?: number;
}

/** What of an Observation the waterfall needs. */
export interface ObservedCrops {
  readonly image: string;
  readonly width: number;
  readonly height: number;
  readonly recognitions: readonly Pick<Recognition, "box" | "label" | "score">[];
  /** Boxes that the detector gave, as against the whole picture that was added. */
  readonly detections: readonly { readonly box: Box }[];
}

/**
 * Crops from an observation of the pipeline and the exact neighbours of its recognitions.
 *
 * @param exact for each recognition, in order, the first neighbour by exhaustive search; omit where
 * the index is exact.
 */
export function cropsOf(
  observation: ObservedCrops,
  truth: readonly TruthObject[],
  exact?: readonly (Neighbour | null)[],
): CropsOfImage {
  const { image, width, height, recognitions, detections } = observation;
  if (exact && exact.length !== recognitions.length)
    throw new RangeError(
      `${recognitions.length} recognitions, but ${exact.length} exact neighbours`,
    );
  const crops = recognitions.map(({ box, label, score }, i): CropEvidence => {
    const found = label === null ? null : { label, score };
    return { box, whole: coversAll(box, width, height), exact: exact ? exact[i]! : found, found };
  });
  // A detector may itself propose the whole picture: then only the last such crop is the one that
  // was added.
  const detectedWhole = detections.filter((d) => coversAll(d.box, width, height)).length;
  let spare = crops.filter((c) => c.whole).length - detectedWhole;
  const marked = [...crops]
    .reverse()
    .map((c) => (c.whole ? { ...c, whole: spare-- > 0 } : c))
    .reverse();
  return { image, truth, crops: marked };
}

function coversAll({ x0, y0, x1, y1 }: Box, width: number, height: number): boolean {
  // The pipeline cuts crops at whole pixels.
  return (
    Math.trunc(x0) <= 0 &&
    Math.trunc(y0) <= 0 &&
    Math.trunc(x1) >= width &&
    Math.trunc(y1) >= height
  );
}
