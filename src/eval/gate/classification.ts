import type { ClassificationDataset } from "../config/dataset.js";
import { mapLabels } from "../experiments/class-labels.js";
import { labelSides } from "../experiments/classification.js";
import { listPictures, type ListedPictures } from "../experiments/pictures.js";
import { classifyPictures, type Classified } from "../observe/observations.js";
import { flipped, topClass } from "./agreement/ranks.js";
import { cosine, distributionOf, snrDb } from "./agreement/vectors.js";
import type { Finding } from "./measures.js";
import { rightsAndWrongs, shareFinding, unusable } from "./paired.js";
import { refuseNothing, type Side } from "./recognition.js";
import { worst, type FindingOptions, type TaskFindings } from "./task-findings.js";
import type { Answer, GateWork, JudgedItem } from "./work.js";

/** One classifier on a data set. */
export interface ClassificationEvidence {
  readonly rows: ListedPictures["rows"];
  readonly classified: Classified;
  readonly truth: readonly number[];
}

/**
 * Classifies every picture, from the cache where it is known.
 * @throws UserError `dataset-empty`, `class-unknown`.
 */
export async function observeClassification(
  cardFile: string,
  dataset: ClassificationDataset,
  { resources, protocol, progress, signal }: GateWork,
  side: Side,
): Promise<ClassificationEvidence> {
  const classifier = await resources.classifier(cardFile);
  const { rows, pictures } = await listPictures(dataset, "validation", protocol, resources);
  const preprocessing = await resources.preprocessing(cardFile);
  const options = { caches: resources.caches, protocol, progress, signal };
  const classified = await classifyPictures(classifier, preprocessing, pictures, options);
  if (classified.scores.every((s) => s === null)) refuseNothing(dataset, classified.errors, side);
  const { truth } = mapLabels(await labelSides(cardFile, dataset, rows, resources));
  return { rows, classified, truth };
}

/** What a classifier said of the picture at a place of the list. */
export function classAnswer(side: ClassificationEvidence, i: number): Answer {
  const scores = side.classified.scores[i];
  if (!scores) return { right: false, said: null, failed: true };
  const said = topClass(scores);
  return { right: said === side.truth[i], said: String(said), failed: false };
}

/** Task deltas and agreement of two classifiers on the same pictures. */
export function classificationFindings(
  baseline: ClassificationEvidence,
  candidate: ClassificationEvidence,
  options: FindingOptions,
): TaskFindings {
  const { dataset } = options;
  const items = baseline.rows.map(({ path, label }, i): JudgedItem => ({
    item: path,
    image: path,
    truth: label,
    baseline: classAnswer(baseline, i),
    candidate: classAnswer(candidate, i),
  }));
  const sample = sampleOf(baseline, candidate, options.sample);
  const cosines = sample.map(({ first, second }) => cosine(first, second) ?? -1);
  const spread = distributionOf(cosines);
  const n = sample.length;
  const why = "no picture has scores of both, or they have another number of classes";
  const finding = (measure: string, value: number | null | undefined): Finding =>
    value === undefined || value === null
      ? { measure, dataset, value: null, why }
      : { measure, dataset, value, n };
  const flat = (of: "first" | "second") => sample.flatMap((s) => [...s[of]]);
  const said = (side: "baseline" | "candidate") => items.map((i) => i[side].said);
  return {
    items,
    moved: worst(
      sample.map((s) => s.item),
      cosines,
    ),
    findings: [
      rightsAndWrongs("top-1", items, options),
      finding("cosine-mean", spread?.mean),
      finding("cosine-p1", spread?.p1),
      finding("cosine-worst", spread?.worst),
      finding("snr", n === 0 ? null : snrDb(flat("first"), flat("second"))),
      shareFinding("top-1-flips", dataset, flipped(said("baseline"), said("candidate"))),
      unusable(items, dataset),
    ],
  };
}

function sampleOf(
  baseline: ClassificationEvidence,
  candidate: ClassificationEvidence,
  most: number,
) {
  return baseline.rows
    .flatMap(({ path }, i) => {
      const [first, second] = [baseline.classified.scores[i], candidate.classified.scores[i]];
      return first && second && first.length === second.length
        ? [{ item: path, first, second }]
        : [];
    })
    .slice(0, most);
}
