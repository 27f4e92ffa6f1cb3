import { DetectionsBuilder } from "../../../datasets/formats/coco-detections-builder.js";
import type { CocoDetections, CocoTruth } from "../../../datasets/formats/coco-set.js";
import { UserError } from "../../pipeline/errors.js";
import { bestDetections, defaultSettings } from "../../pipeline/system/recognizer.js";
import type { Detection, Protocol } from "../../pipeline/types.js";
import type { DetectionMeasurement } from "../config/config.js";
import type { DetectionDataset } from "../config/dataset.js";
import type { ObservationCaches } from "../observe/cache.js";
import { derived } from "../observe/derived.js";
import { foundObjects, objectsByImage } from "../metrics/box-match.js";
import { cocoInterval } from "../metrics/coco/coco-interval.js";
import { apStatistic } from "../metrics/coco/coco-resample.js";
import { evaluateCoco, type CocoEvaluation } from "../metrics/coco/coco.js";
import { detectPictures, type Detected } from "../observe/observations.js";
import { cornersOf } from "../record/case.js";
import type { RecordedScore } from "../record/record.js";
import type { ModelRef, Resources } from "../observe/resources.js";
import type { CellContext, CellOutcome, CellPlan } from "./cell.js";
import { seedFor, type IntervalPlan } from "../stats/interval-plan.js";
import type { ResampledStatistic } from "../stats/resampled-statistic.js";
import { exact, measured, named } from "../stats/score.js";
import type { Score } from "../types.js";
import { mapClasses, type ClassMapping } from "./class-names.js";
import { readingNotes, sizeNotes } from "./truth-notes.js";
import { costScores, modelTiming, type ModelTiming } from "./model-cost.js";
import { nothingUsable, readTruth, recordedRoot, truthPictures } from "./pictures.js";
import { cellPlan, namedDataset, namedModel, valueOf } from "./sweep.js";

/** COCO AP and AR by model and data set. */
export async function planDetection(
  m: DetectionMeasurement,
  protocol: Protocol,
  resources: Resources,
): Promise<CellPlan[]> {
  const plans: CellPlan[] = [];
  for (const ref of m.models) {
    const model = await namedModel(ref, resources);
    for (const path of m.datasets) {
      const dataset = await namedDataset(path, ["detection"], resources);
      const labels = {
        model: model.name,
        dataset: dataset.name,
        ...(m.agnostic && { classes: "agnostic" }),
      };
      plans.push(
        cellPlan(
          { kind: "detection", labels },
          [model, dataset],
          (context) => measureDetection(ref, valueOf(dataset), m.agnostic, protocol, context),
          "value" in dataset ? detectorTiming(ref, dataset.value) : undefined,
        ),
      );
    }
  }
  return plans;
}

function detectorTiming(ref: ModelRef, dataset: DetectionDataset): ModelTiming {
  return modelTiming(
    { ref, stage: "detect", dataset },
    async () => truthPictures(await readTruth(dataset), dataset),
    async (resources) => {
      const detector = await resources.detector(ref);
      return (pixels, watch) => detector.detect(pixels, watch);
    },
  );
}

async function measureDetection(
  ref: ModelRef,
  dataset: DetectionDataset,
  agnostic: boolean,
  protocol: Protocol,
  { resources, progress, signal, intervals }: CellContext,
): Promise<CellOutcome> {
  const truth = await readTruth(dataset);
  const detector = await resources.detector(ref);
  const pictures = truthPictures(truth, dataset);
  const observed = await detectPictures(detector, await resources.preprocessing(ref), pictures, {
    caches: resources.caches,
    protocol,
    progress,
    signal,
  });
  if (observed.found.every((f) => f === null)) {
    throw nothingUsable(dataset.file, observed.errors);
  }
  const classes = await detectorClasses(ref, resources);
  const mapping = agnostic ? null : classMappingOf(truth, classes, dataset);
  const detections = toCoco(observed, truth, mapping, dataset);
  const evaluation = evaluateCoco(truth, detections, { agnostic });
  return {
    versions: { model: detector.version, dataset: dataset.hash },
    scores: [
      ...(await cocoScores(evaluation, intervals, resources.caches)),
      ...(await costScores(await resources.modelFile(ref), resources)),
    ],
    errors: [...observed.errors],
    notes: [
      ...(mapping?.notes ?? []),
      ...readingNotes([...truth.notes, ...detections.notes, ...evaluation.limits]),
      ...sizeNotes(observed, truth),
    ],
    cases: casesOf(observed, truth),
    curves: curvesOf(evaluation),
    imageRoots: { [dataset.name]: recordedRoot(dataset.images) },
  };
}

/**
 * pycocotools' numbers, and the number of objects; AP, AP50 and AP75 with an interval from drawing
 * images again.
 */
async function cocoScores(
  { summary, matches, counts, parameters }: CocoEvaluation,
  intervals: IntervalPlan,
  caches: ObservationCaches,
): Promise<RecordedScore[]> {
  const place = (iou: number): number =>
    parameters.iouThresholds.findIndex((t) => Math.abs(t - iou) < 1e-9);
  const statistics: Readonly<Record<string, () => ResampledStatistic>> = {
    AP: () => apStatistic(matches),
    AP50: () => apStatistic(matches, { threshold: place(0.5) }),
    AP75: () => apStatistic(matches, { threshold: place(0.75) }),
  };
  const { level, imageResamples: resamples } = intervals;
  const metrics = summary
    .filter(({ metric, value }) => value !== null && statistics[metric])
    .map(({ metric }) => metric);
  const estimates = await derived(
    caches,
    { method: "intervals of AP", evidence: { ...matches, metrics, intervals } },
    () =>
      Object.fromEntries(
        metrics.map((metric) => {
          const seed = seedFor(intervals, `detection ${metric}`);
          return [metric, cocoInterval(statistics[metric]!(), { level, resamples, seed })];
        }),
      ),
  );
  const { images, truths, crowds } = counts;
  return [
    ...summary.map((score) => named(score, withIntervalOf(score, estimates[score.metric]))),
    named({ metric: "images", unit: "count", better: "neither" }, exact(images, images)),
    named({ metric: "objects", unit: "count", better: "neither" }, exact(truths - crowds, truths)),
  ];
}

