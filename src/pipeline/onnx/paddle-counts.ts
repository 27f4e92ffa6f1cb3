import type { OnnxModel, OnnxNode } from "./read-model.js";
import type { Shapes } from "./trace.js";
import { countWeights } from "./weights.js";

/**
 * What Paddle calls parameters and FLOPs, counted in an ONNX file: the paper's Table 6 prints
 * these. Both count batch norms, which many exports fold into their convolutions; nothing in such a
 * file tells what they were, so nothing is said of it.
 */
export interface PaddleCounts {
  /** Learned elements, and the running means and variances of batch norms. */
  readonly parameters: number;
  /**
   * As `paddle.flops` (`python/paddle/hapi/dynamic_flops.py`) counts one forward pass: the
   * multiply-adds and bias additions of convolutions, 2 an output of a batch norm, the window and 1
   * an output of an adaptive average pool, 1 an output of another average pool, the multiply-adds
   * of fully connected layers. Activations, products, sums and largest values count nothing.
   */
  readonly flops: number;
  readonly flopsByOperator: Readonly<Record<string, number>>;
}

export type PaddleCounting = PaddleCounts | { readonly parameters: null; readonly why: string };

type ShapeOf = (slot: number) => readonly number[];
type Rule = (input: ShapeOf, output: readonly number[], node: OnnxNode) => number;

const product = (dims: readonly number[]): number => dims.reduce((all, d) => all * d, 1);

const convolution: Rule = (input, output, node) => {
  const window = product(input(1).slice(1));
  const bias = (node.inputs[2] ?? "") === "" ? 0 : 1;
  return product(output) * (window + bias);
};

const rules: Readonly<Record<string, Rule>> = {
  Conv: convolution,
  BatchNormalization: (input) => 2 * product(input(0)),
  GlobalAveragePool: (input, output) => product(output) * (product(input(0).slice(2)) + 1),
  AveragePool: (_, output) => product(output),
  Gemm: (input, output, node) => {
    const transposed = node.attributes.get("transA")?.i === 1;
    return product(output) * input(0)[transposed ? 0 : 1]!;
  },
  MatMul: (input, output) => product(output) * input(0).at(-1)!,
};

/** The values whose shapes `countAsPaddle` needs. */
export function shapesForPaddle(model: OnnxModel): string[] {
  const counted = model.graph.nodes.filter((n) => n.op in rules);
  return counted.flatMap((n) => [...n.inputs, ...n.outputs]).filter((name) => name !== "");
}

/** Counts as Paddle does, or says why that cannot be known of this file. */
export function countAsPaddle(model: OnnxModel, shapes: Shapes): PaddleCounting {
  const { nodes, initializers } = model.graph;
  const norms = nodes.filter((n) => n.op === "BatchNormalization");
  if (norms.length === 0) {
    const why = "batch norms are folded into the convolutions, and Paddle's counts have them in";
    return { parameters: null, why };
  }
  const byOperator: Record<string, number> = {};
  for (const node of nodes) {
    const rule = Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
    if (!rule) continue;
    const output = shapes.get(node.outputs[0] ?? "");
    const needed = node.inputs.slice(0, 2).map((name) => shapes.get(name));
    if (!output || needed.some((s) => s === undefined)) {
      return { parameters: null, why: `a shape of ${node.op} is unknown` };
    }
    const counted = rule((slot) => needed[slot]!, output, node);
    byOperator[node.op] = (byOperator[node.op] ?? 0) + counted;
  }
  const running = new Set(norms.flatMap((n) => n.inputs.slice(3, 5)));
  const statistics = [...running].reduce(
    (sum, name) => sum + (initializers.get(name)?.elements ?? 0),
    0,
  );
  return {
    parameters: countWeights(model).parameters + statistics,
    flops: Object.values(byOperator).reduce((sum, n) => sum + n, 0),
    flopsByOperator: byOperator,
  };
}
