// chain/: a card in; all that happens to a picture around the graph, a setting a stage, out. It
// never sees the other model.
import type { Card, CardOf } from "../../../pipeline/model/card.js";
import type { BinariseRule } from "../../../pipeline/index/binarise.js";
import type { Preprocessing } from "../../../pipeline/types.js";
import type { Fit, Resampling } from "./resample.js";

/**
 * All that happens to a picture around the graph, one setting a stage, so that stages can be
 * swapped one at a time. A card says most of it; the rest is what the pipeline does and others do
 * not.
 */
export interface Chain {
  /** decode: the order of colours in the tensor. */
  readonly colour: "rgb" | "bgr";
  /** resize */
  readonly width: number;
  readonly height: number;
  readonly resampling: Resampling;
  readonly fit: Fit;
  /** normalise */
  readonly scale: number;
  readonly mean: Preprocessing["mean"];
  readonly std: Preprocessing["std"];
  /** layout: how the floats lie in the tensor, whatever its declared shape. */
  readonly layout: "nchw" | "nhwc";
  /** Order of a scale_factor input: down before across is PaddleDetection's. */
  readonly scaleOrder: "yx" | "xy";
  /** box decoding */
  readonly sigmoid: boolean;
  readonly heads: "as exported" | "transposed" | "grid transposed";
  /** Shift of every box, in strides of its level. */
  readonly centreShift: number;
  /** suppression */
  readonly suppression: CardOf<"detection">["detection"]["suppression"] | null;
  /** features */
  readonly normaliseRows: boolean;
  readonly binarise: "none" | BinariseRule;
  readonly bitOrder: "most significant first" | "least significant first";
}

/** The stages in the order in which a picture passes them, with the settings of each. */
export const stages = {
  decode: ["colour"],
  resize: ["width", "height", "resampling", "fit"],
  normalise: ["scale", "mean", "std"],
  layout: ["layout"],
  model: [],
  "box decoding": ["scaleOrder", "sigmoid", "heads", "centreShift"],
  suppression: ["suppression"],
  features: ["normaliseRows", "binarise", "bitOrder"],
} as const satisfies Readonly<Record<string, readonly (keyof Chain)[]>>;

export type StageName = keyof typeof stages;

/** The chain that a card stands for. */
export function chainOf(card: Card): Chain {
  const { input } = card;
  return {
    colour: input.colour,
    width: input.width,
    height: input.height,
    resampling: input.interpolation,
    fit: "stretch",
    scale: input.scale,
    mean: input.mean,
    std: input.std,
    layout: input.layout,
    scaleOrder: "yx",
    sigmoid: false,
    heads: "as exported",
    centreShift: 0,
    suppression: card.task === "detection" ? card.detection.suppression : null,
    normaliseRows: card.task === "recognition" && card.recognition.normalise,
    binarise: card.task === "recognition" ? card.recognition.binarise : "none",
    bitOrder: "most significant first",
  };
}

/** A chain with one stage of another. */
export function withStage(chain: Chain, stage: StageName, from: Chain): Chain {
  const settings = Object.fromEntries(stages[stage].map((key) => [key, from[key]]));
  return { ...chain, ...settings };
}

/** Whether two chains do a stage alike. */
export function sameStage(a: Chain, b: Chain, stage: StageName): boolean {
  return stages[stage].every((key) => JSON.stringify(a[key]) === JSON.stringify(b[key]));
}
