import { withExternalData } from "./external-data.js";
import { UserError } from "../errors.js";
import { openRegular } from "../regular-file.js";
import { unreadable } from "../schema.js";
import { dtypeName, parseTensor, type DType, type OnnxTensor } from "./read-tensor.js";
import { WireError, fields, float, integer, integers, message, text } from "./wire.js";

export type { DType, OnnxTensor } from "./read-tensor.js";

/**
 * Reads the structure of an ONNX file without Python and without ONNX Runtime. Field numbers are
 * those of `onnx.proto3` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3). Weights stay
 * where they are: `raw` is a view into the file.
 */

/** A dimension: its size, the name of a symbolic one, or null where the file leaves it open. */
export type Dimension = number | string | null;

export interface ValueInfo {
  readonly name: string;
  /** Null for sequences, maps and values without a type. */
  readonly dtype: DType | null;
  /** Null where the file does not even state the rank. */
  readonly shape: readonly Dimension[] | null;
  readonly bytes: Uint8Array;
}

export interface Attribute {
  readonly i?: number;
  readonly f?: number;
  readonly ints?: readonly number[];
  readonly tensor?: OnnxTensor;
  readonly graphs: readonly OnnxGraph[];
}

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly bytes: Uint8Array;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  /** What must be fed: initializers that old exporters list among the inputs are left out. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly sparseInitializers: number;
}

export interface OnnxModel {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly irVersion: number;
  readonly producer: string;
  readonly producerVersion: string;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: OnnxGraph;
  /** Model-local functions: operators that the file defines itself. */
  readonly functions: readonly string[];
}

/** Protocol Buffers' own limit: no ONNX file is larger, weights outside it aside. */
const largestFile = 2 ** 31 - 1;

/**
 * Reads an ONNX file's bytes and structure, weights in other files taken in.
 * @throws UserError `file-unreadable`, `onnx-unreadable` for anything that is not a whole ONNX
 * model, `onnx-external-data` as `withExternalData`.
 */
export async function readOnnx(file: string): Promise<OnnxModel> {
  const model = parseOnnx(await readModelBytes(file), file);
  return hasExternalData(model) ? parseOnnx(withExternalData(model.bytes, file), file) : model;
}

/** Whether a model keeps weights in other files. */
export function hasExternalData({ graph }: OnnxModel): boolean {
  const within = (g: OnnxGraph): boolean =>
    [...g.initializers.values()].some((t) => t.external !== null) ||
    g.nodes.some((n) =>
      [...n.attributes.values()].some(
        (a) => (a.tensor?.external ?? null) !== null || a.graphs.some(within),
      ),
    );
  return within(graph);
}

/** The bytes of a model file, refused when empty, a folder, or over Protocol Buffers' 2 GiB. */
async function readModelBytes(file: string): Promise<Uint8Array> {
  let handle;
  try {
    handle = await openRegular(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    const { size } = await handle.stat();
    if (size > largestFile)
      throw notOnnx(
        file,
        `a file of ${size} bytes`,
        "an ONNX file holds 2 GiB at most; this is something else",
      );
    return await handle.readFile();
  } catch (error) {
    throw error instanceof UserError ? error : unreadable(file, error);
  } finally {
    await handle.close();
  }
}

/** The same for bytes at hand; `file` is only named in errors. */
export function parseOnnx(bytes: Uint8Array, file: string): OnnxModel {
  const known = whatElse(bytes);
  if (known) throw notOnnx(file, known.found, known.fix);
  let model: OnnxModel;
  try {
    model = parseModel(bytes, file);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw notOnnx(
      file,
      error.message,
      "copy or export the file again; if it came by git, run git lfs pull",
    );
  }
  if (model.irVersion === 0 || model.opsets.length === 0 || model.graph.outputs.length === 0) {
    throw notOnnx(
      file,
      "no graph with outputs and an operator set",
      "copy or export the file again: it is cut short or is something else",
    );
  }
  return model;
}

function notOnnx(file: string, found: string, fix: string): UserError {
  return new UserError({
    code: "onnx-unreadable",
    message: "is not a whole ONNX model",
    file,
    expected: "an ONNX protobuf (ModelProto)",
    found,
    fix,
  });
}

/** Says what a file is that people mistake for a model. */
function whatElse(bytes: Uint8Array): { found: string; fix: string } | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096));
  const start = head.toString("latin1");
  if (bytes.length === 0) return { found: "an empty file", fix: "copy or export the file again" };
  if (start.startsWith("version https://git-lfs"))
    return { found: "a Git LFS pointer, not the file itself", fix: "run git lfs pull" };
  if (start.startsWith("PK\x03\x04"))
    return {
      found: "a zip archive (PyTorch checkpoint?)",
      fix: "export the model with torch.onnx.export",
    };
  if (start.startsWith("\x1f\x8b")) return { found: "a gzip file", fix: "unpack it first" };
  if (start.startsWith("\x89HDF"))
    return { found: "an HDF5 file (Keras?)", fix: "convert it with tf2onnx" };
  if (start.slice(4, 8) === "TFL3")
    return { found: "a TensorFlow Lite model", fix: "convert it with tf2onnx --tflite" };
  if (start.slice(4, 8) === "ORTM")
    return { found: "an ORT-format model", fix: "give the .onnx file that it was made from" };
  if (
    head.length >= 16 &&
    !head.includes(0) &&
    head.every((b) => b === 9 || b === 10 || b === 13 || b >= 32)
  )
    return { found: "a text file", fix: "give the .onnx file" };
  return null;
}

