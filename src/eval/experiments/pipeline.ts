import type { CocoTruth } from "../../../datasets/formats/coco-set.js";
import type { Complaint } from "../../pipeline/errors.js";
import { accepted, type AcceptanceRule } from "../../pipeline/acceptance.js";
import { isExhaustive } from "../../pipeline/index/engine.js";
import { rulesOf } from "../../pipeline/protocol.js";
import { Gallery } from "../../pipeline/gallery/gallery.js";
import { bestDetections, defaultSettings, Recognizer } from "../../pipeline/system/recognizer.js";
import type { Box, Detection, Pixels, Protocol, Recognition } from "../../pipeline/types.js";
import type { PipelineMeasurement, SystemSpec } from "../config/config.js";
import type { PipelineDataset } from "../config/dataset.js";
import { withCrops } from "../observe/crop-embeddings.js";
import { derived } from "../observe/derived.js";
import { cropRecall } from "../metrics/end-to-end/f1-crop-recall.js";
import type { ImageEvidence, TruthObject } from "../metrics/end-to-end/f1-evidence.js";
import { bestPoint, sweepF1, thinned } from "../metrics/end-to-end/f1-sweep.js";
import { f1Definitions } from "../metrics/end-to-end/f1-tally.js";
import { heldOutF1 } from "../metrics/end-to-end/f1-cross-fit.js";
import { f1At, scoreOf } from "../metrics/end-to-end/f1.js";
import { waterfall, type Waterfall } from "../metrics/end-to-end/waterfall.js";
import {
  cropsOf,
  lossStages,
  type CropsOfImage,
  type Neighbour,
} from "../metrics/end-to-end/waterfall-evidence.js";
import { detectPictures, type ItemError } from "../observe/observations.js";
import { pictureHash } from "../observe/picture-hash.js";
import { bestNeighbours, cornersOf } from "../record/case.js";
import type { RecordedScore } from "../record/record.js";
import type { Resources } from "../observe/resources.js";
import type { CellContext, CellOutcome, CellPlan } from "./cell.js";
import type { BootstrapOptions } from "../stats/bootstrap.js";
import { seedFor, type IntervalPlan } from "../stats/interval-plan.js";
import { measured, named, undefinedScore } from "../stats/score.js";
import type { ScoreName } from "../types.js";
import { withOneThread } from "./index-points.js";
import { readTruth, recordedRoot, truthPictures } from "./pictures.js";
import { cellPlan, namedDataset, namedModel, valueOf } from "./sweep.js";
import { openSystemGallery } from "./systems.js";

/**
 * The whole pipeline on a test set of scenes: F1 by four definitions, crop-recall, and where
 * objects are lost.
 */
export async function planPipeline(
  m: PipelineMeasurement,
  protocol: Protocol,
  resources: Resources,
): Promise<CellPlan[]> {
  const plans: CellPlan[] = [];
  for (const system of m.systems) {
    const models = [
      await namedModel(system.detector, resources),
      await namedModel(system.embedder, resources),
    ];
    for (const path of m.datasets) {
      const dataset = await namedDataset(path, ["pipeline"], resources);
      const labels = { system: system.name, dataset: dataset.name, index: system.index.factory };
      plans.push(
        cellPlan({ kind: "pipeline", labels }, [...models, dataset], (context) =>
          measurePipeline(system, valueOf(dataset), m.threshold, protocol, context),
        ),
      );
    }
  }
  return plans;
}

/** What one picture shows, and what the pipeline and its counterfactuals made of it. */
export interface Scene {
  readonly evidence: ImageEvidence;
  readonly crops: CropsOfImage;
  readonly recognitions: readonly Recognition[];
  readonly width: number;
  readonly height: number;
}

/** A system on all scenes of a data set. */
export interface ObservedScenes {
  /** In the order of the annotations. */
  readonly scenes: readonly Scene[];
  readonly rule: AcceptanceRule;
  readonly versions: Readonly<Record<"detector" | "embedder" | "index", string>>;
  readonly galleryErrors: readonly ItemError[];
  readonly sceneErrors: readonly ItemError[];
}

