import { UserError } from "../../pipeline/errors.js";
import {
  WireError,
  fields,
  float,
  integer,
  integers,
  message,
  text,
  type Field,
} from "../../pipeline/onnx/wire.js";
import {
  byBytes,
  paddleType,
  type AttributeValue,
  type Block,
  type Operator,
  type Program,
  type Variable,
} from "./program.js";

/**
 * Reads `inference.pdmodel`: a `ProgramDesc` of Paddle's framework.proto
 * (https://github.com/PaddlePaddle/Paddle, paddle/fluid/framework/framework.proto).
 */

/** `VarType.Type` of variables that hold no parameter. */
const feedList = 9;
const fetchList = 10;

/** @throws UserError `paddle-unreadable` where the bytes are no ProgramDesc. */
export function parsePdmodel(bytes: Uint8Array, file: string): Program {
  let blocks: Block[];
  try {
    blocks = [...fields(bytes)]
      .filter((field) => field.number === 1)
      .map((field, index) => parseBlock(message(field), index));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw unreadableModel(file, error.message);
  }
  const main = blocks[0];
  if (!main) throw unreadableModel(file, "no block of operators");
  if (main.operators.length === 0) throw unreadableModel(file, "a graph without operators");
  const parameters = [...main.variables.values()].filter((v) => v.persistable).sort(byBytes);
  return {
    format: "ProgramDesc",
    file,
    blocks,
    feeds: feedsOf(main),
    fetches: fetchesOf(main),
    parameters,
  };
}

function unreadableModel(file: string, found: string): UserError {
  return new UserError({
    code: "paddle-unreadable",
    message: "is not a whole Paddle inference model",
    file,
    expected: "a ProgramDesc protobuf, as paddle.jit.save writes it",
    found,
    fix: "copy or export the file again",
  });
}

function feedsOf(block: Block): Variable[] {
  const feeds = block.operators.filter((op) => op.type === "feed");
  const ordered = [...feeds].sort((a, b) => columnOf(a) - columnOf(b));
  return ordered.flatMap((op) => {
    const name = op.outputs.get("Out")?.[0] ?? "";
    const variable = block.variables.get(name);
    return [variable ?? { name, dtype: null, shape: null, persistable: false }];
  });
}

function fetchesOf(block: Block): string[] {
  const fetches = block.operators.filter((op) => op.type === "fetch");
  const ordered = [...fetches].sort((a, b) => columnOf(a) - columnOf(b));
  return ordered.map((op) => op.inputs.get("X")?.[0] ?? "");
}

function columnOf(operator: Operator): number {
  const column = operator.attributes.get("col");
  return typeof column === "number" ? column : 0;
}

function parseBlock(bytes: Uint8Array, index: number): Block {
  const variables = new Map<string, Variable>();
  const operators: Operator[] = [];
  for (const field of fields(bytes)) {
    if (field.number === 3) {
      const variable = parseVariable(message(field));
      variables.set(variable.name, variable);
    } else if (field.number === 4) {
      const place = `operator ${operators.length} of block ${index}`;
      operators.push(parseOperator(message(field), place));
    }
  }
  return { variables, operators };
}

interface VariableType {
  readonly kind: number;
  readonly dtype: Variable["dtype"];
  readonly shape: Variable["shape"];
}

function parseVariable(bytes: Uint8Array): Variable {
  let name = "";
  let persistable = false;
  let type: VariableType = { kind: 0, dtype: null, shape: null };
  for (const field of fields(bytes)) {
    if (field.number === 1) name = text(field);
    else if (field.number === 2) type = parseType(message(field));
    else if (field.number === 3) persistable = integer(field) !== 0;
  }
  const list = type.kind === feedList || type.kind === fetchList;
  return { name, dtype: type.dtype, shape: type.shape, persistable: persistable && !list };
}

/** A `VarType`: only LoDTensor (field 3) states what a tensor is. */
function parseType(bytes: Uint8Array): VariableType {
  let kind = 0;
  let tensor: Pick<Variable, "dtype" | "shape"> = { dtype: null, shape: null };
  for (const field of fields(bytes)) {
    if (field.number === 1) kind = integer(field);
    if (field.number !== 3) continue;
    for (const part of fields(message(field))) {
      if (part.number === 1) tensor = parseTensorDesc(message(part));
    }
  }
  return { kind, ...tensor };
}

