import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  bytesField,
  concatBytes,
  floatField,
  integerField,
} from "../../../src/pipeline/onnx/wire.js";

/**
 * Builds small ONNX models from parts, so that tests need no binary fixtures. ONNX Runtime is what
 * says whether they are valid.
 */

export type Data = Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

const typeNumbers = {
  ...{ float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 },
} as const;
export type BuilderType = keyof typeof typeNumbers;

function typeOf(data: Data): BuilderType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Int8Array) return "int8";
  if (data instanceof Uint8Array) return "uint8";
  return data instanceof Int32Array ? "int32" : "int64";
}

/** A TensorProto with raw contents. */
export function tensor(name: string, dims: readonly number[], data: Data): Uint8Array {
  return concatBytes([
    ...dims.map((d) => integerField(1, d)),
    integerField(2, typeNumbers[typeOf(data)]),
    bytesField(8, name),
    bytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}

/** Floats 0.01, 0.02 … of a shape: something that is not zero. */
export function floats(...dims: number[]): Float32Array {
  return Float32Array.from(
    { length: dims.reduce((n, d) => n * d, 1) },
    (_, i) => ((i % 50) + 1) / 100,
  );
}

/** A TensorProto of `floats`. */
export function weights(name: string, ...dims: number[]): Uint8Array {
  return tensor(name, dims, floats(...dims));
}

/** A ValueInfoProto; a string is a symbolic dimension. No shape at all where it is left out. */
export function value(
  name: string,
  type: BuilderType,
  shape?: readonly (number | string)[],
): Uint8Array {
  const dims = shape?.map((d) =>
    bytesField(1, typeof d === "number" ? integerField(1, d) : bytesField(2, d)),
  );
  return concatBytes([
    bytesField(1, name),
    bytesField(
      2,
      bytesField(1, [integerField(1, typeNumbers[type]), ...(dims ? [bytesField(2, dims)] : [])]),
    ),
  ]);
}

export type AttributeValue =
  | number
  | { readonly float: number }
  | readonly number[]
  | { readonly tensor: Uint8Array }
  | { readonly graph: Uint8Array }
  | { readonly text: string };

/** A NodeProto. Attributes: a number is an int, a list ints. */
export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  domain = "",
): Uint8Array {
  return concatBytes([
    ...inputs.map((name) => bytesField(1, name)),
    ...outputs.map((name) => bytesField(2, name)),
    bytesField(4, op),
    ...Object.entries(attributes).map(([key, v]) =>
      bytesField(5, [bytesField(1, key), attribute(v)]),
    ),
    ...(domain === "" ? [] : [bytesField(7, domain)]),
  ]);
}

function attribute(v: AttributeValue): Uint8Array {
  if (typeof v === "number") return concatBytes([integerField(3, v), integerField(20, 2)]);
  if ("float" in v) return concatBytes([floatField(2, v.float), integerField(20, 1)]);
  if ("tensor" in v) return concatBytes([bytesField(5, v.tensor), integerField(20, 4)]);
  if ("graph" in v) return concatBytes([bytesField(6, v.graph), integerField(20, 5)]);
  if ("text" in v) return concatBytes([bytesField(4, v.text), integerField(20, 3)]);
  return concatBytes([
    ...(v as readonly number[]).map((n) => integerField(8, n)),
    integerField(20, 7),
  ]);
}

export interface GraphParts {
  readonly nodes: readonly Uint8Array[];
  readonly inputs?: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
  readonly initializers?: readonly Uint8Array[];
}

export function graph({ nodes, inputs = [], outputs, initializers = [] }: GraphParts): Uint8Array {
  return concatBytes([
    ...nodes.map((n) => bytesField(1, n)),
    bytesField(2, "g"),
    ...initializers.map((t) => bytesField(5, t)),
    ...inputs.map((i) => bytesField(11, i)),
    ...outputs.map((o) => bytesField(12, o)),
  ]);
}

/** A ModelProto at opset 13. */
export function model(parts: GraphParts, opset = 13): Uint8Array {
  return concatBytes([
    integerField(1, 8),
    bytesField(2, "onnx-builder"),
    bytesField(7, graph(parts)),
    bytesField(8, integerField(2, opset)),
  ]);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export const plainInput = "scale: 1/255, mean: [0, 0, 0], std: [1, 1, 1], interpolation: linear";

/**
 * Writes NAME.onnx and NAME.yaml into a folder; `rest` are the card's lines for its task, input
 * included. Returns the card's path.
 */
export function writeModel(folder: string, name: string, bytes: Uint8Array, rest: string): string {
  writeFileSync(join(folder, `${name}.onnx`), bytes);
  const card = join(folder, `${name}.yaml`);
  writeFileSync(
    card,
    `schema: 1\nname: ${name}\nversion: "1"\nfile: ${name}.onnx\nsha256: ` +
      `"${sha256(bytes)}"\nlicence: CC0-1.0\norigin: built by a test\n${rest}\n`,
  );
  return card;
}
