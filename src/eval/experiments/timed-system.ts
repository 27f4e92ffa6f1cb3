import { rm } from "node:fs/promises";
import { UserError } from "../../pipeline/errors.js";
import type { Gallery } from "../../pipeline/gallery/gallery.js";
import { decode } from "../../pipeline/image/image.js";
import { scratchFolder } from "../../pipeline/scratch.js";
import { Recognizer } from "../../pipeline/system/recognizer.js";
import type { Observation, Protocol } from "../../pipeline/types.js";
import type { LatencyMeasurement } from "../config/config.js";
import type { DatasetManifest, PipelineDataset, RecognitionDataset } from "../config/dataset.js";
import type { ColdSystem } from "../latency/cold-recognizer.js";
import type { ItemError } from "../observe/observations.js";
import type { ModelRef } from "../observe/resources.js";
import type { CellContext } from "./cell.js";
import { datasetPictures } from "./pictures.js";
import { openSystemGallery } from "./systems.js";

type System = LatencyMeasurement["systems"][number];
type Answer = Pick<Observation, "image" | "recognitions">;

/**
 * A system with its pictures, opened once for all scenarios of a measurement. Every picture was
 * recognised once when it was opened.
 */
export interface OpenSystem {
  readonly name: string;
  readonly recognizer: Recognizer;
  readonly pictures: readonly { readonly item: string; readonly file: string }[];
  /** Of the first pass over the pictures, in their order. */
  readonly observations: readonly Observation[];
  readonly errors: readonly ItemError[];
  readonly versions: {
    readonly detector: string;
    readonly embedder: string;
    readonly index: string;
  };
  readonly gallery: Gallery;
  readonly place: Omit<ColdSystem, "gallery" | "picture">;
}

/**
 * Opens a system and recognises `count` pictures once: those that cannot be read are named and left
 * out, and the answers are what every timed repetition must give again.
 *
 * @throws UserError `dataset-empty` where no picture could be used.
 */
export async function openSystem(
  system: System,
  { count, threads }: { count: number; threads: number },
  images: DatasetManifest,
  dataset: RecognitionDataset | PipelineDataset,
  protocol: Protocol,
  context: CellContext,
): Promise<OpenSystem> {
  const { resources, signal } = context;
  const detector = await resources.detector(system.detector, threads);
  const embedder = await resources.embedder(system.embedder, threads);
  const { gallery } = await openSystemGallery(system, dataset, protocol, context);
  resources.atClose(() => {
    gallery.close();
  });
  const recognizer = new Recognizer({ detector, embedder, gallery }, { protocol });
  const errors: ItemError[] = [];
  const pictures: { item: string; file: string }[] = [];
  const observations: Observation[] = [];
  for (const picture of await datasetPictures(images, protocol, resources)) {
    signal.throwIfAborted();
    if (pictures.length === count) break;
    try {
      if ("complaint" in picture) throw new UserError(picture.complaint);
      observations.push(await recognizer.recognizeFile(picture.file, picture.item));
      pictures.push(picture);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      errors.push({ item: picture.item, code: error.code, message: error.message });
    }
  }
  if (pictures.length === 0)
    throw new UserError({
      code: "dataset-empty",
      message: "no picture of the data set could be used",
      file: images.file,
      fix: "check its image root",
    });
  const at = (ref: ModelRef): ColdSystem["detector"] => resources.place(ref);
  return {
    name: system.name,
    recognizer,
    pictures,
    observations,
    errors,
    gallery,
    versions: {
      detector: detector.version,
      embedder: embedder.version,
      index: gallery.index.version,
    },
    place: { detector: at(system.detector), embedder: at(system.embedder), threads, protocol },
  };
}

/**
 * A recognizer behind a queue: a picture is decoded when it comes, beside the others' inference,
 * and answered in the order of arrival. Answers are kept and judged after the clock has stopped.
 */
export class RecognitionService {
  readonly #system: OpenSystem;
  readonly #onAnswer: () => void;
  #answers: Answer[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(system: OpenSystem, onAnswer: () => void = () => undefined) {
    this.#system = system;
    this.#onAnswer = onAnswer;
  }

  /** Answers the query's picture, the pictures taken in turn. */
  serve(query: number): Promise<void> {
    const { recognizer, pictures } = this.#system;
    const { item, file } = pictures[query % pictures.length]!;
    const decoded = decode(file);
    const turn = this.#turn;
    const answered = (async () => {
      const pixels = await decoded;
      await turn;
      this.#answers.push(await recognizer.recognize(pixels, item));
      this.#onAnswer();
    })();
    // Who waits for the answer hears of its failure; the queue goes on.
    this.#turn = answered.catch(() => undefined);
    return answered;
  }

  /** Answers so many, decoding one picture ahead. */
  async serveAll(count: number): Promise<void> {
    let ahead: Promise<void> | undefined;
    for (let query = 0; query < count; query++) {
      const answered = this.serve(query);
      await ahead;
      ahead = answered;
    }
    await ahead;
  }

  /** @throws UserError `not-reproducible` where an answer differs from the first pass's. */
  check(): void {
    checkAnswers(this.#system, this.#answers);
    this.#answers = [];
  }
}

/**
 * A repetition gives the same labels and, within 1e-5, scores: a fast wrong answer is no
 * measurement.
 *
 * @throws UserError `not-reproducible`.
 */
export function checkAnswers(
  { observations, name }: Pick<OpenSystem, "observations" | "name">,
  answers: readonly Answer[],
): void {
  const first = new Map(observations.map((o) => [o.image, o.recognitions]));
  for (const { image, recognitions } of answers) {
    const before = first.get(image);
    if (!before) throw new Error(`${image} was not recognised when the system was opened`);
    const same =
      recognitions.length === before.length &&
      recognitions.every(
        (r, i) => r.label === before[i]!.label && !(Math.abs(r.score - before[i]!.score) > 1e-5),
      );
    if (!same)
      throw new UserError({
        code: "not-reproducible",
        message: `${name}: the same picture gave other recognitions when it was repeated`,
        file: image,
        fix: "look for a model whose outputs vary from run to run",
      });
  }
}

/** Runs `work` with the gallery saved in a folder that is removed afterwards. */
export async function withSavedGallery<T>(
  { gallery }: Pick<OpenSystem, "gallery">,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await scratchFolder();
  try {
    await gallery.save(folder);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
