// forms/: shapes of a detector's outputs in, which output holds what; its numbers in, boxes out. It
// never sees a picture or a card.
import type { Dimension } from "../onnx/read-model.js";
import type { Detection } from "../types.js";

export interface FormOutput {
  readonly name: string;
  readonly shape: readonly Dimension[] | null;
}

/** What is known of the model besides its outputs. */
export interface FormContext {
  /** Size of the network's input in pixels, where known. */
  readonly width?: number;
  readonly height?: number;
  readonly strides?: readonly number[];
}

/** Which output holds what: each form adds its own. */
export interface FormRoles {
  readonly form: string;
  /** null where the shapes do not say. */
  readonly classes: number | null;
}

/** What a form finds in the outputs, with the reasoning a sentence each; or why it is not there. */
export type Recognised<R extends FormRoles> =
  | {
      readonly roles: R;
      readonly why: readonly string[];
      readonly warnings: readonly string[];
    }
  | { readonly refusal: string };

/** One output of a run: float32 contents and dimensions. */
export interface Output {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** The outputs of one run. */
export interface RunOutputs {
  output(name: string): Output;
  /** The number that an output of one element holds. */
  count(name: string): number | null;
}

/** Suppression where it is not inside the graph. */
export interface SuppressionSettings {
  readonly scoreThreshold: number;
  readonly iou: number;
  /** Best candidates of a class that enter; boxes of all classes that are kept. */
  readonly candidates: number;
  readonly keep: number;
}

export interface DecodeContext {
  /**
   * Network pixels per picture pixel, across and down, as float32: the `scale_factor` that
   * PaddleDetection feeds.
   */
  readonly scaleX: number;
  readonly scaleY: number;
  readonly suppression: SuppressionSettings;
}

/** The model computed something that is no detection. The message says what. */
export class OutputError extends Error {
  override readonly name = "OutputError";
}

/**
 * A form in which detectors are exported: one file of this folder, and a line of `form-table.ts`.
 * Forms are told apart by the shapes of the outputs, never by their names: exporters name them as
 * they like, and interleave or group the raw heads.
 */
export interface DetectorForm<R extends FormRoles = FormRoles> {
  readonly name: string;
  /** PaddleDetection's users say form a, b, c. */
  readonly letter: string;
  recognise(outputs: readonly FormOutput[], context: FormContext): Recognised<R>;
  /**
   * Boxes in pixels of the picture, not clipped, the best score first.
   * @throws OutputError where an output has the wrong dimensions or holds NaN.
   */
  decode(roles: R, outputs: RunOutputs, context: DecodeContext): Detection[];
}

export const usualStrides = [8, 16, 32, 64];

/** `boxes [1, 2125, 4]`. */
export function shown({ name, shape }: FormOutput): string {
  return `${name} ${showShape(shape)}`;
}

export function showShape(shape: readonly Dimension[] | null): string {
  return shape === null ? "[...]" : `[${shape.map((d) => d ?? "?").join(", ")}]`;
}
