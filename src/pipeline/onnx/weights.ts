import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from "./read-model.js";
import { bytesPerElement } from "./read-tensor.js";

/**
 * What counts as a parameter: an element of a constant that a training would have learned. Those
 * are the weights and biases of the operators in `weightSlots`, found through quantisation,
 * transposition and the like, plus a constant of two or more elements added to or multiplied with
 * such an operator's result (a bias or a scale that was exported on its own). Scales, zero points,
 * running means and variances, clip bounds, anchors and shapes do not count; a shared constant
 * counts once. So MobileNetV2 has here what `sum(p.numel() for p in model.parameters())` has in
 * PyTorch, batch normalisations folded in.
 */
const weightSlots: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  DeformConv: [1, 3],
  Gemm: [0, 1, 2],
  MatMul: [0, 1],
  BatchNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  LayerNormalization: [1, 2],
  GroupNormalization: [1, 2],
  PRelu: [1],
  LSTM: [1, 2, 3, 7],
  GRU: [1, 2, 3],
  RNN: [1, 2, 3],
  Gather: [0],
  ConvInteger: [1],
  MatMulInteger: [0, 1],
  QLinearConv: [3, 8],
  QLinearMatMul: [0, 3],
  QGemm: [0, 3, 6],
  FusedConv: [1, 2],
  FusedGemm: [0, 1, 2],
  FusedMatMul: [0, 1],
};

/** Operators that hand on their first input's elements. */
const passing = new Set([
  "DequantizeLinear",
  "QuantizeLinear",
  "Identity",
  "Reshape",
  "Transpose",
  "Cast",
  "Squeeze",
  "Unsqueeze",
  "Flatten",
]);
const scaling = new Set(["Add", "Sub", "Mul", "Div"]);
const quantised = new Set([
  "QuantizeLinear",
  "DequantizeLinear",
  "DynamicQuantizeLinear",
  "ConvInteger",
  "MatMulInteger",
  "QLinearConv",
  "QLinearMatMul",
  "QGemm",
  "DynamicQuantizeMatMul",
  "MatMulIntegerToFloat",
]);
const integerTypes = new Set(["int8", "uint8", "int4", "uint4", "int16", "uint16"]);

export interface WeightCount {
  /** Elements of learned constants. */
  readonly parameters: number;
  /** Those of them that are stored as integers of 16 bits or fewer. */
  readonly integerParameters: number;
  /** Elements of all constants, learned or not: what tools print that add up the initializers. */
  readonly constantElements: number;
  /** Bytes of the parameters in memory. */
  readonly parameterBytes: number;
}

/**
 * Counts the parameters of a model (see above), control flow bodies included, model-local functions
 * not.
 */
export function countWeights(model: OnnxModel): WeightCount {
  const learned = new Set<OnnxTensor>();
  const constants = new Set<OnnxTensor>();
  visit(model.graph, new Map(), new Map(), learned, constants);
  const sum = (tensors: Iterable<OnnxTensor>, of: (t: OnnxTensor) => number): number =>
    [...tensors].reduce((total, t) => total + of(t), 0);
  return {
    parameters: sum(learned, (t) => t.elements),
    integerParameters: sum(learned, (t) => (integerTypes.has(t.dtype) ? t.elements : 0)),
    constantElements: sum(constants, (t) => t.elements),
    // types that fill no byte are of four bits
    parameterBytes: sum(learned, (t) => (bytesPerElement[t.dtype] ?? 0.5) * t.elements),
  };
}

type Scope<T> = Map<string, T>;

function visit(
  graph: OnnxGraph,
  outerConstants: Scope<OnnxTensor>,
  outerMakers: Scope<OnnxNode>,
  learned: Set<OnnxTensor>,
  constants: Set<OnnxTensor>,
): void {
  const known = new Map([...outerConstants, ...graph.initializers]);
  const makers = new Map(outerMakers);
  for (const tensor of graph.initializers.values()) constants.add(tensor);
  for (const node of graph.nodes) {
    for (const output of node.outputs) makers.set(output, node);
    const value = node.op === "Constant" ? node.attributes.get("value")?.tensor : undefined;
    if (value) {
      known.set(node.outputs[0]!, value);
      constants.add(value);
    }
  }
  const constantBehind = (name: string | undefined): OnnxTensor | undefined => {
    for (let at = name ?? "", hops = 0; at !== "" && hops < 16; hops++) {
      const constant = known.get(at);
      if (constant) return constant;
      const maker = makers.get(at);
      if (!maker || !passing.has(maker.op)) return undefined;
      at = maker.inputs[0] ?? "";
    }
    return undefined;
  };
  const followsWeights = (name: string): boolean => {
    const maker = makers.get(name);
    return maker !== undefined && Object.hasOwn(weightSlots, maker.op) && maker.op !== "Gather";
  };
  for (const node of graph.nodes) {
    const candidates = (Object.hasOwn(weightSlots, node.op) ? weightSlots[node.op]! : []).map(
      (slot) => constantBehind(node.inputs[slot]),
    );
    if (scaling.has(node.op)) {
      const [a = "", b = ""] = node.inputs;
      if (followsWeights(a)) candidates.push(atLeastTwo(constantBehind(b)));
      else if (followsWeights(b)) candidates.push(atLeastTwo(constantBehind(a)));
    }
    for (const tensor of candidates) if (tensor && mayBeLearned(node, tensor)) learned.add(tensor);
    for (const attribute of node.attributes.values())
      for (const body of attribute.graphs) visit(body, known, makers, learned, constants);
  }
}

function atLeastTwo(tensor: OnnxTensor | undefined): OnnxTensor | undefined {
  return tensor && tensor.elements >= 2 ? tensor : undefined;
}

/**
 * Gather also picks from lists of indices and from shapes; an embedding table is a matrix of
 * numbers.
 */
function mayBeLearned(node: OnnxNode, tensor: OnnxTensor): boolean {
  if (node.op !== "Gather") return true;
  return (
    tensor.dims.length === 2 &&
    (tensor.dtype.startsWith("float") ||
      tensor.dtype === "bfloat16" ||
      tensor.dtype.endsWith("int8"))
  );
}

/**
 * How a model is quantised: quantise and dequantise around float operators, integer operators, or
 * not at all.
 */
export function quantisation(model: OnnxModel): "qdq" | "integer-operators" | null {
  const ops = allNodes(model.graph)
    .map((n) => n.op)
    .filter((op) => quantised.has(op));
  if (ops.length === 0) return null;
  return ops.every((op) => op === "QuantizeLinear" || op === "DequantizeLinear")
    ? "qdq"
    : "integer-operators";
}

/** The nodes of a graph and of every body inside it. */
export function allNodes(graph: OnnxGraph): OnnxNode[] {
  return graph.nodes.flatMap((node) => [
    node,
    ...[...node.attributes.values()].flatMap((a) => a.graphs.flatMap(allNodes)),
  ]);
}