/** The value over boxes as it is, with the interval over images. */
function withIntervalOf(score: Score, estimate: Score | undefined): Score {
  if (score.value === null) return score;
  if (!estimate || estimate.value === null)
    return measured(
      score.value,
      score.n,
      null,
      "images are drawn again for AP, AP50 and AP75 only",
    );
  return measured(score.value, score.n, estimate.interval, estimate.whyNoInterval);
}

/** Precision at 101 recalls for IoU 0.5 and 0.75, the mean over the categories. */
function curvesOf({ parameters, slice }: CocoEvaluation): Record<string, number[]> {
  const { precision, truths } = slice(0, parameters.maxDets.at(-1)!);
  const recalls = parameters.recallThresholds.length;
  const kept = Array.from(truths, (_, k) => k).filter((k) => truths[k]! > 0);
  const curve = (iou: number): number[] => {
    const t = parameters.iouThresholds.findIndex((x) => Math.abs(x - iou) < 1e-9);
    return Array.from(
      { length: recalls },
      (_, r) =>
        kept.reduce((sum, k) => sum + precision[(t * recalls + r) * truths.length + k]!, 0) /
        kept.length,
    );
  };
  if (kept.length === 0) return {};
  return {
    recall: [...parameters.recallThresholds],
    "precision at IoU 0.50": curve(0.5),
    "precision at IoU 0.75": curve(0.75),
  };
}

/** The classes of a detector's card; a baseline has one. */
export async function detectorClasses(
  ref: ModelRef,
  resources: Resources,
): Promise<readonly string[] | number> {
  const card = await resources.card(ref);
  return "detection" in card ? card.detection.classes : 1;
}

/** Classes and categories brought together; see `mapClasses`. */
export function classMappingOf(
  truth: CocoTruth,
  classes: readonly string[] | number,
  { file }: DetectionDataset,
): ClassMapping {
  return mapClasses({ classes, categories: truth.categories, used: new Set(truth.category), file });
}

/**
 * Detections on the truth's categories: all on its first where classes do not count (a mapping of
 * null), else as `mapClasses` has it.
 *
 * @throws UserError `class-unknown` for a class number that the model does not have.
 */
export function toCoco(
  { found }: Pick<Detected, "found">,
  truth: CocoTruth,
  mapping: ClassMapping | null,
  dataset: DetectionDataset,
): CocoDetections {
  const { images, categories } = truth;
  const builder = new DetectionsBuilder(
    "the detector's boxes",
    truth,
    {},
    found.reduce((n, f) => n + (f?.count ?? 0), 0),
  );
  found.forEach((f, i) => {
    for (const { box, score, classId } of f?.detections() ?? []) {
      const place = mapping === null ? 0 : mapping.categories[classId];
      if (place === null) continue;
      const category = place === undefined ? undefined : categories[place];
      if (!category) {
        throw new UserError({
          code: "class-unknown",
          message: "the model's classes are not the data set's",
          file: dataset.file,
          expected: `a class below ${mapping?.categories.length ?? categories.length}`,
          found: `class ${classId}`,
          fix: "evaluate with agnostic: true, or use a model of the data set's classes",
        });
      }
      builder.add(
        images[i]!.id,
        category.id,
        box.x0,
        box.y0,
        box.x1 - box.x0,
        box.y1 - box.y0,
        score,
      );
    }
  });
  return builder.build();
}

/** Boxes shown a picture; the metric has them all. */
const shownBoxes = 20;

/**
 * One row a picture: what a pipeline with PP-ShiTu's settings (the best 5 of score 0.2 or more)
 * would have found of it.
 */
function casesOf({ found }: Detected, truth: CocoTruth): CellOutcome["cases"] {
  const boxes = objectsByImage(truth);
  return truth.images.map(({ id, fileName }, i) => {
    const image = found[i];
    const objects = boxes[i]!;
    const detections = image?.detections() ?? [];
    const used = bestDetections(
      detections,
      defaultSettings.maxDetections,
      defaultSettings.detectionThreshold,
    );
    const hits = foundObjects(used, objects);
    const right = hits.filter((object) => object >= 0).length;
    const shown = [...detections].sort((a, b) => b.score - a.score).slice(0, shownBoxes);
    const fate = (d: Detection): string => {
      const place = used.indexOf(d);
      return place < 0 ? "unused" : hits[place] === -1 ? "false" : "hit";
    };
    return {
      item: fileName ?? String(id),
      image: fileName,
      outcome:
        image === null || image === undefined
          ? ("error" as const)
          : right === objects.length && right === used.length
            ? ("hit" as const)
            : ("miss" as const),
      truth: null,
      prediction: null,
      // Share of the objects that were found.
      score: objects.length === 0 ? null : right / objects.length,
      rank: null,
      neighbours: null,
      boxes: {
        truth: objects.map((box) => ({ ...cornersOf(box), label: null, stage: null })),
        found: shown.map((d) => ({
          ...cornersOf(d.box),
          score: d.score,
          label: null,
          fate: fate(d),
          neighbours: null,
        })),
      },
      width: image?.width ?? null,
      height: image?.height ?? null,
      lostAt: null,
      stageMs: null,
    };
  });
}