function parseModel(bytes: Uint8Array, file: string): OnnxModel {
  let irVersion = 0;
  let producer = "";
  let producerVersion = "";
  const opsets: { domain: string; version: number }[] = [];
  const graphs: Uint8Array[] = [];
  const functions: string[] = [];
  for (const field of fields(bytes)) {
    if (field.number === 1) irVersion = integer(field);
    else if (field.number === 2) producer = text(field);
    else if (field.number === 3) producerVersion = text(field);
    else if (field.number === 7) graphs.push(message(field));
    else if (field.number === 8) opsets.push(parseOpset(message(field)));
    else if (field.number === 25) functions.push(functionName(message(field)));
  }
  // Protocol Buffers merges a message that occurs twice, field by field; `exposeShapes` relies on
  // it.
  return {
    file,
    bytes,
    irVersion,
    producer,
    producerVersion,
    opsets,
    graph: parseGraph(graphs, 0),
    functions,
  };
}

function parseOpset(bytes: Uint8Array): { domain: string; version: number } {
  let domain = "";
  let version = 0;
  for (const field of fields(bytes)) {
    if (field.number === 1) domain = text(field);
    else if (field.number === 2) version = integer(field);
  }
  return { domain, version };
}

function functionName(bytes: Uint8Array): string {
  for (const field of fields(bytes)) if (field.number === 1) return text(field);
  return "";
}

function parseGraph(parts: readonly Uint8Array[], depth: number): OnnxGraph {
  if (depth > 32) throw new WireError("graphs nested more than 32 deep");
  let name = "";
  let sparseInitializers = 0;
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  for (const part of parts) {
    for (const field of fields(part)) {
      if (field.number === 1) nodes.push(parseNode(message(field), depth));
      else if (field.number === 2) name = text(field);
      else if (field.number === 5) {
        const tensor = parseTensor(message(field));
        initializers.set(tensor.name, tensor);
      } else if (field.number === 11) inputs.push(parseValueInfo(message(field)));
      else if (field.number === 12) outputs.push(parseValueInfo(message(field)));
      else if (field.number === 15) sparseInitializers++;
    }
  }
  return {
    name,
    nodes,
    initializers,
    inputs: inputs.filter((i) => !initializers.has(i.name)),
    outputs,
    sparseInitializers,
  };
}

function parseNode(bytes: Uint8Array, depth: number): OnnxNode {
  let name = "";
  let op = "";
  let domain = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  for (const field of fields(bytes)) {
    if (field.number === 1) inputs.push(text(field));
    else if (field.number === 2) outputs.push(text(field));
    else if (field.number === 3) name = text(field);
    else if (field.number === 4) op = text(field);
    else if (field.number === 5) {
      const { key, attribute } = parseAttribute(message(field), depth);
      attributes.set(key, attribute);
    } else if (field.number === 7) domain = text(field);
  }
  return {
    name,
    op,
    domain: domain === "ai.onnx" ? "" : domain,
    inputs,
    outputs,
    attributes,
    bytes,
  };
}

function parseAttribute(bytes: Uint8Array, depth: number): { key: string; attribute: Attribute } {
  let key = "";
  const ints: number[] = [];
  const graphs: OnnxGraph[] = [];
  const found: { i?: number; f?: number; tensor?: OnnxTensor } = {};
  for (const field of fields(bytes)) {
    if (field.number === 1) key = text(field);
    else if (field.number === 2) found.f = float(field);
    else if (field.number === 3) found.i = integer(field);
    else if (field.number === 5) found.tensor = parseTensor(message(field));
    else if (field.number === 6 || field.number === 11)
      graphs.push(parseGraph([message(field)], depth + 1));
    else if (field.number === 8) integers(field, ints);
  }
  return { key, attribute: { ...found, ...(ints.length > 0 && { ints }), graphs } };
}

function parseValueInfo(bytes: Uint8Array): ValueInfo {
  let name = "";
  let dtype: DType | null = null;
  let shape: Dimension[] | null = null;
  for (const field of fields(bytes)) {
    if (field.number === 1) name = text(field);
    else if (field.number === 2) {
      for (const type of fields(message(field))) {
        if (type.number !== 1) continue; // sequences, maps and optionals keep a null type
        for (const part of fields(message(type))) {
          if (part.number === 1) dtype = dtypeName(integer(part));
          else if (part.number === 2) shape = parseShape(message(part));
        }
      }
    }
  }
  return { name, dtype, shape, bytes };
}

function parseShape(bytes: Uint8Array): Dimension[] {
  const shape: Dimension[] = [];
  for (const field of fields(bytes)) {
    if (field.number !== 1) continue;
    let size: Dimension = null;
    for (const part of fields(message(field))) {
      if (part.number === 1)
        size = integer(part) > 0 ? integer(part) : null; // Paddle writes -1 for an open dimension
      else if (part.number === 2 && text(part) !== "") size = text(part);
    }
    shape.push(size);
  }
  return shape;
}
