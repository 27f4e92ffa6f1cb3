import type { BinariseRule } from "../../../pipeline/index/binarise.js";
import type { Vectors } from "../../../pipeline/types.js";

/**
 * The values that PaddleClas compares binary models by (`retrieval_eval`, `feature_binarize`): the
 * sign of each feature, where 0 stays 0, or round(x) * 2 - 1, whatever x is. Inner products of
 * these, not Hamming distances of packed bits: they differ where a feature is exactly 0, or outside
 * 0..1 under `round`. paddle.round takes halves away from 0.
 */
export function paddleclasCodes({ data, dim }: Vectors, rule: BinariseRule): Vectors {
  const value =
    rule === "sign"
      ? Math.sign
      : (x: number) => Math.sign(x) * Math.floor(Math.abs(x) + 0.5) * 2 - 1;
  return { data: data.map(value), dim };
}
