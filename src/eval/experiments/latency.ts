import { availableParallelism } from "node:os";
import { setFaissThreads } from "../../pipeline/index/engine.js";
import type { Observation, Protocol } from "../../pipeline/types.js";
import type { LatencyMeasurement } from "../config/config.js";
import type { DatasetManifest, PipelineDataset, RecognitionDataset } from "../config/dataset.js";
import { measurePasses, type StageSamples } from "../latency/stages.js";
import { bestNeighbours, cornersOf } from "../record/case.js";
import type { Resources } from "../observe/resources.js";
import type { CellContext, CellOutcome, CellPlan } from "./cell.js";
import { judgeRounds, measureRounds } from "./latency-comparison.js";
import {
  measureCold,
  measureOffline,
  measureServer,
  singleStreamScores,
  type ScenarioResult,
} from "./latency-scenarios.js";
import { latencyScores, timingFindings } from "./model-cost.js";
import { recordedRoot } from "./pictures.js";
import { allSources } from "./sources.js";
import { cellPlan, namedDataset, namedModel, valueOf, type Named } from "./sweep.js";
import { checkAnswers, openSystem, RecognitionService, type OpenSystem } from "./timed-system.js";

type System = LatencyMeasurement["systems"][number];

/**
 * Milliseconds of each stage of the whole pipeline, one picture at a time (Table 9's columns,
 * LoadGen's SingleStream); then, as far as the config asks for them, throughput, the rate within a
 * latency bound, cold start and memory, a cell a system; and one cell in which the systems are
 * compared in interleaved rounds.
 */
export async function planLatency(
  m: LatencyMeasurement,
  protocol: Protocol,
  resources: Resources,
): Promise<CellPlan[]> {
  const images = await namedDataset(
    m.images,
    ["recognition", "detection", "pipeline", "classification"],
    resources,
  );
  const parts = await Promise.all(
    m.systems.map(async (system): Promise<Part> => {
      const models = await Promise.all(
        [system.detector, system.embedder].map((ref) => namedModel(ref, resources)),
      );
      const dataset = await namedDataset(system.gallery, ["recognition", "pipeline"], resources);
      return { system, dataset, needs: [...models, images, dataset], opened: undefined };
    }),
  );
  const shared = { images: images.name, threads: String(m.threads) };
  const plans = parts.map((part): CellPlan => {
    const labels = {
      system: part.system.name,
      images: images.name,
      gallery: part.dataset.name,
      index: part.system.index.factory,
      threads: shared.threads,
    };
    return cellPlan({ kind: "latency", labels }, part.needs, (context) =>
      withFaissThreads(m.threads, async () =>
        measureSystem(
          m,
          await open(part, m, valueOf(images), protocol, context),
          valueOf(images),
          valueOf(part.dataset),
          context,
        ),
      ),
    );
  });
  if (!m.comparison) return plans;
  const settings = m.comparison;
  // A system that cannot be opened fails its own cell; the others are compared without it.
  const usable = parts.filter((part) => part.needs.every((need) => "value" in need));
  const compared = cellPlan(
    {
      kind: "latency-comparison",
      labels: { systems: parts.map((p) => p.system.name).join(", "), ...shared },
    },
    usable.length > 0 ? [] : parts[0]!.needs,
    (context) =>
      withFaissThreads(m.threads, async () => {
        const systems: OpenSystem[] = [];
        for (const part of usable)
          systems.push(await open(part, m, valueOf(images), protocol, context));
        let round = 0;
        const measured = await measureRounds(
          systems,
          settings,
          () => {
            context.progress(Math.min(++round, settings.rounds), settings.rounds);
          },
          context.signal,
        );
        return {
          ...judgeRounds(measured, settings.relevantEffect, { level: context.intervals.level }),
          versions: {
            images: valueOf(images).hash,
            ...Object.fromEntries(
              systems.flatMap((s) => [
                [`${s.name} detector`, s.versions.detector],
                [`${s.name} embedder`, s.versions.embedder],
              ]),
            ),
          },
          cases: [],
        };
      }),
    undefined,
    allSources(usable.flatMap((part) => part.needs.map((need) => need.sources))),
  );
  return [...plans, compared];
}

/** A system of the measurement, opened by the first cell that needs it. */
interface Part {
  readonly system: System;
  readonly dataset: Named<RecognitionDataset | PipelineDataset>;
  readonly needs: readonly Named<unknown>[];
  opened: Promise<OpenSystem> | undefined;
}