/** Detects, embeds and searches, from the caches where it is known. */
export async function observeScenes(
  system: SystemSpec,
  dataset: PipelineDataset,
  protocol: Protocol,
  context: CellContext,
): Promise<ObservedScenes> {
  const { resources, signal, progress } = context;
  const detector = await resources.detector(system.detector);
  const embedder = await resources.embedder(system.embedder);
  const {
    gallery,
    rows,
    errors: galleryErrors,
  } = await openSystemGallery(system, dataset, protocol, context);
  const approximate = !isExhaustive(gallery.settings.factory);
  const flat = approximate
    ? await Gallery.build(
        { ...gallery.settings, factory: "Flat", engine: "faiss", parameters: {} },
        rows,
        gallery.rows,
      )
    : null;
  try {
    const truth = await readTruth(dataset);
    const pictures = truthPictures(truth, dataset);
    const objects = objectsByImage(truth, dataset);
    const { found, errors } = await detectPictures(
      detector,
      await resources.preprocessing(system.detector),
      pictures,
      { caches: resources.caches, protocol, progress, signal },
    );
    const preprocessing = await resources.preprocessing(system.embedder);
    // A handful of crops a search: a team of threads costs more than it saves, most of all beside
    // other work.
    const observeAll = (): Promise<Scene[]> =>
      withOneThread(() =>
        withCrops(resources.caches, embedder, { preprocessing, protocol }, async (cropsOfFile) => {
          const scenes: Scene[] = [];
          for (const [i, picture] of pictures.entries()) {
            signal.throwIfAborted();
            const seen = found[i];
            const shown = objects[i]!;
            if (!seen || !("file" in picture)) scenes.push(unseen(picture.item, shown));
            else {
              const parts = { detector, embedder: cropsOfFile(picture.file) };
              const exactly = flat && new Recognizer({ ...parts, gallery: flat }, { protocol });
              // The size says where windows end; the pixels are read by whoever needs them.
              const size: Pixels = {
                data: new Uint8Array(0),
                width: seen.width,
                height: seen.height,
              };
              scenes.push(
                await observe(
                  new Recognizer({ ...parts, gallery }, { protocol }),
                  exactly,
                  size,
                  picture.item,
                  seen.detections(),
                  shown,
                ),
              );
            }
            progress(i + 1, pictures.length);
          }
          return scenes;
        }),
      );
    const scenes = await derived(
      resources.caches,
      {
        method: "recognised scenes",
        evidence: {
          embedder: embedder.version,
          preprocessing,
          protocol,
          index: gallery.index.version,
          settings: gallery.settings,
          gallery: rows.data,
          rows: gallery.rows,
          objects,
          found: found.map((f) => f && Buffer.from(f.bytes).toString("base64")),
          pictures: pictures.map((picture, i) => [
            picture.item,
            found[i] && "file" in picture ? pictureHash(picture.file) : null,
          ]),
        },
      },
      observeAll,
    );
    const rule: AcceptanceRule = {
      better: embedder.kind === "real" ? "higher" : "lower",
      suppressIou: defaultSettings.suppressIou,
      rules: rulesOf(protocol),
    };
    return {
      scenes,
      rule,
      versions: {
        detector: detector.version,
        embedder: embedder.version,
        index: gallery.index.version,
      },
      galleryErrors,
      sceneErrors: errors,
    };
  } finally {
    gallery.close();
    flat?.close();
  }
}

/** PP-ShiTu's threshold for scores of which the high, or the low, are better. */
export function usualThreshold({ better }: Pick<AcceptanceRule, "better">): number {
  return better === "higher" ? defaultSettings.scoreThreshold : defaultSettings.hammingRadius;
}

async function measurePipeline(
  system: SystemSpec,
  dataset: PipelineDataset,
  threshold: number | undefined,
  protocol: Protocol,
  context: CellContext,
): Promise<CellOutcome> {
  const { intervals } = context;
  const observed = await observeScenes(system, dataset, protocol, context);
  const { scenes, rule } = observed;
  const { detector, embedder, index } = observed.versions;
  const at = threshold ?? usualThreshold(rule);
  const losses = waterfall(
    scenes.map((s) => s.crops),
    { ...rule, threshold: at, success: "box" },
    {
      level: intervals.level,
      resamples: intervals.imageResamples,
      seed: seedFor(intervals, "waterfall"),
    },
  );
  const evidence = scenes.map((s) => s.evidence);
  const lost = new Map<string, Complaint>(observed.sceneErrors.map((e) => [e.item, e]));
  return {
    versions: { detector, embedder, dataset: dataset.hash, index },
    scores: [
      ...f1Scores(evidence, rule, at, intervals),
      ...cropScores(evidence, rule, intervals.level),
      ...lossScores(losses),
    ],
    errors: [
      ...observed.galleryErrors,
      ...[...lost].map(([item, { code, message }]): ItemError => ({ item, code, message })),
    ],
    notes: [],
    cases: scenes.map((scene) => caseOf(scene, rule, at, losses)),
    curves: sweepCurves(evidence, rule),
    imageRoots: {
      [dataset.name]: recordedRoot(dataset.images),
      [`${dataset.name} gallery`]: recordedRoot(dataset.gallery.images ?? dataset.images),
    },
  };
}

