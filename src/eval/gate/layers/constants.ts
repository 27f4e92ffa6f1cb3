import { tensorValues } from "../../../pipeline/onnx/tensor-values.js";
import type { OnnxGraph, OnnxNode } from "../../../pipeline/onnx/read-model.js";

/** A constant of a graph as numbers: dequantised and transposed as the graph does it. */
export interface ConstantValue {
  readonly values: Float64Array;
  readonly dims: readonly number[];
  /** Scales that it was dequantised with: 1 a tensor, or one a channel; null for floats. */
  readonly scales: number | null;
}

/** The values of a graph that do not depend on its inputs' contents. */
export class Constants {
  readonly #graph: OnnxGraph;
  readonly #makers = new Map<string, OnnxNode>();
  readonly #auxiliary = new Set<string>();
  readonly #known = new Map<string, ConstantValue | null>();

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
    for (const name of graph.initializers.keys()) this.#auxiliary.add(name);
    for (const node of graph.nodes) {
      for (const output of node.outputs) this.#makers.set(output, node);
      const inputs = node.inputs.filter((name) => name !== "");
      // The shape of a picture is known before the picture is.
      const steady = node.op === "Shape" || inputs.every((name) => this.#auxiliary.has(name));
      if (steady) for (const output of node.outputs) this.#auxiliary.add(output);
    }
  }

  /** Constants, shapes, and all that is computed of them alone. */
  isAuxiliary(name: string): boolean {
    return this.#auxiliary.has(name);
  }

  /** The numbers behind a name; null where they cannot be had without running the graph. */
  value(name: string | undefined): ConstantValue | null {
    if (name === undefined || name === "") return null;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const found = this.#compute(name);
    this.#known.set(name, found);
    return found;
  }

  #compute(name: string): ConstantValue | null {
    const node = this.#makers.get(name);
    const tensor = this.#graph.initializers.get(name) ?? node?.attributes.get("value")?.tensor;
    if (tensor) {
      const values = tensorValues(tensor);
      return values && { values, dims: tensor.dims, scales: null };
    }
    const input = node && this.value(node.inputs[0]);
    if (!node || !input) return null;
    switch (node.op) {
      case "Identity":
      case "Cast":
        return input;
      case "DequantizeLinear":
        return this.#dequantised(node, input);
      case "Transpose":
        return transposed(input, node.attributes.get("perm")?.ints);
      default:
        return null;
    }
  }

  #dequantised(node: OnnxNode, input: ConstantValue): ConstantValue | null {
    const scale = this.value(node.inputs[1]);
    const zero = this.value(node.inputs[2]);
    if (!scale) return null;
    const { dims } = input;
    const axis = node.attributes.get("axis")?.i ?? 1;
    const inner = dims.slice(axis + 1).reduce((product, d) => product * d, 1);
    const channels = scale.values.length;
    const channel = (i: number): number => (channels === 1 ? 0 : Math.floor(i / inner) % channels);
    const values = input.values.map(
      (v, i) => (v - (zero?.values[channel(i)] ?? 0)) * scale.values[channel(i)]!,
    );
    return { values, dims, scales: channels };
  }
}

function transposed(input: ConstantValue, perm: readonly number[] | undefined): ConstantValue {
  const { dims, values, scales } = input;
  const order = perm ?? dims.map((_, i) => dims.length - 1 - i);
  const strides = dims.map((_, i) => dims.slice(i + 1).reduce((product, d) => product * d, 1));
  const out = order.map((axis) => dims[axis]!);
  const moved = Float64Array.from(values, (_, i) => {
    let rest = i;
    let from = 0;
    for (let axis = out.length - 1; axis >= 0; axis--) {
      from += (rest % out[axis]!) * strides[order[axis]!]!;
      rest = Math.floor(rest / out[axis]!);
    }
    return values[from]!;
  });
  return { values: moved, dims: out, scales };
}