/** A `TensorDesc`: element type and dims (not packed). Also the head of each saved parameter. */
export function parseTensorDesc(bytes: Uint8Array): Pick<Variable, "dtype"> & { shape: number[] } {
  let dtype: Variable["dtype"] = null;
  const shape: number[] = [];
  for (const field of fields(bytes)) {
    if (field.number === 1) dtype = paddleType(integer(field));
    else if (field.number === 2) integers(field, shape);
  }
  return { dtype, shape };
}

function parseOperator(bytes: Uint8Array, place: string): Operator {
  const inputs = new Map<string, string[]>();
  const outputs = new Map<string, string[]>();
  const attributes = new Map<string, AttributeValue>();
  let type = "";
  for (const field of fields(bytes)) {
    if (field.number === 1) addSlot(message(field), inputs);
    else if (field.number === 2) addSlot(message(field), outputs);
    else if (field.number === 3) type = text(field);
    else if (field.number === 4) addAttribute(message(field), attributes);
  }
  return { type, inputs, outputs, attributes, place };
}

/** An `OpDesc.Var`: the slot's name and the variables in it. */
function addSlot(bytes: Uint8Array, into: Map<string, string[]>): void {
  let slot = "";
  const names: string[] = [];
  for (const field of fields(bytes)) {
    if (field.number === 1) slot = text(field);
    else if (field.number === 2) names.push(text(field));
  }
  into.set(slot, names);
}

/** What an `OpDesc.Attr` holds, list by list, before its type says which of them counts. */
class AttributeParts {
  readonly numbers: number[] = [];
  readonly texts: string[] = [];

  add(field: Field): void {
    const read = scalarReaders[field.number];
    if (read) this.numbers.push(read(field));
    else if (field.number === 5 || field.number === 8) this.texts.push(textOrBytes(field));
    else if (integerLists.has(field.number)) integers(field, this.numbers);
    else if (field.number === 7) addFloats(field, 4, this.numbers);
    else if (field.number === 16) addFloats(field, 8, this.numbers);
    else if (field.number === 20 || field.number === 21) this.numbers.push(scalarOf(field));
  }
}

/** Fields with one number: i, f, b, block_idx, l, float64. */
const scalarReaders: Readonly<Record<number, (field: Field) => number>> = {
  3: integer,
  4: float,
  10: integer,
  12: integer,
  13: integer,
  19: double,
};

/** ints, bools, blocks_idx, longs. */
const integerLists = new Set([6, 11, 14, 15]);

/** `AttrType`: which are lists, of what; what is not named is one number. */
const attributeTypes: Readonly<Record<number, (parts: AttributeParts) => AttributeValue>> = {
  2: (parts) => parts.texts[0] ?? "",
  3: (parts) => parts.numbers,
  4: (parts) => parts.numbers,
  5: (parts) => parts.texts,
  6: (parts) => parts.numbers[0] === 1,
  7: (parts) => parts.numbers.map((n) => n === 1),
  10: (parts) => parts.numbers,
  11: (parts) => parts.numbers,
  12: (parts) => parts.numbers,
  17: (parts) => parts.numbers,
};

function addAttribute(bytes: Uint8Array, into: Map<string, AttributeValue>): void {
  let name = "";
  let type = 0;
  const parts = new AttributeParts();
  for (const field of fields(bytes)) {
    if (field.number === 1) name = text(field);
    else if (field.number === 2) type = integer(field);
    else parts.add(field);
  }
  into.set(name, attributeTypes[type]?.(parts) ?? parts.numbers[0] ?? 0);
}

/** A `Scalar` message: its boolean, long or double. */
function scalarOf(field: Field): number {
  let value = 0;
  for (const part of fields(message(field))) {
    if (part.number === 2 || part.number === 3) value = integer(part);
    else if (part.number === 4) value = double(part);
  }
  return value;
}

/** Call stacks and the like may hold any bytes; nothing of ours hangs on them. */
function textOrBytes(field: Field): string {
  return Buffer.from(message(field)).toString("utf8");
}

function double(field: Field): number {
  if (field.bytes.length !== 8) throw new WireError(`field ${field.number} is not a double`);
  return new DataView(field.bytes.buffer, field.bytes.byteOffset, 8).getFloat64(0, true);
}

/** A `repeated float` or `double`, packed or not. */
function addFloats({ number, bytes }: Field, width: 4 | 8, into: number[]): void {
  if (bytes.length % width !== 0) throw new WireError(`field ${number} is cut short`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += width) {
    into.push(width === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true));
  }
}
