import type { OnnxModel, OnnxNode } from "./read-model.js";
import type { Shapes } from "./trace.js";
import { allNodes } from "./weights.js";

export interface Work {
  /**
   * Multiply-accumulates of one forward pass: for each output element of a convolution or matrix
   * product, the products that are summed into it. Biases, activations, pooling and normalisation
   * are not counted. Papers on small networks, PP-ShiTu's Table 6 among them, print this number as
   * "FLOPs"; counted as separate operations it is twice as many.
   */
  readonly macs: number;
  /** The same by operator. */
  readonly macsByOperator: Readonly<Record<string, number>>;
  /** Operators with weights that could not be counted, with the reason. */
  readonly uncounted: readonly string[];
}

/** MACs of one node, given the shapes of its inputs and output; null where a shape is missing. */
type Rule = (
  shape: (slot: number) => readonly number[] | undefined,
  output: readonly number[],
  node: OnnxNode,
) => number | null;

/**
 * `weight` is [C out, C in / group, kernel...]: every output element sums over C in / group x
 * kernel.
 */
const convolution =
  (weight: number): Rule =>
  (shape, output) => {
    const w = shape(weight);
    return w ? product(output) * product(w.slice(1)) : null;
  };

/**
 * Weights are [C in, C out / group, kernel...]: every input element is multiplied with C out /
 * group x kernel weights.
 */
const transposedConvolution: Rule = (shape) => {
  const x = shape(0);
  const w = shape(1);
  return x && w ? product(x) * product(w.slice(1)) : null;
};

const matrixProduct: Rule = (shape, output) => {
  const inner = shape(0)?.at(-1);
  return inner === undefined ? null : product(output) * inner;
};

const gemm: Rule = (shape, output, node) => {
  const inner = shape(0)?.[node.attributes.get("transA")?.i ? 0 : 1];
  return inner === undefined ? null : product(output) * inner;
};

const rules: Readonly<Record<string, Rule>> = {
  Conv: convolution(1),
  FusedConv: convolution(1),
  DeformConv: convolution(1), // the interpolation between places is left out
  ConvInteger: convolution(1),
  QLinearConv: convolution(3),
  ConvTranspose: transposedConvolution,
  MatMul: matrixProduct,
  MatMulInteger: matrixProduct,
  QLinearMatMul: matrixProduct,
  DynamicQuantizeMatMul: matrixProduct,
  MatMulIntegerToFloat: matrixProduct,
  Gemm: gemm,
  FusedGemm: gemm,
  QGemm: gemm,
};

/** Operators that multiply and accumulate, for which there is no rule here. */
const knownUncounted = new Set([
  "LSTM",
  "GRU",
  "RNN",
  "Einsum",
  "Attention",
  "MultiHeadAttention",
  "QAttention",
  "FusedMatMul",
  "MatMulNBits",
  "NhwcConv",
  "QLinearConvTranspose",
]);

/** The values whose shapes `countMacs` needs. */
export function shapesNeeded(model: OnnxModel): string[] {
  return model.graph.nodes
    .filter((n) => n.op in rules)
    .flatMap((n) => [...n.inputs, ...n.outputs])
    .filter((name) => name !== "");
}

export function countMacs(model: OnnxModel, shapes: Shapes): Work {
  const byOperator: Record<string, number> = {};
  const uncounted = new Set<string>();
  for (const node of model.graph.nodes) {
    if (knownUncounted.has(node.op)) uncounted.add(`${node.op}: no rule for it`);
    const rule = Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
    if (!rule) continue;
    const output = shapes.get(node.outputs[0] ?? "");
    const macs = output ? rule((slot) => shapes.get(node.inputs[slot] ?? ""), output, node) : null;
    if (macs === null) uncounted.add(`${node.op}: a shape is unknown`);
    else byOperator[node.op] = (byOperator[node.op] ?? 0) + macs;
  }
  const inside = allNodes(model.graph).length - model.graph.nodes.length;
  if (inside > 0)
    uncounted.add(
      `${inside} operators inside If, Loop or Scan: how often they run depends on the input`,
    );
  if (model.functions.length > 0)
    uncounted.add(`operators inside the model's own functions ${model.functions.join(", ")}`);
  return {
    macs: Object.values(byOperator).reduce((sum, n) => sum + n, 0),
    macsByOperator: byOperator,
    uncounted: [...uncounted],
  };
}

function product(dims: readonly number[]): number {
  return dims.reduce((all, d) => all * d, 1);
}
