import { Tensor } from "onnxruntime-node";
import { openSession, runSession } from "../../src/pipeline/onnx/session.js";
import { concatBytes } from "../../src/pipeline/onnx/wire.js";
import {
  floatTensor,
  modelParts,
  rawOf,
  type DraftModel,
  type DraftNode,
  type DraftTensor,
} from "../../src/pipeline/onnx/write-model.js";
import { floatsOf, foldBatchNorms } from "./fold-batch-norms.js";
import { drawnPicture } from "./settle-norms.js";

/**
 * Eight-bit models in ONNX's QDQ form: weights are signed integers with a scale a channel, values
 * between operators pass through quantise and dequantise, so that ONNX Runtime computes
 * convolutions on integers. Ranges come from one run on a drawn picture.
 */

/** Operators that run on integers. */
const integerOps = new Set(["Conv", "Gemm"]);
/** Operators that hand integers on or have integer kernels: their results are quantised too. */
const carrying = new Set([
  "Relu",
  "Clip",
  "LeakyRelu",
  "HardSwish",
  "Add",
  "Mul",
  "Concat",
  "MaxPool",
  "AveragePool",
  "GlobalAveragePool",
  "Resize",
  "Split",
  "Transpose",
  "Reshape",
  "Flatten",
  "HardSigmoid",
  "Sigmoid",
]);

export async function quantised(model: DraftModel): Promise<DraftModel> {
  const folded = foldBatchNorms(model);
  const wanted = quantisedValues(folded);
  return new Quantiser(folded, await rangesOf(folded, wanted)).model(wanted);
}

/**
 * What is quantised: results of integer operators, and what stands between two of them. What only
 * follows the last, such as the decoding of boxes, stays as it is.
 */
function quantisedValues({ graph }: DraftModel): string[] {
  const constants = new Set(graph.initializers.map((t) => t.name));
  const absorbed = absorbedByNext(graph.nodes);
  const behind = new Set<string>();
  for (const node of graph.nodes) {
    const carries = carrying.has(node.op) && node.inputs.some((i) => behind.has(i));
    if (carries || integerOps.has(node.op)) for (const output of node.outputs) behind.add(output);
  }
  const before = new Set<string>();
  for (const node of [...graph.nodes].reverse()) {
    const leads = carrying.has(node.op) && node.outputs.some((o) => before.has(o));
    if (integerOps.has(node.op)) before.add(node.inputs[0]!);
    else if (leads) for (const input of node.inputs) before.add(input);
  }
  const results = graph.nodes.filter((n) => integerOps.has(n.op)).map((n) => n.outputs[0]!);
  const values = new Set(
    [...before].filter((v) => behind.has(v) || graph.inputs.some((i) => i.name === v)),
  );
  for (const result of results) values.add(result);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  return [...values].filter((v) => !constants.has(v) && !absorbed.has(v) && !outputs.has(v));
}

/**
 * Results that only a rectifier takes: it becomes the integers' clipping, and stands before
 * quantising.
 */
function absorbedByNext(nodes: readonly DraftNode[]): Set<string> {
  const takers = new Map<string, DraftNode[]>();
  for (const node of nodes)
    for (const input of node.inputs) takers.set(input, [...(takers.get(input) ?? []), node]);
  const rectified = (name: string): boolean => {
    const [only, ...others] = takers.get(name) ?? [];
    return others.length === 0 && (only?.op === "Relu" || only?.op === "Clip");
  };
  return new Set(
    nodes
      .filter((n) => integerOps.has(n.op))
      .map((n) => n.outputs[0]!)
      .filter(rectified),
  );
}

type Ranges = ReadonlyMap<string, readonly [low: number, high: number]>;

/** Smallest and largest value of each, in one run on a drawn picture. */
async function rangesOf(model: DraftModel, names: readonly string[]): Promise<Ranges> {
  const ends = names.flatMap((name, i): DraftNode[] =>
    ["ReduceMin", "ReduceMax"].map((op) => ({
      op,
      inputs: [name],
      outputs: [`${op} ${i}`],
      attributes: { keepdims: 0 },
    })),
  );
  const outputs = ends.map((node) => ({
    name: node.outputs[0]!,
    dtype: "float32" as const,
    shape: null,
  }));
  const probed = {
    ...model,
    graph: { ...model.graph, nodes: [...model.graph.nodes, ...ends], outputs },
  };
  const bytes = concatBytes(modelParts(probed));
  const file = model.graph.name;
  const session = await openSession(bytes, file, { optimise: false });
  try {
    const { name, shape } = model.graph.inputs[0]!;
    const size = shape![2] as number;
    const picture = new Tensor("float32", drawnPicture(size), [1, 3, size, size]);
    const found = await runSession(session, { [name]: picture }, file);
    const value = (output: string): number => (found[output]!.data as Float32Array)[0]!;
    return new Map(
      names.map((name, i) => [name, [value(`ReduceMin ${i}`), value(`ReduceMax ${i}`)]]),
    );
  } finally {
    await session.release();
  }
}

/** Puts quantise and dequantise around values, and integers in the place of weights. */
class Quantiser {
  private readonly tensors = new Map<string, DraftTensor>();
  private readonly floats: ReadonlyMap<string, DraftTensor>;