interface Shown {
  readonly truth: readonly TruthObject[];
  readonly unknown: readonly Box[];
}

function objectsByImage(truth: CocoTruth, { unknown }: PipelineDataset): Shown[] {
  const shown = truth.images.map(() => ({ truth: [] as TruthObject[], unknown: [] as Box[] }));
  truth.image.forEach((image, g) => {
    const [x, y, width, height] = truth.box.subarray(4 * g, 4 * g + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const box = { x0: x, y0: y, x1: x + width, y1: y + height };
    const label = truth.categories[truth.category[g]!]!.name;
    if (label === unknown) shown[image]!.unknown.push(box);
    else shown[image]!.truth.push({ label, box });
  });
  return shown;
}

async function observe(
  recognizer: Recognizer,
  exactly: Recognizer | null,
  pixels: Pixels,
  image: string,
  all: readonly Detection[],
  shown: Shown,
): Promise<Scene> {
  const { maxDetections, detectionThreshold } = recognizer.settings;
  const detections = bestDetections(all, maxDetections, detectionThreshold);
  const oracleBoxes = shown.truth.map(({ box }): Detection => ({ box, score: 1, classId: 0 }));
  const recognitions = await recognizer.recognizeBoxes(pixels, detections);
  const exact = exactly && firstNeighbours(await exactly.recognizeBoxes(pixels, detections));
  const size = { width: pixels.width, height: pixels.height };
  const seen = cropsOf(
    { image, ...size, recognitions, detections },
    shown.truth,
    exact ?? undefined,
  );
  const oracle = await withoutWholeImage(recognizer, pixels, oracleBoxes);
  const oracleExact =
    exactly && firstNeighbours(await withoutWholeImage(exactly, pixels, oracleBoxes));
  const oracleCrops = cropsOf(
    { image, ...size, recognitions: oracle, detections: oracleBoxes },
    shown.truth,
    oracleExact ?? undefined,
  ).crops;
  return {
    evidence: { image, ...shown, recognitions },
    crops: { ...seen, oracle: oracleCrops },
    recognitions,
    ...size,
  };
}

/** Recognitions of given boxes in their order, the added whole image left out. */
async function withoutWholeImage(
  recognizer: Recognizer,
  pixels: Pixels,
  boxes: readonly Detection[],
): Promise<Recognition[]> {
  if (boxes.length === 0) return [];
  const recognitions = await recognizer.recognizeBoxes(pixels, boxes, { wholeImage: false });
  if (recognitions.length !== boxes.length)
    throw new Error(`${recognitions.length} recognitions for ${boxes.length} boxes`);
  return recognitions;
}

function firstNeighbours(recognitions: readonly Recognition[]): (Neighbour | null)[] {
  return recognitions.map(({ label, score }) => (label === null ? null : { label, score }));
}

/** A picture that could not be read: every object in it is missed. */
function unseen(image: string, shown: Shown): Scene {
  return {
    evidence: { image, ...shown, recognitions: [] },
    crops: { image, truth: shown.truth, crops: [], oracle: [] },
    recognitions: [],
    width: 0,
    height: 0,
  };
}

const share = { unit: "ratio", better: "higher" } as const;

function f1Scores(
  evidence: readonly ImageEvidence[],
  rule: AcceptanceRule,
  threshold: number,
  intervals: IntervalPlan,
): RecordedScore[] {
  const { level, imageResamples: resamples } = intervals;
  const drawing = (purpose: string): BootstrapOptions => ({
    level,
    resamples,
    seed: seedFor(intervals, purpose),
  });
  return f1Definitions.flatMap((definition): RecordedScore[] => {
    const f1 = (which: string): ScoreName => ({
      metric: "F1",
      ...share,
      of: { definition, threshold: which },
    });
    // The same splits for every definition.
    const heldOut = heldOutF1(evidence, definition, rule, {
      level,
      seed: seedFor(intervals, "F1 splits"),
    });
    const best = bestPoint(sweepF1(evidence, definition, rule));
    const chosen: ScoreName = {
      metric: "threshold",
      unit: "ratio",
      better: "neither",
      of: { definition, threshold: "held-out" },
    };
    const byDefault = drawing(`F1 ${definition} default`);
    return [
      named(f1("held-out"), heldOut.f1),
      named(f1("default"), scoreOf(f1At(evidence, definition, rule, threshold, byDefault))),
      named(
        chosen,
        heldOut.threshold === null
          ? undefinedScore("no threshold could be chosen")
          : measured(
              heldOut.threshold,
              evidence.length,
              null,
              `median of those that the halves of ${heldOut.splits} splits chose`,
            ),
      ),
      // Chosen on the very pictures that it is reported for: an upper bound, and named so.
      named(
        f1("best in hindsight"),
        best === null || best.f1 === null
          ? undefinedScore("no threshold gives an answer")
          : measured(best.f1, evidence.length, null, "none: flatters"),
      ),
    ];
  });
}

function cropScores(
  evidence: readonly ImageEvidence[],
  rule: AcceptanceRule,
  level: number,
): RecordedScore[] {
  const ks = [1, 5];
  return cropRecall(evidence, ks, rule, level).map((score, i) =>
    named({ metric: `crop-recall@${ks[i]!}`, ...share }, score),
  );
}

function lossScores({ shares, counterfactuals }: Waterfall): RecordedScore[] {
  return [
    ...lossStages.map((stage) => {
      const better = stage === "correct" ? "higher" : "lower";
      return named({ metric: "objects", unit: "ratio", better, of: { stage } }, shares[stage]);
    }),
    ...counterfactuals.flatMap(({ name, recall, gain }) => {
      const of = { counterfactual: name };
      return [
        named({ metric: "objects-recognised-if", ...share, of }, recall),
        named({ metric: "objects-gained-if", ...share, of }, gain),
      ];
    }),
  ];
}

/** F1 over the threshold by definition, thinned to what a chart can show. */
function sweepCurves(
  evidence: readonly ImageEvidence[],
  rule: AcceptanceRule,
): Record<string, number[]> {
  return Object.fromEntries(
    f1Definitions.flatMap((definition) => {
      const points = thinned(sweepF1(evidence, definition, rule), 200);
      return [
        [`threshold ${definition}`, points.map((p) => p.threshold)],
        [`F1 ${definition}`, points.map((p) => p.f1 ?? 0)],
      ];
    }),
  );
}

function caseOf(
  { evidence, recognitions, width, height }: Scene,
  rule: AcceptanceRule,
  threshold: number,
  { objects }: Waterfall,
): CellOutcome["cases"][number] {
  const kept = new Set(accepted(recognitions, rule, threshold));
  const losses = objects.filter((o) => o.image === evidence.image);
  const firstLoss = losses.find((o) => o.stage !== "correct");
  const answers = [...kept].map((i) => recognitions[i]!);
  const fate = (r: Recognition, i: number): string =>
    kept.has(i) ? "kept" : r.fate === "kept" ? "suppressed" : r.fate;
  const best = answers[0];
  return {
    item: evidence.image,
    image: evidence.image,
    outcome: width === 0 ? "error" : firstLoss ? "miss" : "hit",
    truth: evidence.truth.map((t) => t.label).join(", "),
    prediction: answers.map((r) => r.label).join(", "),
    score:
      losses.length === 0
        ? null
        : losses.filter((o) => o.stage === "correct").length / losses.length,
    rank: null,
    neighbours: best ? bestNeighbours(best.hits) : null,
    boxes: {
      truth: evidence.truth.map(({ box, label }, i) => ({
        ...cornersOf(box),
        label,
        stage: losses[i]?.stage ?? null,
      })),
      found: recognitions.map((r, i) => ({
        ...cornersOf(r.box),
        score: r.score,
        label: r.label,
        fate: fate(r, i),
        neighbours: bestNeighbours(r.hits),
      })),
    },
    width: width || null,
    height: height || null,
    lostAt: firstLoss?.stage ?? null,
    stageMs: null,
  };
}
