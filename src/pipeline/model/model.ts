// model/: a card and its ONNX file in, a checked model that runs out. It never sees pictures'
// names, labels or galleries.
import { createHash } from "node:crypto";
import { Tensor, type InferenceSession } from "onnxruntime-node";
import { checkInput, checkOutputs, mismatchIn } from "./card-check.js";
import {
  isBaseline,
  loadCard,
  modelFileOf,
  type AnyCard,
  type Card,
  type CardOf,
  type Task,
} from "./card.js";
import type { Port } from "../onnx/inspect.js";
import { floatToHalf, halfToFloat } from "../onnx/half.js";
import { readOnnx, type OnnxModel } from "../onnx/read-model.js";
import { openSession, runSession } from "../onnx/session.js";
import type { Stamped } from "../types.js";

export interface ModelSettings {
  /** Threads inside an operator. Default 1. */
  readonly threads?: number;
  /**
   * Folder of the model file, for cards that are kept apart from it. Default: the card's own
   * folder.
   */
  readonly modelFolder?: string;
}

/** What a cold start costs, in milliseconds. */
export interface LoadTimes {
  /** Reading, hashing and checking the file against its card. */
  readonly readMs: number;
  /** Making the ONNX Runtime session: parsing, optimising, packing weights. */
  readonly sessionMs: number;
}

/** A model card and its ONNX Runtime session, found to agree. */
export class Model<T extends Task = Task> implements Stamped {
  readonly id: string;
  /**
   * Names everything that decides the outputs: the file's hash, the preprocessing and the task's
   * settings. A card that is changed makes another model, so that no cache or gallery mixes the
   * two.
   */
  readonly version: string;
  readonly card: CardOf<T>;
  readonly file: string;
  /** Of the ONNX file. */
  readonly sha256: string;
  readonly bytes: number;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** The input that takes the picture. */
  readonly imageInput: Port;
  readonly load: LoadTimes;
  readonly #session: InferenceSession;
  #closed = false;

  constructor(parts: {
    card: CardOf<T>;
    file: string;
    sha256: string;
    bytes: number;
    inputs: readonly Port[];
    outputs: readonly Port[];
    imageInput: Port;
    load: LoadTimes;
    session: InferenceSession;
  }) {
    const { card } = parts;
    this.id = card.name;
    this.version = createHash("sha256")
      .update(
        JSON.stringify([
          parts.sha256,
          card.task,
          card.input,
          (card as Record<string, unknown>)[card.task],
        ]),
      )
      .digest("hex");
    this.card = card;
    this.file = parts.file;
    this.sha256 = parts.sha256;
    this.bytes = parts.bytes;
    this.inputs = parts.inputs;
    this.outputs = parts.outputs;
    this.imageInput = parts.imageInput;
    this.load = parts.load;
    this.#session = parts.session;
  }

