import { writeAtomic } from "../atomic-file.js";
import { bytesPerElement, dtypeNumber, type DType } from "./read-tensor.js";
import { bytesField, bytesFieldHead, concatBytes, floatField, integerField } from "./wire.js";

/**
 * Writes ONNX models: a graph as plain values in, protobuf bytes out. Contents of tensors are never
 * copied: the message is a list of parts, the weights among them as they came. Field numbers are
 * those of `onnx.proto3`.
 */

/** A constant: its contents little endian and row-major, as ONNX's `raw_data`. */
export interface DraftTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly raw: Uint8Array;
}

/** An input or output. A string is a symbolic dimension; a shape of null leaves the rank open. */
export interface DraftValue {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[] | null;
}

/** An attribute by its ONNX type; a plain number is an int, a plain list ints. */
export type DraftAttribute =
  | number
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly text: string }
  | { readonly tensor: DraftTensor }
  | { readonly graph: DraftGraph };

export interface DraftNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, DraftAttribute>>;
}

export interface DraftGraph {
  readonly name: string;
  readonly nodes: readonly DraftNode[];
  readonly inputs: readonly DraftValue[];
  readonly outputs: readonly DraftValue[];
  readonly initializers: readonly DraftTensor[];
}

export interface DraftModel {
  readonly graph: DraftGraph;
  /** Of ONNX's own operators. */
  readonly opset: number;
  readonly producer: string;
  /** 8 unless said: what every ONNX Runtime since 1.10 reads. */
  readonly irVersion?: number;
}

/**
 * The bytes of typed data, as `raw` wants them (typed arrays are little endian on every platform of
 * ours).
 */
export function rawOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A float32 constant. */
export function floatTensor(
  name: string,
  dims: readonly number[],
  data: Float32Array,
): DraftTensor {
  return { name, dtype: "float32", dims, raw: rawOf(data) };
}

/** An int64 constant: shapes, axes, indices. No dims: a vector. */
export function intTensor(
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): DraftTensor {
  return { name, dtype: "int64", dims, raw: rawOf(BigInt64Array.from(values, BigInt)) };
}

/**
 * Writes a model whole or not at all.
 * @throws RangeError for a tensor whose contents do not fill its shape, UserError `write-failed`.
 */
export async function writeOnnx(file: string, model: DraftModel): Promise<void> {
  await writeAtomic(file, modelParts(model));
}

/** A model's bytes, as parts to be written one after the other. */
export function modelParts(model: DraftModel): Uint8Array[] {
  return [
    integerField(1, model.irVersion ?? 8),
    bytesField(2, model.producer),
    ...nested(7, graphParts(model.graph)),
    bytesField(8, integerField(2, model.opset)),
  ];
}

/** One constant as a TensorProto, for graphs that are edited. */
export function tensorMessage(tensor: DraftTensor): Uint8Array {
  return concatBytes(tensorParts(tensor));
}

/** One node as a NodeProto. */
export function nodeMessage(node: DraftNode): Uint8Array {
  return concatBytes(nodeParts(node));
}

function graphParts(graph: DraftGraph): Uint8Array[] {
  return [
    ...graph.nodes.flatMap((node) => nested(1, nodeParts(node))),
    bytesField(2, graph.name),
    ...graph.initializers.flatMap((tensor) => nested(5, tensorParts(tensor))),
    ...graph.inputs.map((value) => bytesField(11, valueParts(value))),
    ...graph.outputs.map((value) => bytesField(12, valueParts(value))),
  ];
}

function nodeParts(node: DraftNode): Uint8Array[] {
  const attributes = Object.entries(node.attributes ?? {});
  return [
    ...node.inputs.map((name) => bytesField(1, name)),
    ...node.outputs.map((name) => bytesField(2, name)),
    ...(node.name === undefined ? [] : [bytesField(3, node.name)]),
    bytesField(4, node.op),
    ...attributes.flatMap(([key, value]) =>
      nested(5, [bytesField(1, key), ...attributeParts(value)]),
    ),
    ...(node.domain === undefined ? [] : [bytesField(7, node.domain)]),
  ];
}

/** AttributeProto.type, and the field that holds the value. */
function attributeParts(value: DraftAttribute): Uint8Array[] {
  const typed = (type: number, parts: Uint8Array[]) => [...parts, integerField(20, type)];
  if (typeof value === "number") return typed(2, [integerField(3, value)]);
  if ("float" in value) return typed(1, [floatField(2, value.float)]);
  if ("floats" in value)
    return typed(
      6,
      value.floats.map((v) => floatField(7, v)),
    );
  if ("text" in value) return typed(3, [bytesField(4, value.text)]);
  if ("tensor" in value) return typed(4, nested(5, tensorParts(value.tensor)));
  if ("graph" in value) return typed(5, nested(6, graphParts(value.graph)));
  return typed(
    7,
    value.map((v) => integerField(8, v)),
  );
}

function tensorParts({ name, dtype, dims, raw }: DraftTensor): Uint8Array[] {
  const width = bytesPerElement[dtype];
  const elements = dims.reduce((product, d) => product * d, 1);
  if (width === undefined || elements * width !== raw.length) {
    throw new RangeError(
      `tensor ${name}: [${dims.join(", ")}] of ${dtype} is not ${raw.length} bytes`,
    );
  }
  return [
    ...dims.map((d) => integerField(1, d)),
    integerField(2, dtypeNumber(dtype)),
    bytesField(8, name),
    bytesFieldHead(9, raw.length),
    raw,
  ];
}

function valueParts({ name, dtype, shape }: DraftValue): Uint8Array[] {
  const dims = (shape ?? []).map((d) =>
    bytesField(1, typeof d === "number" ? integerField(1, d) : bytesField(2, d)),
  );
  const type = [
    integerField(1, dtypeNumber(dtype)),
    ...(shape === null ? [] : [bytesField(2, dims)]),
  ];
  return [bytesField(1, name), bytesField(2, bytesField(1, type))];
}

/** A nested message without joining its parts. */
function nested(number: number, parts: readonly Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [bytesFieldHead(number, length), ...parts];
}
