import {
  floatTensor,
  type DraftModel,
  type DraftNode,
  type DraftTensor,
} from "../../src/pipeline/onnx/write-model.js";

/**
 * The same model with each batch norm inside the convolution before it, as exports for inference
 * have it: weights times scale / sqrt(variance + epsilon), the rest a bias.
 */
export function foldBatchNorms(model: DraftModel): DraftModel {
  const { graph } = model;
  const tensors = new Map(graph.initializers.map((t) => [t.name, t]));
  const norms = new Map(
    graph.nodes.filter((n) => n.op === "BatchNormalization").map((n) => [n.inputs[0]!, n]),
  );
  const nodes = graph.nodes.flatMap((node) => {
    if (node.op === "BatchNormalization") return [];
    const norm =
      node.op === "Conv" || node.op === "DeformConv" ? norms.get(node.outputs[0]!) : undefined;
    return [norm ? folded(node, norm, tensors) : node];
  });
  const used = new Set(nodes.flatMap((n) => n.inputs));
  const initializers = [...tensors.values()].filter((t) => used.has(t.name));
  return { ...model, graph: { ...graph, nodes, initializers } };
}

function folded(conv: DraftNode, norm: DraftNode, tensors: Map<string, DraftTensor>): DraftNode {
  const biasSlot = conv.op === "Conv" ? 2 : 3;
  const weight = tensors.get(conv.inputs[1]!)!;
  const [scale, shift, mean, variance] = norm.inputs
    .slice(1)
    .map((name) => floatsOf(tensors.get(name)!));
  const factors = scale!.map((s, c) => s / Math.sqrt(variance![c]! + 1e-5));
  const perChannel = weight.dims.slice(1).reduce((product, d) => product * d, 1);
  const values = floatsOf(weight).map((v, i) => v * factors[Math.floor(i / perChannel)]!);
  const before = tensors.get(conv.inputs[biasSlot] ?? "");
  const had = before ? floatsOf(before) : undefined;
  const bias = shift!.map((s, c) => s + ((had?.[c] ?? 0) - mean![c]!) * factors[c]!);
  const name = `${weight.name} with norm`;
  tensors.set(name, floatTensor(name, weight.dims, values));
  tensors.set(`${name}, bias`, floatTensor(`${name}, bias`, [bias.length], bias));
  const inputs = [...conv.inputs];
  inputs[1] = name;
  inputs[biasSlot] = `${name}, bias`;
  return { ...conv, inputs, outputs: norm.outputs };
}

/** The contents of a float32 constant. */
export function floatsOf({ raw }: DraftTensor): Float32Array {
  return new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4);
}