function open(
  part: Part,
  { samples, threads }: LatencyMeasurement,
  images: DatasetManifest,
  protocol: Protocol,
  context: CellContext,
): Promise<OpenSystem> {
  part.opened ??= openSystem(
    part.system,
    { count: samples, threads },
    images,
    valueOf(part.dataset),
    protocol,
    context,
  );
  return part.opened;
}

async function withFaissThreads<T>(threads: number, work: () => Promise<T>): Promise<T> {
  setFaissThreads(threads);
  try {
    return await work();
  } finally {
    setFaissThreads(availableParallelism());
  }
}

async function measureSystem(
  m: LatencyMeasurement,
  system: OpenSystem,
  images: DatasetManifest,
  dataset: RecognitionDataset | PipelineDataset,
  context: CellContext,
): Promise<CellOutcome> {
  setFaissThreads(m.threads); // opening it left one for each core
  const { signal, intervals } = context;
  const { level } = intervals;
  const total = m.samples + (m.offline ? (m.offline.rounds + 1) * m.offline.pictures : 0);
  let done = 0;
  const step = (): void => {
    context.progress(Math.min(++done, total), total);
  };
  const { stages, observations } = await timeStages(m, system, step, signal);
  const items = Int32Array.from({ length: m.samples }, (_, i) => i % system.pictures.length);
  const samples = Object.fromEntries(stages.map(({ stage, samplesMs }) => [stage, [...samplesMs]]));
  const overall = samples.overall!;
  const service = new RecognitionService(system, () => {
    signal.throwIfAborted();
    step();
  });
  const results: ScenarioResult[] = [];
  if (m.offline) results.push(await measureOffline(service, m.offline, level));
  if (m.server) {
    const throughput = results[0]?.scores.find((s) => s.metric === "throughput");
    const known = { level, ...(throughput && { throughput }) };
    results.push(await measureServer(service, overall, m.server, known));
  }
  if (m.coldStart) results.push(await measureCold(system, m.coldStart, context));
  return {
    versions: { ...system.versions, images: images.hash, gallery: dataset.hash },
    scores: [
      ...Object.entries(samples).flatMap(([stage, ms]) =>
        latencyScores(stage, ms, level, [50, 90, 99], { items }),
      ),
      ...singleStreamScores(overall),
      ...results.flatMap((r) => r.scores),
    ],
    findings: [...timingFindings(samples), ...results.flatMap((r) => r.findings ?? [])],
    errors: [...system.errors],
    cases: observations.map(caseOf),
    samples: Object.assign(samples, ...results.map((r) => r.samples)) as Record<
      string,
      readonly number[]
    >,
    imageRoots: {
      [images.name]: recordedRoot(images.images),
      [dataset.name]: recordedRoot(dataset.gallery.images ?? dataset.images),
    },
  };
}

/**
 * tinybench drives the passes; a pass is a picture, and its stages are clocked inside. One
 * observation a picture is kept: the last.
 */
async function timeStages(
  { warmup, samples }: LatencyMeasurement,
  system: OpenSystem,
  step: () => void,
  signal: AbortSignal,
): Promise<{ stages: StageSamples[]; observations: Observation[] }> {
  const { recognizer, pictures } = system;
  const answers: Observation[] = [];
  let passes = 0;
  const stages = await measurePasses(
    async (iteration) => {
      const { file, item } = pictures[iteration % pictures.length]!;
      const observation = await recognizer.recognizeFile(file, item);
      answers.push(observation);
      if (++passes > warmup) step();
      return observation;
    },
    { warmupIterations: warmup, warmupMs: 0, iterations: samples, timeMs: 0, signal },
  );
  checkAnswers(system, answers);
  return { stages, observations: [...new Map(answers.map((o) => [o.image, o])).values()] };
}

function caseOf(o: Observation): CellOutcome["cases"][number] {
  const best = o.recognitions.filter((r) => r.fate === "kept").sort((a, b) => b.score - a.score)[0];
  return {
    item: o.image,
    image: o.image,
    outcome: "none",
    truth: null,
    prediction: best?.label ?? null,
    score: best?.score ?? null,
    rank: null,
    neighbours: best ? bestNeighbours(best.hits) : null,
    boxes: {
      truth: [],
      found: o.recognitions.map(({ box, detectionScore, label, fate }) => ({
        ...cornersOf(box),
        score: detectionScore,
        label,
        fate,
        neighbours: null,
      })),
    },
    width: o.width,
    height: o.height,
    lostAt: null,
    stageMs: { ...o.stageMs },
  };
}
