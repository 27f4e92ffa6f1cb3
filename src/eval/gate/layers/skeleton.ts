import type { OnnxModel, OnnxNode } from "../../../pipeline/onnx/read-model.js";
import { Constants } from "./constants.js";

/**
 * A graph as matching sees it: the nodes that handle the picture, in their order, with those of
 * their inputs that depend on it. Shape arithmetic and constants are no part of it, so that two
 * exports of one network look alike whatever was folded.
 */
export interface Step {
  readonly node: OnnxNode;
  readonly op: string;
  /** Inputs that depend on the picture. */
  readonly data: readonly string[];
  readonly output: string;
  /** What computes it stands in the network's description, however it was exported. */
  readonly role: "anchor" | "join" | "passing" | "between";
}

/** Operators with weights, or that mix places: each is a layer of its own in any export. */
const anchors: Readonly<Record<string, string>> = {
  Conv: "Conv",
  FusedConv: "Conv",
  QLinearConv: "Conv",
  ConvInteger: "Conv",
  ConvTranspose: "ConvTranspose",
  Gemm: "Dense",
  FusedGemm: "Dense",
  MatMul: "Dense",
  QLinearMatMul: "Dense",
  MatMulInteger: "Dense",
  GlobalAveragePool: "Mean",
  ReduceMean: "Mean",
  AveragePool: "Mean",
  MaxPool: "MaxPool",
  GlobalMaxPool: "MaxPool",
  Concat: "Concat",
  Resize: "Resize",
  Upsample: "Resize",
  Softmax: "Softmax",
  Slice: "Slice",
  Split: "Split",
  Gather: "Gather",
  NonMaxSuppression: "NonMaxSuppression",
  TopK: "TopK",
};

/** Operators that hand on their values as they are, up to rounding or shape. */
const passing = new Set([
  "Identity",
  "Cast",
  "QuantizeLinear",
  "DequantizeLinear",
  "Dropout",
  "Flatten",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
]);

/** What anchors of the same kind are called, whatever operator an exporter chose. */
export function anchorClass(op: string): string {
  return anchors[op] ?? op;
}

export class Skeleton {
  readonly model: OnnxModel;
  readonly constants: Constants;
  readonly steps: readonly Step[];

  constructor(model: OnnxModel) {
    this.model = model;
    this.constants = new Constants(model.graph);
    this.steps = model.graph.nodes.flatMap((node) => this.#step(node));
  }

  #step(node: OnnxNode): Step[] {
    const output = node.outputs[0] ?? "";
    if (output === "" || this.constants.isAuxiliary(output)) return [];
    const given = node.inputs.filter((name) => name !== "" && !this.constants.isAuxiliary(name));
    // The scale and zero point of a value that depends on the picture are not the picture.
    const data = [...new Set(given)];
    return [{ node, op: node.op, data, output, role: roleOf(node.op, data.length) }];
  }
}

function roleOf(op: string, inputs: number): Step["role"] {
  if (op in anchors) return "anchor";
  if (inputs > 1) return "join";
  return passing.has(op) ? "passing" : "between";
}