  constructor(
    private readonly source: DraftModel,
    private readonly ranges: Ranges,
  ) {
    this.floats = new Map(source.graph.initializers.map((t) => [t.name, t]));
  }

  model(values: readonly string[]): DraftModel {
    const { graph } = this.source;
    const around = new Set(values);
    const after = (name: string): string => (around.has(name) ? `${name} dequantised` : name);
    const begins = graph.inputs.filter((i) => around.has(i.name)).flatMap((i) => this.pair(i.name));
    const nodes = graph.nodes.flatMap((node) => {
      const given = { ...node, inputs: node.inputs.map(after) };
      const made = integerOps.has(node.op) ? this.integer(given, node.inputs[0]!) : [given];
      return [...made, ...node.outputs.filter((o) => around.has(o)).flatMap((o) => this.pair(o))];
    });
    const used = new Set([...begins, ...nodes].flatMap((n) => n.inputs));
    const kept = graph.initializers.filter((t) => used.has(t.name));
    const all = [...begins, ...nodes];
    return {
      ...this.source,
      graph: { ...graph, nodes: all, initializers: [...kept, ...this.tensors.values()] },
    };
  }

  /** Quantise to eight bits without sign, and back. */
  private pair(name: string): DraftNode[] {
    const parts = this.steps(name);
    return [
      { op: "QuantizeLinear", inputs: [name, ...parts], outputs: [`${name} quantised`] },
      {
        op: "DequantizeLinear",
        inputs: [`${name} quantised`, ...parts],
        outputs: [`${name} dequantised`],
      },
    ];
  }

  private steps(name: string): [string, string] {
    const { scale, zero } = this.step(name);
    const names: [string, string] = [`${name} scale`, `${name} zero`];
    this.tensors.set(names[0], floatTensor(names[0], [], Float32Array.of(scale)));
    this.tensors.set(names[1], {
      name: names[1],
      dtype: "uint8",
      dims: [],
      raw: Uint8Array.of(zero),
    });
    return names;
  }

  private step(name: string): { scale: number; zero: number } {
    const [low, high] = this.ranges.get(name)!;
    const [from, to] = [Math.min(0, low), Math.max(0, high)];
    const scale = Math.fround(Math.max(to - from, 1e-6) / 255);
    return { scale, zero: Math.round(-from / scale) };
  }

  /** A convolution or fully connected layer whose weights and bias are integers. */
  private integer(node: DraftNode, input: string): DraftNode[] {
    const weight = this.floats.get(node.inputs[1]!)!;
    const axis = node.op === "Conv" ? 0 : 1;
    const scales = channelScales(weight, axis);
    const stored = this.dequantised(weight, { scales, axis, bits: 8 });
    const bias = this.floats.get(node.inputs[2] ?? "");
    if (!bias) return [stored.node, { ...node, inputs: [node.inputs[0]!, stored.output] }];
    const steps = scales.map((s) => s * this.step(input).scale);
    const shifted = this.dequantised(bias, { scales: steps, axis: 0, bits: 32 });
    const inputs = [node.inputs[0]!, stored.output, shifted.output];
    return [stored.node, shifted.node, { ...node, inputs }];
  }

  private dequantised(
    tensor: DraftTensor,
    spec: { scales: Float32Array; axis: number; bits: 8 | 32 },
  ): { node: DraftNode; output: string } {
    const { scales, axis, bits } = spec;
    const { name, dims } = tensor;
    const inner = dims.slice(axis + 1).reduce((product, d) => product * d, 1);
    const channels = dims[axis]!;
    const limit = bits === 8 ? 127 : 2 ** 31 - 1;
    const rounded = floatsOf(tensor).map((v, i) => {
      const step = scales[Math.floor(i / inner) % channels]!;
      return Math.max(-limit, Math.min(limit, Math.round(v / step)));
    });
    const data = bits === 8 ? Int8Array.from(rounded) : Int32Array.from(rounded);
    const dtype = bits === 8 ? "int8" : "int32";
    this.tensors.set(`${name} integers`, {
      name: `${name} integers`,
      dtype,
      dims,
      raw: rawOf(data),
    });
    this.tensors.set(`${name} scales`, floatTensor(`${name} scales`, [channels], scales));
    const zeros = bits === 8 ? new Int8Array(channels) : new Int32Array(channels);
    this.tensors.set(`${name} zeros`, {
      name: `${name} zeros`,
      dtype,
      dims: [channels],
      raw: rawOf(zeros),
    });
    const inputs = [`${name} integers`, `${name} scales`, `${name} zeros`];
    const output = `${name} dequantised`;
    return {
      node: { op: "DequantizeLinear", inputs, outputs: [output], attributes: { axis } },
      output,
    };
  }
}

/** The largest magnitude of each channel, over 127. */
function channelScales(tensor: DraftTensor, axis: number): Float32Array {
  const channels = tensor.dims[axis]!;
  const inner = tensor.dims.slice(axis + 1).reduce((product, d) => product * d, 1);
  const largest = new Float32Array(channels);
  for (const [i, v] of floatsOf(tensor).entries()) {
    const channel = Math.floor(i / inner) % channels;
    largest[channel] = Math.max(largest[channel]!, Math.abs(v));
  }
  return largest.map((v) => Math.max(v, 1e-8) / 127);
}
