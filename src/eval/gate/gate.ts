// gate/: a candidate, a baseline, labelled data and limits in; a judgement limit by limit out. It
// never sees the command line.
import { datasetPictures, pictureRef, recordedRoot } from "../experiments/pictures.js";
import { UserError } from "../../pipeline/errors.js";
import type { DatasetManifest } from "../config/dataset.js";
import { changeBetween } from "./change.js";
import { classificationFindings, observeClassification } from "./classification.js";
import type { GateConfig } from "./config.js";
import type { ContenderModel } from "./contender.js";
import { coldStarts, fileCosts, timePair, type TimedPair } from "./cost.js";
import { detectionFindings, observeDetection } from "./detection.js";
import { judgement, sideOf, type DatasetResult, type GateResult } from "./judgement.js";
import type { Finding } from "./measures.js";
import { recognitionFindings } from "./recognition-findings.js";
import { observeRecognition, type Side } from "./recognition.js";
import type { FindingOptions, TaskFindings } from "./task-findings.js";
import type { GateWork } from "./work.js";

export interface ModelPair {
  readonly baseline: ContenderModel;
  readonly candidate: ContenderModel;
}

/**
 * Judges a candidate against a baseline on labelled data.
 *
 * @throws UserError `wrong-task`, `dataset-empty` and those of reading models and data.
 */
export async function runGate(
  pair: ModelPair,
  datasets: readonly DatasetManifest[],
  config: GateConfig,
  work: GateWork,
): Promise<GateResult> {
  const change =
    config.change === "auto"
      ? changeBetween(pair.baseline.onnx, pair.candidate.onnx)
      : config.change;
  const results: DatasetResult[] = [];
  const findings: Finding[] = [];
  for (const dataset of datasets) {
    const task = await compareOn(pair, dataset, config, work);
    findings.push(...task.findings);
    results.push({
      name: dataset.name,
      images: recordedRoot(imageRoot(dataset)),
      hash: dataset.hash,
      items: task.items,
      moved: task.moved,
    });
  }
  const { latency, costs } = await measureCosts(pair, datasets[0]!, config, work);
  findings.push(...costs);
  return judgement(config, {
    baseline: sideOf(pair.baseline),
    candidate: sideOf(pair.candidate),
    change,
    findings,
    datasets: results,
    latency,
    notes: notesOf(pair),
  });
}

function notesOf({ baseline, candidate }: ModelPair): string[] {
  const notes: string[] = [];
  if (candidate.borrowedCard) notes.push("the candidate is judged under the baseline's card");
  if (baseline.borrowedCard) notes.push("the baseline is judged under the candidate's card");
  if (baseline.sha256 === candidate.sha256) {
    notes.push("both cards name the same model file: what differs is how it is fed");
  }
  return notes;
}

/** Root of the pictures that are asked about. */
export function imageRoot(dataset: DatasetManifest): string {
  if (dataset.task === "classification") return dataset.validation.images ?? dataset.images;
  if (dataset.task !== "recognition") return dataset.images;
  const list = dataset.evaluation === "leave-one-out" ? dataset.gallery : dataset.query;
  return list?.images ?? dataset.images;
}

/** Both models on one data set. */
async function compareOn(
  pair: ModelPair,
  dataset: DatasetManifest,
  config: GateConfig,
  work: GateWork,
): Promise<TaskFindings> {
  const options: FindingOptions = {
    dataset: dataset.name,
    level: config.level,
    clusters: config.clusters,
    sample: config.sample,
  };
  switch (dataset.task) {
    case "recognition": {
      const [first, second] = await bothSides(pair, (card, side) =>
        observeRecognition(card, dataset, work, side),
      );
      return recognitionFindings(first, second, options);
    }
    case "classification": {
      const [first, second] = await bothSides(pair, (card, side) =>
        observeClassification(card, dataset, work, side),
      );
      return classificationFindings(first, second, options);
    }
    case "detection": {
      const agnostic = isAgnostic(pair.baseline, config);
      const [first, second] = await bothSides(pair, (card, side) =>
        observeDetection(card, dataset, work, { agnostic, side }),
      );
      return detectionFindings(first, second, options);
    }
    case "pipeline":
      throw new UserError({
        code: "wrong-task",
        message: "this data set is for the whole pipeline",
        file: dataset.file,
        path: "task",
        fix: "give a data set of the models' task, or --config configs/gates/system.yaml",
      });
  }
}

/** Whether all classes are one: as the config says, or because the model has one only. */
export function isAgnostic(
  { card }: Pick<ContenderModel, "card">,
  { agnostic }: GateConfig,
): boolean {
  if (agnostic !== "auto") return agnostic;
  if (card.task !== "detection") return true;
  const { classes } = card.detection;
  return (typeof classes === "number" ? classes : classes.length) === 1;
}

/** The baseline first, then the candidate; an error says which of them it is about. */
async function bothSides<T>(
  pair: ModelPair,
  observe: (cardFile: string, side: Side) => Promise<T>,
): Promise<[T, T]> {
  const on = async (side: Side): Promise<T> => {
    try {
      return await observe(pair[side].cardFile, side);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const { complaint } = error;
      const message = `the ${side}: ${complaint.message}`;
      throw new UserError({ ...complaint, message }, { cause: error });
    }
  };
  return [await on("baseline"), await on("candidate")];
}

async function measureCosts(
  pair: ModelPair,
  dataset: DatasetManifest,
  config: GateConfig,
  work: GateWork,
): Promise<{ latency: TimedPair | null; costs: Finding[] }> {
  const pictures = await datasetPictures(dataset, work.protocol, work.resources);
  const costs = await fileCosts(pair, work);
  const latency = await timePair(pair, pictures, config, work);
  if (latency) costs.push(latency.finding);
  const first = pictures.find((p) => "file" in p);
  if (config.coldStart && first && "file" in first) {
    costs.push(...(await coldStarts(pair, first.file, config.coldStart, work.signal)));
  }
  return { latency, costs };
}

/** The picture file of an item. */
export function pictureFile(dataset: DatasetManifest, image: string): string | null {
  const picture = pictureRef(imageRoot(dataset), image);
  return "file" in picture ? picture.file : null;
}
