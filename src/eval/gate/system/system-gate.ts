// system/: two whole systems and pictures with truth in; findings about them out. It never sees the
// inside of a model.
import { Recognizer } from "../../../pipeline/system/recognizer.js";
import { UserError } from "../../../pipeline/errors.js";
import type { DatasetManifest, PipelineDataset } from "../../config/dataset.js";
import type { SystemSpec } from "../../config/config.js";
import type { CellContext } from "../../experiments/cell.js";
import { observeScenes, usualThreshold, type ObservedScenes } from "../../experiments/pipeline.js";
import { datasetPictures, recordedRoot } from "../../experiments/pictures.js";
import { openSystemGallery } from "../../experiments/systems.js";
import { defaultIntervals } from "../../stats/interval-plan.js";
import type { GateConfig } from "../config.js";
import { countFile, exactRatio, timeRunners, type TimedPair } from "../cost.js";
import { judgement, type DatasetResult, type GateResult, type GateSide } from "../judgement.js";
import type { Finding } from "../measures.js";
import type { GateWork } from "../work.js";
import { systemFindings } from "./system-findings.js";
import { changeOfSystem, type SystemModels, type SystemPair } from "./system-pair.js";

/**
 * Judges two pipelines on the same scenes: by F1, by how far objects come, and by what they cost.
 * Both are measured with the same index and threshold, so that the models alone differ.
 *
 * @throws UserError `wrong-task`, `dataset-empty`, and those of reading models and data.
 */
export async function runSystemGate(
  pair: SystemPair,
  datasets: readonly DatasetManifest[],
  config: GateConfig,
  work: GateWork,
): Promise<GateResult> {
  const scenes = datasets.map(pipelineDataset);
  const findings: Finding[] = [];
  const results: DatasetResult[] = [];
  for (const dataset of scenes) {
    const { findings: found, ...rest } = await compareOn(pair, dataset, config, work);
    findings.push(...found);
    const images = recordedRoot(dataset.images);
    results.push({ name: dataset.name, images, hash: dataset.hash, ...rest });
  }
  findings.push(...(await filesOf(pair, work)));
  const latency = await timeSystems(pair, scenes[0]!, config, work);
  if (latency) findings.push(latency.finding);
  const what = pair.changed.join(" and ");
  return judgement(config, {
    baseline: sideOf(pair.baseline),
    candidate: sideOf(pair.candidate),
    change: config.change === "auto" ? changeOfSystem(pair) : config.change,
    findings,
    datasets: results,
    latency,
    notes: [`the ${what} differ${pair.changed.length === 1 ? "s" : ""}`],
  });
}

function pipelineDataset(dataset: DatasetManifest): PipelineDataset {
  if (dataset.task === "pipeline") return dataset;
  throw new UserError({
    code: "wrong-task",
    message: "this data set has no scenes for a whole pipeline",
    file: dataset.file,
    path: "task",
    expected: "pipeline",
    found: dataset.task,
    fix: "give a data set of scenes with a gallery",
  });
}

async function compareOn(
  pair: SystemPair,
  dataset: PipelineDataset,
  config: GateConfig,
  work: GateWork,
) {
  const { level, clusters, sample, index } = config;
  const baseline = await observe("baseline", pair, dataset, { index, work });
  const candidate = await observe("candidate", pair, dataset, { index, work });
  const threshold = config.threshold ?? usualThreshold(baseline.rule);
  if (baseline.rule.better !== candidate.rule.better) {
    throw new UserError({
      code: "wrong-task",
      message: "one embedder gives real vectors, the other codes: no threshold is for both",
      fix: "judge the embedder alone, or two pipelines of one kind",
    });
  }
  const options = { dataset: dataset.name, level, clusters, sample, threshold };
  return systemFindings(baseline, candidate, options);
}

async function observe(
  side: "baseline" | "candidate",
  pair: SystemPair,
  dataset: PipelineDataset,
  { index, work }: { readonly index: string; readonly work: GateWork },
): Promise<ObservedScenes> {
  const spec = specOf(side, pair[side], index);
  const observed = await observeScenes(spec, dataset, work.protocol, contextOf(work));
  const seen = observed.scenes.filter((scene) => scene.width > 0).length;
  // A candidate that fails on every picture is a finding; a baseline that does is a mistake.
  if (seen > 0 || side === "candidate") return observed;
  const first = observed.sceneErrors[0];
  throw new UserError({
    code: "dataset-empty",
    message: "the baseline: no picture of the data set could be used",
    file: dataset.file,
    ...(first && { found: `${first.item}: ${first.message}` }),
    fix: "check its image root, or the model where it fails on every picture",
  });
}

function contextOf({ resources, signal, progress }: GateWork): CellContext {
  return { resources, signal, progress, intervals: defaultIntervals };
}

function specOf(name: string, models: SystemModels, factory: string): SystemSpec {
  const { detector, embedder } = models;
  const index = { engine: "faiss", factory, parameters: {} };
  return { name, detector: detector.cardFile, embedder: embedder.cardFile, index };
}

function sideOf({ detector, embedder }: SystemModels): GateSide {
  return {
    name: `${detector.card.name} + ${embedder.card.name}`,
    version: `${detector.card.version} + ${embedder.card.version}`,
    sha256: null,
  };
}

/** Bytes and parameters of both files together. */
async function filesOf(pair: SystemPair, work: GateWork): Promise<Finding[]> {
  const total = async (models: SystemModels) => {
    const [detector, embedder] = [
      await countFile(models.detector, work),
      await countFile(models.embedder, work),
    ];
    return {
      bytes: detector.bytes + embedder.bytes,
      parameters: detector.parameters + embedder.parameters,
    };
  };
  const [first, second] = [await total(pair.baseline), await total(pair.candidate)];
  return [
    exactRatio("size-ratio", first.bytes, second.bytes),
    exactRatio("parameters-ratio", first.parameters, second.parameters),
  ];
}

/** The whole pipelines interleaved, from decoded picture to answers. */
async function timeSystems(
  pair: SystemPair,
  dataset: PipelineDataset,
  config: GateConfig,
  work: GateWork,
): Promise<TimedPair | null> {
  const { resources, protocol } = work;
  const galleries: { close(): void }[] = [];
  const open = (side: "baseline" | "candidate") => async () => {
    const spec = specOf(side, pair[side], config.index);
    const { gallery } = await openSystemGallery(spec, dataset, protocol, contextOf(work));
    galleries.push(gallery);
    const detector = await resources.detector(spec.detector);
    const embedder = await resources.embedder(spec.embedder);
    const recognizer = new Recognizer({ detector, embedder, gallery }, { protocol });
    return (pixels: Parameters<Recognizer["recognize"]>[0]) => recognizer.recognize(pixels, "");
  };
  try {
    const pictures = await datasetPictures(dataset, protocol, resources);
    const sides = { baseline: open("baseline"), candidate: open("candidate") };
    return await timeRunners(sides, pictures, config);
  } finally {
    for (const gallery of galleries) gallery.close();
  }
}
