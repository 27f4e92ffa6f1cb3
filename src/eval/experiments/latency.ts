import { availableParallelism } from "node:os";
import { UserError } from "../../pipeline/errors.js";
import { setFaissThreads } from "../../pipeline/index/engine.js";
import { Recognizer } from "../../pipeline/recognizer.js";
import type { Observation, Protocol, Stage } from "../../pipeline/types.js";
import type { LatencyMeasurement } from "../config.js";
import type { DatasetManifest, PipelineDataset, RecognitionDataset } from "../dataset.js";
import type { ItemError } from "../observations.js";
import type { Resources } from "../resources.js";
import type { CellContext, CellOutcome, CellPlan } from "./cell.js";
import { latencyScores } from "./model-cost.js";
import { datasetPictures, recordedRoot } from "./pictures.js";
import { cellPlan, namedDataset, namedModel, valueOf } from "./sweep.js";
import { openSystemGallery } from "./systems.js";

type System = LatencyMeasurement["systems"][number];

/** Milliseconds of each stage of the whole pipeline, one picture at a time (Table 9's columns, MLPerf's SingleStream). */
export async function planLatency(m: LatencyMeasurement, protocol: Protocol, resources: Resources): Promise<CellPlan[]> {
  const images = await namedDataset(m.images, ["recognition", "detection", "pipeline", "classification"], resources);
  return Promise.all(m.systems.map(async (system): Promise<CellPlan> => {
    const models = await Promise.all([system.detector, system.embedder].map((ref) => namedModel(ref, resources)));
    const dataset = await namedDataset(system.gallery, ["recognition", "pipeline"], resources);
    const labels = { system: system.name, images: images.name, gallery: dataset.name, index: system.index.factory, threads: String(m.threads) };
    return cellPlan({ kind: "latency", labels }, [...models, images, dataset], (context) => measureLatency(m, system, valueOf(images), valueOf(dataset), protocol, context));
  }));
}

async function measureLatency(m: LatencyMeasurement, system: System, images: DatasetManifest, dataset: RecognitionDataset | PipelineDataset, protocol: Protocol, context: CellContext): Promise<CellOutcome> {
  const { resources, signal, progress } = context;
  const detector = await resources.detector(system.detector, m.threads);
  const embedder = await resources.embedder(system.embedder, m.threads);
  const { gallery } = await openSystemGallery(system, dataset, protocol, context);
  setFaissThreads(m.threads);
  try {
    const recognizer = new Recognizer({ detector, embedder, gallery }, { protocol });
    const pictures = (await datasetPictures(images, protocol)).flatMap((p) => ("file" in p ? [p] : []));
    if (pictures.length === 0) throw new UserError({ code: "dataset-empty", message: "no picture of the data set could be used", file: images.file, fix: "check its image root" });
    const errors = new Map<string, ItemError>();
    const observe = async (i: number): Promise<Observation | null> => {
      const { item, file } = pictures[i % pictures.length]!;
      try {
        return await recognizer.recognizeFile(file, item);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        errors.set(item, { item, code: error.code, message: error.message });
        return null;
      }
    };
    for (let i = 0; i < m.warmup; i++) await observe(i);
    const observations: Observation[] = [];
    for (let i = 0; i < m.samples; i++) {
      signal.throwIfAborted();
      const observation = await observe(i);
      if (observation) observations.push(observation);
      progress(i + 1, m.samples);
    }
    await checkRepeats(observe, observations);
    const samples = stageSamples(observations);
    return {
      versions: { detector: detector.version, embedder: embedder.version, images: images.hash, gallery: dataset.hash, index: gallery.index.version },
      scores: Object.entries(samples).flatMap(([stage, ms]) => latencyScores(stage, ms, [50, 90, 99])),
      errors: [...errors.values()],
      cases: observations.map((o) => caseOf(o)),
      samples,
      imageRoots: { [images.name]: recordedRoot(images.images), [dataset.name]: recordedRoot(dataset.gallery.images ?? dataset.images) },
    };
  } finally {
    setFaissThreads(availableParallelism());
    gallery.close();
  }
}

/** Rule of the house: a repeated picture gives the same hits and scores, or the run is worth nothing. */
async function checkRepeats(observe: (i: number) => Promise<Observation | null>, observations: readonly Observation[]): Promise<void> {
  const first = observations[0];
  const again = first && (await observe(0));
  if (!first || !again || again.image !== first.image) return;
  const differs = again.recognitions.length !== first.recognitions.length || again.recognitions.some((r, i) => {
    const before = first.recognitions[i]!;
    return r.label !== before.label || Math.abs(r.score - before.score) > 1e-5;
  });
  if (differs) throw new UserError({ code: "not-reproducible", message: "the same picture gave other recognitions the second time", file: first.image, fix: "look for a model whose outputs vary from run to run" });
}

function stageSamples(observations: readonly Observation[]): Record<string, number[]> {
  const stages: readonly Stage[] = ["decode", "preprocess", "detect", "crop", "embed", "classify", "search", "suppress"];
  const samples: Record<string, number[]> = {};
  for (const stage of stages) {
    if (observations.some((o) => o.stageMs[stage] !== undefined)) samples[stage] = observations.map((o) => o.stageMs[stage] ?? 0);
  }
  samples.overall = observations.map((o) => o.overallMs);
  return samples;
}

function caseOf(o: Observation): CellOutcome["cases"][number] {
  const best = o.recognitions.filter((r) => r.fate === "kept").sort((a, b) => b.score - a.score)[0];
  return {
    item: o.image, image: o.image, outcome: "none", truth: null, prediction: best?.label ?? null, score: best?.score ?? null, rank: null,
    neighbours: best ? JSON.stringify(best.hits.map((h) => [h.label, h.score, h.path])) : null,
    boxes: JSON.stringify({ truth: [], found: o.recognitions.map(({ box: b, detectionScore, label, fate }) => [b.x0, b.y0, b.x1, b.y1, detectionScore, label, fate]) }),
    width: o.width, height: o.height, lostAt: null, stageMs: JSON.stringify(o.stageMs),
  };
}
