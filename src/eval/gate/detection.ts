import type { CocoTruth } from "../../../datasets/formats/coco-set.js";
import { bestDetections, defaultSettings } from "../../pipeline/system/recognizer.js";
import type { Box, Detection } from "../../pipeline/types.js";
import type { DetectionDataset } from "../config/dataset.js";
import { classMappingOf, detectorClasses, toCoco } from "../experiments/detection.js";
import type { ClassMapping } from "../experiments/class-names.js";
import { readTruth, truthPictures } from "../experiments/pictures.js";
import { foundObjects, objectsByImage } from "../metrics/box-match.js";
import { apStatistic } from "../metrics/coco/coco-resample.js";
import { evaluateCoco, type CocoEvaluation } from "../metrics/coco/coco.js";
import type { ResampledStatistic } from "../stats/resampled-statistic.js";
import { detectPictures, type Detected } from "../observe/observations.js";
import { matchDetections, matchedShare } from "./agreement/boxes.js";
import type { Finding } from "./measures.js";
import { meanFinding, pairedMeans, pairedStatistics, unusable } from "./paired.js";
import { refuseNothing, type Side } from "./recognition.js";
import { worst, type FindingOptions, type TaskFindings } from "./task-findings.js";
import type { GateWork, JudgedItem } from "./work.js";

/** One detector on a data set. */
export interface DetectionEvidence {
  readonly truth: CocoTruth;
  readonly detected: Detected;
  readonly evaluation: CocoEvaluation;
  /** Share of each picture's objects that the used boxes find; null where it has none. */
  readonly found: readonly (number | null)[];
}

/**
 * Detects in every picture, from the cache where it is known.
 * @throws UserError `dataset-empty`, `class-unknown` and those of reading the truth.
 */
export async function observeDetection(
  cardFile: string,
  dataset: DetectionDataset,
  work: GateWork,
  { agnostic, side }: { readonly agnostic: boolean; readonly side: Side },
): Promise<DetectionEvidence> {
  const { resources, protocol, progress, signal } = work;
  const truth = await readTruth(dataset);
  const detector = await resources.detector(cardFile);
  const preprocessing = await resources.preprocessing(cardFile);
  const options = { caches: resources.caches, protocol, progress, signal };
  const pictures = truthPictures(truth, dataset);
  const detected = await detectPictures(detector, preprocessing, pictures, options);
  if (detected.found.every((f) => f === null)) refuseNothing(dataset, detected.errors, side);
  const classes = await detectorClasses(cardFile, resources);
  const mapping = agnostic ? null : classMappingOf(truth, classes, dataset);
  return detectionEvidence(truth, detected, mapping, dataset);
}

/**
 * What detections are worth beside the truth.
 * @param mapping null where all classes are one.
 */
export function detectionEvidence(
  truth: CocoTruth,
  detected: Detected,
  mapping: ClassMapping | null,
  dataset: DetectionDataset,
): DetectionEvidence {
  const evaluation = evaluateCoco(truth, toCoco(detected, truth, mapping, dataset), {
    agnostic: mapping === null,
  });
  const { maxDetections, detectionThreshold } = defaultSettings;
  const found = objectsByImage(truth).map((boxes, i) => {
    const all = detected.found[i]?.detections() ?? [];
    return foundShare(bestDetections(all, maxDetections, detectionThreshold), boxes);
  });
  return { truth, detected, evaluation, found };
}

/** Share of the objects that a detection finds at IoU 0.5, each detection used once. */
export function foundShare(used: readonly Detection[], objects: readonly Box[]): number | null {
  if (objects.length === 0) return null;
  return foundObjects(used, objects).filter((object) => object >= 0).length / objects.length;
}

/** Task deltas and agreement of two detectors on the same pictures. */
export function detectionFindings(
  baseline: DetectionEvidence,
  candidate: DetectionEvidence,
  options: FindingOptions,
): TaskFindings {
  const { dataset } = options;
  const items = judgedPictures(baseline, candidate);
  const boxes = pictureBoxes(baseline, candidate, options.sample);
  const pictures = boxes.map((b) => b.agreement);
  const means = (name: string, of: (p: (typeof pictures)[number]) => readonly number[]): Finding =>
    meanFinding(name, dataset, pictures.flatMap(of));
  return {
    items,
    moved: worst(
      boxes.map((b) => b.item),
      pictures.map((p) => matchedShare([p])),
    ),
    findings: [
      pairedStatistics("AP", apOf(baseline), apOf(candidate), options),
      pairedStatistics("AP50", apOf(baseline, 0.5), apOf(candidate, 0.5), options),
      pairedMeans("objects-found", foundPairs(baseline, candidate), options),
      { measure: "matched-boxes", dataset, value: matchedShare(pictures), n: pictures.length },
      means("box-overlap", (p) => p.overlaps),
      means("score-shift", (p) => p.scoreShifts.map(Math.abs)),
      unusable(items, dataset),
    ],
  };
}

/** AP as a statistic of the pictures: at one IoU threshold, or the mean over all. */
function apOf({ evaluation }: DetectionEvidence, at?: number): ResampledStatistic {
  if (at === undefined) return apStatistic(evaluation.matches);
  const { iouThresholds } = evaluation.parameters;
  const threshold = iouThresholds.findIndex((t) => Math.abs(t - at) < 1e-9);
  return apStatistic(evaluation.matches, { threshold });
}

function foundPairs(baseline: DetectionEvidence, candidate: DetectionEvidence) {
  return baseline.found.flatMap((share, i) =>
    share === null ? [] : [{ baseline: share, candidate: candidate.found[i] ?? 0, label: null }],
  );
}

function judgedPictures(baseline: DetectionEvidence, candidate: DetectionEvidence): JudgedItem[] {
  const answer = (side: DetectionEvidence, i: number) => {
    const share = side.found[i] ?? null;
    return {
      right: share === null ? null : share === 1,
      said: share === null ? null : `${Math.round(100 * share)}% found`,
      failed: side.detected.found[i] === null,
    };
  };
  return baseline.truth.images.map(({ id, fileName }, i) => ({
    item: fileName ?? String(id),
    image: fileName,
    truth: null,
    baseline: answer(baseline, i),
    candidate: answer(candidate, i),
  }));
}

function pictureBoxes(baseline: DetectionEvidence, candidate: DetectionEvidence, most: number) {
  return baseline.truth.images
    .flatMap(({ id, fileName }, i) => {
      const [first, second] = [baseline.detected.found[i], candidate.detected.found[i]];
      if (!first || !second) return [];
      const agreement = matchDetections(first.detections(), second.detections());
      return [{ item: fileName ?? String(id), agreement }];
    })
    .slice(0, most);
}
