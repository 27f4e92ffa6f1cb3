import { fileURLToPath } from "node:url";
import type { Task } from "../../pipeline/model/card.js";
import { UserError } from "../../pipeline/errors.js";
import { decode } from "../../pipeline/image/image.js";
import { inspectOnnx } from "../../pipeline/onnx/inspect.js";
import type { Pixels } from "../../pipeline/types.js";
import { derived } from "../observe/derived.js";
import { measureColdStart, type ColdStartSample } from "../latency/cold-start.js";
import { ratioOf } from "../latency/comparison.js";
import type { Contender } from "../latency/interleave.js";
import { compareLatency, type LatencyComparison } from "../latency/noise-certificate.js";
import type { PictureRef } from "../observe/observations.js";
import { quantileOfSorted, sampleQuantile } from "../stats/quantile.js";
import { twoSidedLevel } from "../stats/interval-plan.js";
import type { Interval } from "../types.js";
import type { ColdModel } from "./cold-model.js";
import type { GateConfig } from "./config.js";
import type { ContenderModel } from "./contender.js";
import type { Finding } from "./measures.js";
import type { GateWork } from "./work.js";

/** What the two files cost: size, weights, work, time, memory. */

export interface Sides<T> {
  readonly baseline: T;
  readonly candidate: T;
}

/** Ratios of what the files themselves say. */
export async function fileCosts(pair: Sides<ContenderModel>, work: GateWork): Promise<Finding[]> {
  const [first, second] = [
    await countFile(pair.baseline, work),
    await countFile(pair.candidate, work),
  ];
  return [
    exactRatio("size-ratio", first.bytes, second.bytes),
    exactRatio("parameters-ratio", first.parameters, second.parameters),
    exactRatio("macs-ratio", first.macs, second.macs),
  ];
}

/** Bytes, parameters and multiply-accumulates a picture (null where they cannot be counted). */
export function countFile({ file, onnx }: ContenderModel, work: GateWork) {
  return derived(
    work.resources.caches,
    { method: "gate: cost of a model", evidence: { model: onnx.bytes } },
    async () => {
      const { bytes, parameters, work: macs } = await inspectOnnx(file);
      return { bytes, parameters, macs: macs.macs === null ? null : macs.macsPerImage };
    },
  );
}

export function exactRatio(
  measure: string,
  baseline: number | null,
  candidate: number | null,
): Finding {
  if (baseline === null || candidate === null || baseline === 0) {
    return {
      measure,
      dataset: null,
      value: null,
      why: "it could not be counted in one of the files",
    };
  }
  return { measure, dataset: null, value: candidate / baseline, baseline, candidate };
}

export interface TimedPair extends LatencyComparison {
  readonly finding: Finding;
}

/**
 * Interleaves the two models on decoded pictures, one at a time on one thread, beside an A/A test
 * of the baseline: unless that passes, the ratio gets no verdict.
 *
 * @returns null where no picture can be decoded.
 */
export async function timePair(
  pair: Sides<ContenderModel>,
  pictures: readonly PictureRef[],
  config: GateConfig,
  work: GateWork,
): Promise<TimedPair | null> {
  const open = {
    baseline: () => runner(pair.baseline, work),
    candidate: () => runner(pair.candidate, work),
  };
  return timeRunners(open, pictures, config);
}

type Running = (pixels: Pixels) => Promise<unknown>;

/** Interleaves whatever takes a picture. Models are opened only where pictures can be decoded. */
export async function timeRunners(
  open: Sides<() => Promise<Running>>,
  pictures: readonly PictureRef[],
  config: GateConfig,
): Promise<TimedPair | null> {
  if (config.latency === undefined) return null;
  const { rounds, pictures: most, relevantEffect } = config.latency;
  const decoded = await decodeFirst(pictures, most);
  if (decoded.length === 0) return null;
  const contender = (run: Running, name: string): Contender => ({
    name,
    run: (round) => run(decoded[(round + decoded.length) % decoded.length]!),
  });
  const options = { rounds, warmupRounds: 5, relevantEffect, level: twoSidedLevel(config.level) };
  const compared = await compareLatency(
    contender(await open.baseline(), "baseline"),
    contender(await open.candidate(), "candidate"),
    { ...options, seed: "gate" },
  );
  return { ...compared, finding: latencyFinding(compared) };
}

