import type { DraftNode, DraftTensor } from "../../../pipeline/onnx/write-model.js";
import { elementsOf, numbersOf, rawOfNumbers } from "../values.js";
import { floatAttribute, wholeNumber, type PassGraph } from "./graph.js";

/**
 * Takes what follows a convolution into its weights and bias: an addition of one number a channel,
 * and batch normalisation (scale / sqrt(variance + epsilon) is a factor a channel). The convolution
 * must be read by nothing else. Factors are computed in double precision.
 */
export function foldIntoConvolutions(
  graph: PassGraph,
  { keepNorms }: { keepNorms: boolean },
): void {
  const readers = graph.readers();
  const producers = new Map<string, DraftNode>();
  const dropped = new Set<DraftNode>();
  const nodes = graph.nodes.map((node) => {
    const found = followerOf(graph, producers, node, keepNorms);
    const alone = found && readers.get(found.convolution.outputs[0]!) === 1;
    const merged = alone ? merge(graph, found, node.outputs) : null;
    if (merged && found) dropped.add(found.convolution);
    const made = merged ?? node;
    for (const output of made.outputs) producers.set(output, made);
    return made;
  });
  graph.nodes = nodes.filter((node) => !dropped.has(node));
}

interface Follower {
  readonly convolution: DraftNode;
  readonly channels: number;
  /** out = factor * convolution + shift, a channel. */
  readonly factor: readonly number[] | null;
  readonly shift: readonly number[];
}

function followerOf(
  graph: PassGraph,
  producers: ReadonlyMap<string, DraftNode>,
  node: DraftNode,
  keepNorms: boolean,
): Follower | null {
  if (node.op === "Add") return additionOf(graph, producers, node);
  if (node.op === "BatchNormalization" && !keepNorms) return normOf(graph, producers, node);
  return null;
}

function convolutionBehind(
  graph: PassGraph,
  producers: ReadonlyMap<string, DraftNode>,
  value: string,
): { convolution: DraftNode; channels: number } | null {
  const convolution = producers.get(value);
  if (convolution?.op !== "Conv" && convolution?.op !== "ConvTranspose") return null;
  const weights = graph.initializers.get(convolution.inputs[1]!);
  if (weights?.dtype !== "float32") return null;
  const group = wholeNumber(convolution, "group") ?? 1;
  const channels = convolution.op === "Conv" ? weights.dims[0]! : weights.dims[1]! * group;
  return { convolution, channels };
}

function additionOf(
  graph: PassGraph,
  producers: ReadonlyMap<string, DraftNode>,
  node: DraftNode,
): Follower | null {
  for (const [value, other] of [node.inputs, [...node.inputs].reverse()]) {
    const behind = convolutionBehind(graph, producers, value!);
    const tensor = graph.initializers.get(other!);
    if (behind && tensor && isChannelwise(tensor, behind.channels)) {
      return { ...behind, factor: null, shift: floats(tensor) };
    }
  }
  return null;
}

/** [C, 1, 1] or [1, C, 1, 1] of float32. */
function isChannelwise({ dtype, dims }: DraftTensor, channels: number): boolean {
  const shape = dims.length === 4 && dims[0] === 1 ? dims.slice(1) : dims;
  const [c, height, width] = shape;
  return dtype === "float32" && shape.length === 3 && c === channels && height === 1 && width === 1;
}

function normOf(
  graph: PassGraph,
  producers: ReadonlyMap<string, DraftNode>,
  node: DraftNode,
): Follower | null {
  const [x = "", ...names] = node.inputs;
  const behind = convolutionBehind(graph, producers, x);
  const tensors = names.map((name) => graph.initializers.get(name));
  if (!behind || tensors.some((t) => t?.dtype !== "float32")) return null;
  const [scale, bias, mean, variance] = tensors.map((t) => floats(t!)) as [
    number[],
    number[],
    number[],
    number[],
  ];
  if (scale.length !== behind.channels) return null;
  const epsilon = floatAttribute(node, "epsilon", 1e-5);
  const factor = scale.map((s, c) => s / Math.sqrt(variance[c]! + epsilon));
  const shift = bias.map((b, c) => b - mean[c]! * factor[c]!);
  return { ...behind, factor, shift };
}

function floats(tensor: DraftTensor): number[] {
  return numbersOf("float32", tensor.raw)!;
}

/** The convolution with new weights and bias, making what its follower made. */
function merge(
  graph: PassGraph,
  { convolution, channels, factor, shift }: Follower,
  outputs: readonly string[],
): DraftNode | null {
  const [x = "", weightsName = "", biasName] = convolution.inputs;
  const weights = graph.initializers.get(weightsName)!;
  const old = biasName === undefined ? null : graph.initializers.get(biasName);
  if (old === undefined) return null;
  const before = old ? floats(old) : Array<number>(channels).fill(0);
  const bias = shift.map((s, c) => s + before[c]! * (factor?.[c] ?? 1));
  const wanted = biasName ?? `${weightsName}.bias`;
  const biased = add(graph, wanted, [channels], rawOfNumbers("float32", bias));
  const scaled = factor ? scaledWeights(graph, convolution, weights, factor) : weightsName;
  return { ...convolution, inputs: [x, scaled, biased], outputs };
}

function scaledWeights(
  graph: PassGraph,
  convolution: DraftNode,
  weights: DraftTensor,
  factor: readonly number[],
): string {
  const source = new Float32Array(weights.raw.slice().buffer);
  const perChannel = channelPicker(convolution, weights);
  const scaled = new Float32Array(source.length);
  for (let i = 0; i < source.length; i++) scaled[i] = source[i]! * factor[perChannel(i)]!;
  const raw = new Uint8Array(scaled.buffer);
  return add(graph, weights.name, weights.dims, raw);
}

/** Which output channel an element of the weights belongs to. */
function channelPicker(convolution: DraftNode, { dims }: DraftTensor): (i: number) => number {
  if (convolution.op === "Conv") {
    const row = elementsOf(dims.slice(1));
    return (i) => Math.floor(i / row);
  }
  // Transposed: [C in, C out / group, ...]; the group is that of the input channel.
  const group = wholeNumber(convolution, "group") ?? 1;
  const kernel = elementsOf(dims.slice(2));
  const [inputs = 1, perGroup = 1] = dims;
  return (i) => {
    const channel = Math.floor(i / kernel) % perGroup;
    const input = Math.floor(i / (kernel * perGroup));
    return Math.floor((input * group) / inputs) * perGroup + channel;
  };
}

function add(graph: PassGraph, wanted: string, dims: readonly number[], raw: Uint8Array): string {
  let name = wanted;
  for (let n = 1; graph.initializers.has(name); n++) name = `${wanted}.folded${n}`;
  graph.initializers.set(name, { name, dtype: "float32", dims, raw });
  return name;
}
