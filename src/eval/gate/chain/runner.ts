import { Tensor, type InferenceSession } from "onnxruntime-node";
import { binarise } from "../../../pipeline/index/binarise.js";
import { normaliseRows } from "../../../pipeline/image/normalise.js";
import { OutputError, type Output } from "../../../pipeline/forms/detector-form.js";
import { decodeOutputs } from "../../../pipeline/forms/forms.js";
import { toTensor } from "../../../pipeline/image/preprocess.js";
import {
  checkInput,
  detectionRoles,
  matrixOutput,
  mismatchIn,
  sideInput,
} from "../../../pipeline/model/card-check.js";
import { classCount, type Card } from "../../../pipeline/model/card.js";
import type { Port } from "../../../pipeline/onnx/inspect.js";
import { openSession, runSession } from "../../../pipeline/onnx/session.js";
import type { Detection, Pixels } from "../../../pipeline/types.js";
import type { ContenderModel } from "../contender.js";
import { alteredOutputs } from "./alter-outputs.js";
import type { Chain } from "./chain.js";
import { placed, type Placement } from "./resample.js";

/** What a chain says of a picture. */
export type ChainAnswer =
  | { readonly kind: "vector"; readonly vector: Float32Array }
  | { readonly kind: "code"; readonly code: Uint8Array }
  | { readonly kind: "scores"; readonly scores: Float32Array }
  | { readonly kind: "boxes"; readonly boxes: readonly Detection[] }
  | { readonly kind: "nothing"; readonly why: string };

/** A model's session that any chain can be run through. */
export class ChainRunner {
  readonly card: Card;
  readonly #session: InferenceSession;
  readonly #file: string;
  readonly #inputs: readonly Port[];
  readonly #outputs: readonly Port[];
  readonly #picture: Port;

  private constructor(model: ContenderModel, session: InferenceSession) {
    const mismatch = mismatchIn(model.cardFile);
    this.card = model.card;
    this.#session = session;
    this.#file = model.file;
    this.#inputs = model.onnx.graph.inputs;
    this.#outputs = model.onnx.graph.outputs;
    this.#picture = checkInput(model.card, this.#inputs, mismatch);
  }

  /** @throws UserError `onnx-unsupported`. */
  static async open(model: ContenderModel): Promise<ChainRunner> {
    return new ChainRunner(model, await openSession(model.onnx.bytes, model.file));
  }

  /** The feeds of one picture: for this runner's session, and for a look inside its graph. */
  feeds(pixels: Pixels, chain: Chain): { feeds: InferenceSession.FeedsType; at: Placement } {
    const at = placed(pixels, chain, chain);
    const spec = { ...chain, interpolation: "linear" as const };
    const floats = toTensor(at.pixels, spec);
    const { width, height } = chain;
    const declared = this.card.input.layout;
    const dims = declared === "nchw" ? [1, 3, height, width] : [1, height, width, 3];
    const pairs = this.#inputs.map(({ name }): [string, Tensor] => {
      if (name === this.#picture.name) return [name, new Tensor("float32", floats, dims)];
      const scale = [Math.fround(at.scaleY), Math.fround(at.scaleX)];
      const ordered = chain.scaleOrder === "yx" ? scale : [scale[1]!, scale[0]!];
      const pair = sideInput(name) === "im_shape" ? [height, width] : ordered;
      return [name, new Tensor("float32", Float32Array.from(pair), [1, 2])];
    });
    return { feeds: Object.fromEntries(pairs), at };
  }

  /** One picture; a model that fails on it, or gives no numbers, answers nothing. */
  async answer(pixels: Pixels, chain: Chain): Promise<ChainAnswer> {
    const { feeds, at } = this.feeds(pixels, chain);
    const found = await runSession(this.#session, feeds, this.#file);
    return this.finish(found as Record<string, Tensor>, chain, at);
  }

  /** What the chain makes of a run's outputs. */
  finish(found: Readonly<Record<string, Tensor>>, chain: Chain, at: Placement): ChainAnswer {
    const { card } = this;
    const mismatch = mismatchIn(this.#file);
    switch (card.task) {
      case "recognition": {
        const { output, size } = card.recognition;
        const at_ = ["recognition.output", "recognition.size", size] as const;
        const { name } = matrixOutput(this.#outputs, output, at_, mismatch);
        return features(Float32Array.from(found[name]!.data as Float32Array), chain);
      }
      case "classification": {
        const { output, classes } = card.classification;
        const count = classCount(classes);
        const at_ = ["classification.output", "classification.classes", count] as const;
        const { name } = matrixOutput(this.#outputs, output, at_, mismatch);
        const scores = Float32Array.from(found[name]!.data as Float32Array);
        if (scores.every(Number.isFinite)) return { kind: "scores", scores };
        return { kind: "nothing", why: "scores that are not finite" };
      }
      case "detection":
        return this.#boxes(found, chain, at);
    }
  }

  #boxes(
    found: Readonly<Record<string, Tensor>>,
    chain: Chain,
    { scaleX, scaleY, left, top }: Placement,
  ): ChainAnswer {
    const { card } = this;
    if (card.task !== "detection" || chain.suppression === null) throw new Error("no detector");
    const roles = detectionRoles(card, this.#outputs, mismatchIn(this.#file));
    const altered = alteredOutputs(found, roles, chain, card.detection.strides);
    const output = (name: string): Output => altered.get(name)!;
    const count = (name: string): number => Number(found[name]!.data[0] ?? 0);
    try {
      const scale = { scaleX: Math.fround(scaleX), scaleY: Math.fround(scaleY) };
      const decoded = decodeOutputs(
        roles,
        { output, count },
        {
          ...scale,
          suppression: chain.suppression,
        },
      );
      // A letterbox's margins, in pixels of the picture.
      const [dx, dy] = [left / scaleX, top / scaleY];
      const boxes = decoded.map(({ box, ...rest }) => ({
        ...rest,
        box: { x0: box.x0 - dx, y0: box.y0 - dy, x1: box.x1 - dx, y1: box.y1 - dy },
      }));
      return { kind: "boxes", boxes };
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      return { kind: "nothing", why: error.message };
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

function features(row: Float32Array, chain: Chain): ChainAnswer {
  if (chain.binarise !== "none") {
    const codes = binarise(row, row.length, chain.binarise);
    if ("nanRow" in codes) return { kind: "nothing", why: "NaN" };
    const least = chain.bitOrder === "least significant first";
    return { kind: "code", code: least ? codes.data.map(reversedByte) : codes.data };
  }
  const bad = chain.normaliseRows
    ? normaliseRows(row, row.length)
    : row.findIndex((x) => !isFinite(x));
  if (bad >= 0) return { kind: "nothing", why: "numbers that are not finite, or all zero" };
  return { kind: "vector", vector: row };
}

/** The bits of a byte the other way round. */
function reversedByte(byte: number): number {
  let out = 0;
  for (let bit = 0; bit < 8; bit++) if ((byte >> bit) & 1) out |= 0x80 >> bit;
  return out;
}