function latencyFinding({ ratio, certificate }: LatencyComparison): Finding {
  const head = { measure: "latency-ratio", dataset: null };
  if (ratio.value === null) return { ...head, value: null, why: ratio.why };
  const finding = { ...head, value: ratio.value, bounds: boundsOf(ratio.interval), n: ratio.n };
  if (certificate.passed) return finding;
  return { ...finding, caution: `the machine failed its self-test: ${certificate.why}` };
}

function boundsOf(interval: Interval | null): readonly [number, number] | null {
  return interval && [interval.low, interval.high];
}

/** Pictures to time with; those that cannot be read are error rows of the task. */
async function decodeFirst(pictures: readonly PictureRef[], most: number): Promise<Pixels[]> {
  const decoded: Pixels[] = [];
  for (const picture of pictures) {
    if (decoded.length === most) break;
    if (!("file" in picture)) continue;
    try {
      decoded.push(await decode(picture.file));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return decoded;
}

async function runner(
  { card, cardFile }: ContenderModel,
  { resources }: GateWork,
): Promise<Running> {
  switch (card.task) {
    case "recognition": {
      const embedder = await resources.embedder(cardFile);
      return (pixels) => embedder.embed([pixels]);
    }
    case "detection": {
      const detector = await resources.detector(cardFile);
      return (pixels) => detector.detect(pixels);
    }
    case "classification": {
      const classifier = await resources.classifier(cardFile);
      return (pixels) => classifier.classify(pixels);
    }
  }
}

const coldModule = fileURLToPath(
  new URL(`./cold-model${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url),
);

/** Peak memory and start of fresh processes, the two sides in turn. */
export async function coldStarts(
  pair: Sides<ContenderModel>,
  picture: string,
  { processes }: NonNullable<GateConfig["coldStart"]>,
  signal: AbortSignal,
): Promise<Finding[]> {
  const samples = { baseline: [] as ColdStartSample[], candidate: [] as ColdStartSample[] };
  for (let i = 0; i < processes; i++) {
    for (const side of ["baseline", "candidate"] as const) {
      const { cardFile, card } = pair[side];
      const model: ColdModel = { card: cardFile, task: card.task satisfies Task, picture };
      const once = await measureColdStart(coldModule, [model], { rounds: 1, signal });
      samples[side].push(...once.samples);
    }
  }
  const of = (what: (s: ColdStartSample) => number) =>
    [samples.baseline.map(what), samples.candidate.map(what)] as const;
  return [memoryFinding(...of((s) => s.peakRssBytes)), startFinding(...of((s) => s.totalMs))];
}

/** One-sided bounds at 95% each. */
const coldLevel = 0.9;

function startFinding(baseline: number[], candidate: number[]): Finding {
  const head = { measure: "cold-start-ratio", dataset: null };
  const found = ratioOf(baseline, candidate, coldLevel);
  if (found.value === null) return { ...head, value: null, why: found.why };
  const { value, interval, n } = found;
  const medians = { baseline: median(baseline), candidate: median(candidate) };
  const finding = { ...head, value, ...medians, bounds: boundsOf(interval), n };
  if (interval) return finding;
  return { ...finding, caution: `of ${n} processes: ${found.whyNoInterval}` };
}

/** Memory of one process says nothing of the next one's: the pairs are independent. */
function memoryFinding(baseline: number[], candidate: number[]): Finding {
  const ratios = baseline.map((bytes, i) => candidate[i]! / bytes).sort((a, b) => a - b);
  const head = { measure: "memory-ratio", dataset: null };
  const found = quantileOfSorted(ratios, 0.5, coldLevel);
  if (found.value === null) return { ...head, value: null, why: found.why };
  const { value, interval, n } = found;
  const medians = { baseline: median(baseline), candidate: median(candidate) };
  const finding = { ...head, value, ...medians, bounds: boundsOf(interval), n };
  return interval ? finding : { ...finding, caution: found.whyNoInterval! };
}

function median(values: readonly number[]): number {
  return sampleQuantile(Float64Array.from(values).sort(), 0.5);
}
