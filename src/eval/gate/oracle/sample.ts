import { bestDetections, defaultSettings } from "../../../pipeline/system/recognizer.js";
import { UserError } from "../../../pipeline/errors.js";
import { decode } from "../../../pipeline/image/image.js";
import type { Box, Pixels } from "../../../pipeline/types.js";
import type { DatasetManifest } from "../../config/dataset.js";
import { listPictures, readTruth, truthPictures } from "../../experiments/pictures.js";
import type { PictureRef } from "../../observe/observations.js";
import { rowHamming } from "../agreement/codes.js";
import { topClass } from "../agreement/ranks.js";
import type { ChainAnswer } from "../chain/runner.js";
import { objectsByImage } from "../../metrics/box-match.js";
import { foundShare } from "../detection.js";
import type { GateWork } from "../work.js";
import { mean } from "./likeness.js";

/** A picture with what is true of it, where that is known. */
export interface SampledPicture {
  readonly pixels: Pixels;
  readonly label: string | null;
  readonly objects: readonly Box[] | null;
}

/** Few pictures of a data set, chosen so that a task's score can be had from them alone. */
export async function samplePictures(
  dataset: DatasetManifest,
  most: number,
  work: GateWork,
): Promise<SampledPicture[]> {
  const listed = await candidatesOf(dataset, most, work);
  const sample: SampledPicture[] = [];
  for (const { picture, label, objects } of listed) {
    if (sample.length === most || !("file" in picture)) continue;
    work.signal.throwIfAborted();
    try {
      sample.push({ pixels: await decode(picture.file), label, objects });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return sample;
}

interface Listed {
  readonly picture: PictureRef;
  readonly label: string | null;
  readonly objects: readonly Box[] | null;
}

async function candidatesOf(
  dataset: DatasetManifest,
  most: number,
  { resources, protocol }: GateWork,
): Promise<Listed[]> {
  if (dataset.task === "detection" || dataset.task === "pipeline") {
    const truth = await readTruth(dataset);
    const objects = objectsByImage(truth);
    return truthPictures(truth, dataset).map((picture, i) => ({
      picture,
      label: null,
      objects: objects[i]!,
    }));
  }
  const part = dataset.task === "classification" ? "validation" : "gallery";
  const { rows, pictures } = await listPictures(dataset, part, protocol, resources);
  const all = rows.map(({ label }, i) => ({ picture: pictures[i]!, label, objects: null }));
  return dataset.task === "classification" ? all : inPairs(all, most);
}

/** Two pictures a label, so that each may find the other. */
function inPairs(all: readonly Listed[], most: number): Listed[] {
  const byLabel = new Map<string, Listed[]>();
  for (const entry of all) {
    const list = byLabel.get(entry.label ?? "") ?? [];
    byLabel.set(entry.label ?? "", [...list, entry]);
  }
  const pairs = [...byLabel.values()].filter((list) => list.length > 1).map((l) => l.slice(0, 2));
  return pairs.length > 0 ? pairs.flat().slice(0, most) : all.slice(0, most);
}

/** A task's score on a sample: only for sentences, for a sample has no interval worth its name. */
export interface SampleScore {
  readonly metric: string;
  readonly value: number;
}

/** Null where the truths of the sample do not make a score. */
export function sampleScore(
  sample: readonly SampledPicture[],
  answers: readonly ChainAnswer[],
): SampleScore | null {
  const kind = answers.find((a) => a.kind !== "nothing")?.kind;
  if (kind === "boxes" && sample.every((s) => s.objects !== null)) {
    const shares = answers.flatMap((a, i) => {
      const all = a.kind === "boxes" ? a.boxes : [];
      const { maxDetections, detectionThreshold } = defaultSettings;
      const used = bestDetections([...all], maxDetections, detectionThreshold);
      return foundShare(used, sample[i]!.objects!) ?? [];
    });
    return { metric: "objects found", value: mean(shares) };
  }
  if (sample.some((s) => s.label === null)) return null;
  if (kind === "scores") {
    const right = answers.map((a, i) => {
      const said = a.kind === "scores" ? String(topClass(a.scores)) : null;
      return Number(said === sample[i]!.label);
    });
    return { metric: "top-1", value: mean(right) };
  }
  return { metric: "recall@1", value: nearestRight(sample, answers) };
}

/** Share of the pictures whose nearest other picture of the sample has their label. */
function nearestRight(sample: readonly SampledPicture[], answers: readonly ChainAnswer[]): number {
  const right = answers.map((answer, i) => {
    let best = -Infinity;
    let said: string | null = null;
    answers.forEach((other, j) => {
      const near = i === j ? -Infinity : nearness(answer, other);
      if (near <= best) return;
      best = near;
      said = sample[j]!.label;
    });
    return Number(said === sample[i]!.label);
  });
  return mean(right);
}

function nearness(a: ChainAnswer, b: ChainAnswer): number {
  if (a.kind === "vector" && b.kind === "vector") {
    let dot = 0;
    for (let i = 0; i < a.vector.length; i++) dot += a.vector[i]! * b.vector[i]!;
    return dot;
  }
  if (a.kind === "code" && b.kind === "code") {
    return -rowHamming(a.code, b.code, a.code.length * 8)[0]!;
  }
  return -Infinity;
}
