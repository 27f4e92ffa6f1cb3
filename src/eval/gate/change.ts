import type { OnnxModel } from "../../pipeline/onnx/read-model.js";
import { quantisation } from "../../pipeline/onnx/weights.js";

/**
 * What was done to the model, which decides how much its outputs may move: an export of the same
 * precision moves by rounding alone, half floats by a thousandth, int8 by hundredths, and other
 * weights as far as they like.
 */
export const changes = ["same", "fp16", "int8", "retrained"] as const;
export type Change = (typeof changes)[number];

export const changeNames: Readonly<Record<Change, string>> = {
  same: "same precision",
  fp16: "float32 to float16",
  int8: "float to int8",
  retrained: "retrained",
};

/**
 * Tells the kind of change from the two files. That weights were trained anew no file can tell from
 * weights that were damaged: it has to be said.
 */
export function changeBetween(baseline: OnnxModel, candidate: OnnxModel): Change {
  if (quantisation(candidate) !== null && quantisation(baseline) === null) return "int8";
  if (holdsHalves(candidate) && !holdsHalves(baseline)) return "fp16";
  return "same";
}

function holdsHalves({ graph }: OnnxModel): boolean {
  const halves = (dtype: string): boolean => dtype === "float16" || dtype === "bfloat16";
  return (
    [...graph.initializers.values()].some(({ dtype }) => halves(dtype)) ||
    graph.nodes.some(({ attributes }) => halves(attributes.get("value")?.tensor?.dtype ?? ""))
  );
}
