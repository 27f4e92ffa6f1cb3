import { createHash } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { isBaseline, loadCard, modelFileOf, type Card } from "../../pipeline/model/card.js";
import { UserError } from "../../pipeline/errors.js";
import { checkCard } from "../../pipeline/model/model.js";
import { scratchFolder } from "../../pipeline/scratch.js";
import { readOnnx, type OnnxModel } from "../../pipeline/onnx/read-model.js";
import { canonicalJson } from "../observe/cache.js";

/**
 * A model that is judged, or judged against: an ONNX file with the card that says how it is fed.
 */
export interface ContenderModel {
  readonly card: Card;
  /** A card on disk that names the file by its absolute path. */
  readonly cardFile: string;
  readonly file: string;
  readonly sha256: string;
  readonly onnx: OnnxModel;
  /** The model file was given alone and is judged under the other's card. */
  readonly borrowedCard: boolean;
}

/** Folders for cards that no file on disk holds; removed at the end. */
export class CardDesk {
  #folder: Promise<string> | undefined;
  #count = 0;

  /** Writes a card for a model file and returns its path. */
  async write(card: Card, modelFile: string): Promise<string> {
    this.#folder ??= scratchFolder();
    const file = join(await this.#folder, `card-${this.#count++}.yaml`);
    await writeFile(file, stringify({ ...card, file: resolve(modelFile) }));
    return file;
  }

  async close(): Promise<void> {
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true });
  }
}

export interface ContenderPlace {
  /** A model card, or a model file. */
  readonly path: string;
  /** Folder of the model file, where the card is kept apart from it. */
  readonly modelFolder?: string | undefined;
}

/** Whether a path names a model file and no card. */
export function isModelFile(path: string): boolean {
  return /\.onnx$/i.test(path);
}

/**
 * Opens the two sides. A model file without a card is judged under the other side's card, which is
 * what a new export of the same network is.
 *
 * @throws UserError `card-needed` where both are model files, `same-model` where both are the same
 * file under the same card, `wrong-task` where they do different things, and those of `checkCard`.
 */
export async function openPair(
  baseline: ContenderPlace,
  candidate: ContenderPlace,
  desk: CardDesk,
): Promise<{ baseline: ContenderModel; candidate: ContenderModel }> {
  if (isModelFile(baseline.path) && isModelFile(candidate.path)) {
    throw new UserError({
      code: "card-needed",
      message: "two model files without a card: nothing says how they are fed",
      file: candidate.path,
      fix: "give the card of one of them; shitu inspect MODEL --write-card CARD drafts one",
    });
  }
  let pair;
  if (isModelFile(candidate.path)) {
    const first = await openByCard(baseline);
    pair = { baseline: first, candidate: await openUnderCard(candidate.path, first.card, desk) };
  } else {
    const second = await openByCard(candidate);
    const first = isModelFile(baseline.path)
      ? await openUnderCard(baseline.path, second.card, desk)
      : await openByCard(baseline);
    pair = { baseline: first, candidate: second };
  }
  refuseUnlike(pair.baseline, pair.candidate);
  return pair;
}

/** Opens a model by its card. @throws UserError of `loadCard` and `checkCard`. */
export async function openByCard({ path, modelFolder }: ContenderPlace): Promise<ContenderModel> {
  const card = await loadCard(path);
  if (isBaseline(card)) {
    throw new UserError({
      code: "card-mismatch",
      message: "a baseline formula has no model file, so there is no export to judge",
      file: path,
      path: "baseline",
      found: card.baseline,
      fix: "give the card of a model",
    });
  }
  const file = modelFileOf(card, path, modelFolder);
  const { model, sha256 } = await checkCard(card, path, file);
  return { card, cardFile: resolve(path), file, sha256, onnx: model, borrowedCard: false };
}

/** Opens a model file under a card that was written for another. */
export async function openUnderCard(
  file: string,
  card: Card,
  desk: CardDesk,
): Promise<ContenderModel> {
  const onnx = await readOnnx(file);
  const sha256 = createHash("sha256").update(onnx.bytes).digest("hex");
  const own = { ...card, sha256, file: resolve(file) };
  const cardFile = await desk.write(own, file);
  try {
    await checkCard(own, cardFile, file);
  } catch (error) {
    throw underCard(error, file, card.name);
  }
  return { card: own, cardFile, file: resolve(file), sha256, onnx, borrowedCard: true };
}

/** The error about a card that the user never wrote, told of the model file that they gave. */
function underCard(error: unknown, file: string, name: string): unknown {
  if (!(error instanceof UserError) || error.code !== "card-mismatch") return error;
  const { complaint } = error;
  return new UserError(
    {
      ...complaint,
      message: `the model does not fit the card of ${name}, under which it would be judged`,
      file,
      fix: "export it with the same inputs and outputs, or give it a card of its own",
    },
    { cause: error },
  );
}

function refuseUnlike(baseline: ContenderModel, candidate: ContenderModel): void {
  const [first, second] = [baseline.card, candidate.card];
  if (first.task !== second.task) {
    throw new UserError({
      code: "wrong-task",
      message: "baseline and candidate do different things",
      file: candidate.cardFile,
      path: "task",
      expected: first.task,
      found: second.task,
      fix: "give two models for the same task",
    });
  }
  if (baseline.sha256 === candidate.sha256 && feeding(first) === feeding(second)) {
    throw new UserError({
      code: "same-model",
      message: "the candidate is the baseline: the same file under the same card",
      file: candidate.file,
      found: `sha256 ${candidate.sha256}`,
      fix: "give the new export; a gate that compares a file with itself would always pass",
    });
  }
}

/** All that decides what a file computes, beside the file. */
export function feeding(card: Card): string {
  return canonicalJson([card.input, (card as unknown as Record<string, unknown>)[card.task]]);
}
