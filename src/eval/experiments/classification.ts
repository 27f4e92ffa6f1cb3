import { readClassList } from "../../../datasets/formats/class-list.js";
import type { Protocol } from "../../pipeline/types.js";
import type { ClassificationMeasurement } from "../config/config.js";
import type { ClassificationDataset } from "../config/dataset.js";
import { classificationScores, classify } from "../metrics/classification/classification.js";
import { classifyPictures } from "../observe/observations.js";
import type { ModelRef, Resources } from "../observe/resources.js";
import { labelDoubts, mapLabels, type LabelSides } from "./class-labels.js";
import type { CellContext, CellOutcome, CellPlan } from "./cell.js";
import { costScores, modelTiming, type ModelTiming } from "./model-cost.js";
import { datasetPictures, listPictures, nothingUsable, recordedRoot } from "./pictures.js";
import { cellPlan, namedDataset, namedModel, valueOf } from "./sweep.js";

/** Table 6: parameters, multiply-accumulates, top-1, top-5 and the latency of light classifiers. */
export async function planClassification(
  m: ClassificationMeasurement,
  protocol: Protocol,
  resources: Resources,
): Promise<CellPlan[]> {
  const plans: CellPlan[] = [];
  for (const ref of m.models) {
    const model = await namedModel(ref, resources);
    for (const path of m.datasets) {
      const dataset = await namedDataset(path, ["classification"], resources);
      plans.push(
        cellPlan(
          { kind: "classification", labels: { model: model.name, dataset: dataset.name } },
          [model, dataset],
          (context) => measureClassification(ref, valueOf(dataset), protocol, context),
          "value" in dataset ? classifierTiming(ref, dataset.value, protocol) : undefined,
        ),
      );
    }
  }
  return plans;
}

function classifierTiming(
  ref: ModelRef,
  dataset: ClassificationDataset,
  protocol: Protocol,
): ModelTiming {
  return modelTiming(
    { ref, stage: "classify", dataset },
    (resources) => datasetPictures(dataset, protocol, resources),
    async (resources) => {
      const classifier = await resources.classifier(ref);
      return (pixels, watch) => classifier.classify(pixels, watch);
    },
  );
}

async function measureClassification(
  ref: ModelRef,
  dataset: ClassificationDataset,
  protocol: Protocol,
  { resources, progress, signal, intervals }: CellContext,
): Promise<CellOutcome> {
  const classifier = await resources.classifier(ref);
  const listed = await listPictures(dataset, "validation", protocol, resources);
  const { scores, errors } = await classifyPictures(
    classifier,
    await resources.preprocessing(ref),
    listed.pictures,
    { caches: resources.caches, protocol, progress, signal },
  );
  if (scores.every((s) => s === null)) throw nothingUsable(dataset.file, errors);
  const mapping = mapLabels(await labelSides(ref, dataset, listed.rows, resources));
  const { truth } = mapping;
  // An unreadable picture is a miss: its true class gets the lowest score.
  const flat = new Float32Array(scores.length * classifier.classes);
  scores.forEach((s, i) => {
    if (s) flat.set(s, i * classifier.classes);
    else flat[i * classifier.classes + truth[i]!] = -1;
  });
  const said = (output: number): string => mapping.labelOf(output) ?? `output ${output}`;
  const evidence = classify({ scores: flat, classes: classifier.classes, truth }, [1, 5]);
  const predicted = scores.map((s, i) => (s === null ? null : evidence.predicted[i]!));
  return {
    versions: { model: classifier.version, dataset: dataset.hash },
    scores: [
      ...classificationScores(evidence, intervals),
      ...(await costScores(classifier.file, resources)),
    ],
    errors: [...errors],
    notes: [...mapping.notes, ...labelDoubts(truth, predicted, classifier.classes)],
    cases: listed.rows.map((row, i) => ({
      item: row.path,
      image: row.path,
      outcome: scores[i] === null ? "error" : evidence.hit[0]![i]! === 1 ? "hit" : "miss",
      truth: row.label,
      prediction: predicted[i] === null ? null : said(predicted[i]!),
      score: scores[i]?.[evidence.predicted[i]!] ?? null,
      rank: null,
      neighbours: null,
      boxes: null,
      width: null,
      height: null,
      lostAt: null,
      stageMs: null,
    })),
    imageRoots: { [dataset.name]: recordedRoot(dataset.validation.images ?? dataset.images) },
  };
}

/** What a list's labels and a classifier's outputs are called. */
export async function labelSides(
  ref: ModelRef,
  { validation, firstClass, names }: ClassificationDataset,
  rows: LabelSides["rows"],
  resources: Resources,
): Promise<LabelSides> {
  const card = await resources.card(ref);
  if (!("classification" in card)) throw new Error("the card of a classifier has its classes");
  const { classes, background } = card.classification;
  const listed = names === undefined ? null : await readClassList(names);
  return { rows, classes, background, firstClass, names: listed, file: validation.list };
}