  /**
   * One forward pass on the calling thread.
   * @throws UserError `model-run-failed` where ONNX Runtime fails on these inputs.
   */
  async run(feeds: InferenceSession.FeedsType): Promise<InferenceSession.ReturnType> {
    if (this.#closed) throw new Error(`model ${this.id} is used after close`);
    return inFloats(await runSession(this.#session, feeds, this.file));
  }

  /** The tensor of n prepared pictures, in the type that the graph takes. */
  picture(values: Float32Array, n = 1): Tensor {
    const { width, height, layout } = this.card.input;
    const dims = layout === "nchw" ? [n, 3, height, width] : [n, height, width, 3];
    const { dtype } = this.imageInput;
    if (dtype === "uint8") return new Tensor("uint8", Uint8Array.from(values), dims);
    if (dtype !== "float16") return new Tensor("float32", values, dims);
    return new Tensor("float16", Uint16Array.from(values, floatToHalf), dims);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#session.release();
  }
}

/** Outputs of half precision as floats: what they hold is the same. */
function inFloats(outputs: InferenceSession.ReturnType): InferenceSession.ReturnType {
  const halves = Object.entries(outputs).filter(([, value]) => value.type === "float16");
  if (halves.length === 0) return outputs;
  const widened = halves.map(([name, value]) => {
    const bits = value.data as Uint16Array;
    const halfs = new Uint16Array(bits.buffer, bits.byteOffset, bits.length);
    return [name, new Tensor("float32", Float32Array.from(halfs, halfToFloat), value.dims)];
  });
  return { ...outputs, ...(Object.fromEntries(widened) as InferenceSession.ReturnType) };
}

/**
 * Loads the model that a card names and checks the one against the other.
 *
 * @throws UserError of `loadCard`, `file-unreadable`, `onnx-unreadable`, `onnx-external-data`,
 * `onnx-unsupported`, or `card-mismatch` naming the card's key, what it says and what the model
 * has.
 */
export async function loadModel(cardFile: string, settings: ModelSettings = {}): Promise<Model> {
  return openModel(modelCard(await loadCard(cardFile), cardFile), cardFile, settings);
}

/** The same, for one task. @throws UserError `card-mismatch` also where the card is for another. */
export async function loadModelFor<T extends Task>(
  task: T,
  cardFile: string,
  settings: ModelSettings = {},
): Promise<Model<T>> {
  return openModelFor(task, await loadCard(cardFile), cardFile, settings);
}

/** The same for a card at hand, which was read from `cardFile`. */
export async function openModelFor<T extends Task>(
  task: T,
  card: AnyCard,
  cardFile: string,
  settings: ModelSettings,
): Promise<Model<T>> {
  const model = modelCard(card, cardFile);
  if (!isFor(model, task))
    throw mismatchIn(cardFile)(
      "task",
      card.task,
      `asked for ${task}`,
      "name the card of another model",
    );
  return openModel(model, cardFile, settings);
}

function modelCard(card: AnyCard, cardFile: string): Card {
  if (isBaseline(card))
    throw mismatchIn(cardFile)(
      "baseline",
      card.baseline,
      "asked for a model with a file",
      "name the card of a model; a baseline has no file",
    );
  return card;
}

function isFor<T extends Task>(card: Card, task: T): card is CardOf<T> {
  return card.task === task;
}

async function openModel<T extends Task>(
  card: CardOf<T>,
  cardFile: string,
  settings: ModelSettings,
): Promise<Model<T>> {
  const file = modelFileOf(card, cardFile, settings.modelFolder);
  const start = performance.now();
  const { model, sha256, imageInput } = await checkCard(card, cardFile, file);
  const readMs = performance.now() - start;
  const session = await openSession(
    model.bytes,
    file,
    settings.threads === undefined ? {} : { threads: settings.threads },
  );
  const sessionMs = performance.now() - start - readMs;
  const { inputs, outputs } = model.graph;
  return new Model({
    card,
    file,
    sha256,
    bytes: model.bytes.length,
    inputs,
    outputs,
    imageInput,
    load: { readMs, sessionMs },
    session,
  });
}

/**
 * Checks a card against a model file without running it.
 * @throws UserError `file-unreadable`, `onnx-unreadable`, `onnx-external-data` or `card-mismatch`.
 */
export async function checkCard(
  card: Card,
  cardFile: string,
  file: string,
): Promise<{ model: OnnxModel; sha256: string; imageInput: Port }> {
  const mismatch = mismatchIn(cardFile);
  // Parsed first: a file that is no whole model says more than a wrong hash.
  const model = await readOnnx(file);
  const sha256 = createHash("sha256").update(model.bytes).digest("hex");
  if (sha256 !== card.sha256) {
    throw mismatch(
      "sha256",
      card.sha256,
      sha256,
      "give the file that the card describes; if this one is meant, write its hash into the card",
    );
  }
  const imageInput = checkInput(card, model.graph.inputs, mismatch);
  checkOutputs(card, model.graph.outputs, mismatch);
  return { model, sha256, imageInput };
}
