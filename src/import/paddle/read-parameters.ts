import { UserError, unreadable } from "../../pipeline/errors.js";
import { openRegular } from "../../pipeline/regular-file.js";
import { bytesPerElement, type DType } from "../../pipeline/onnx/read-tensor.js";
import { WireError } from "../../pipeline/onnx/wire.js";
import type { Variable } from "./program.js";
import { parseTensorDesc } from "./read-pdmodel.js";

/**
 * Reads parameters as Paddle's `save_combine` and `save` write them (SerializeToStream in
 * paddle/phi/core/framework/dense_tensor_serialize.cc). Contents stay views into the file's bytes.
 */

export interface Parameter {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Little endian, row-major. */
  readonly raw: Uint8Array;
}

export type Parameters = ReadonlyMap<string, Parameter>;

/** ONNX files end at 2 GiB, so no parameters above it can be taken. */
const largestFile = 2 ** 31 - 1;

/** Bytes of a parameter file. @throws UserError `file-unreadable`, `parameters-unreadable`. */
export async function readBytes(file: string): Promise<Uint8Array> {
  let handle;
  try {
    handle = await openRegular(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    const { size } = await handle.stat();
    if (size > largestFile) {
      throw wrong(file, "more than an ONNX file can hold", "2 GiB at most", `${size} bytes`);
    }
    return await handle.readFile();
  } catch (error) {
    throw error instanceof UserError ? error : unreadable(file, error);
  } finally {
    await handle.close();
  }
}

/**
 * The parameters in a combined file, in the order of `variables` (sorted by bytes of their names).
 * @throws UserError `parameters-unreadable` where the file is cut short, longer, or another
 *   model's.
 */
export function parseCombined(
  bytes: Uint8Array,
  variables: readonly Variable[],
  file: string,
): Parameters {
  const cursor = { at: 0 };
  const found = new Map<string, Parameter>();
  for (const variable of variables) {
    found.set(variable.name, parseParameter(bytes, cursor, variable, file));
  }
  if (cursor.at !== bytes.length) {
    const left = bytes.length - cursor.at;
    throw wrong(
      file,
      "holds more than this model's parameters",
      `${variables.length} parameters, ${cursor.at} bytes`,
      `${left} bytes more`,
    );
  }
  return found;
}

/** Where files are read from, by name. */
interface Files {
  read(name: string): Promise<Uint8Array>;
  pathOf(name: string): string;
}

/**
 * Parameters of one file each, named as they are.
 * @throws UserError naming the file; `parameters-unreadable` for a name that leads elsewhere.
 */
export async function parseSeparate(
  variables: readonly Variable[],
  files: Files,
): Promise<Parameters> {
  const found = new Map<string, Parameter>();
  for (const variable of variables) {
    const file = files.pathOf(variable.name);
    if (/[/\\\0]/.test(variable.name) || variable.name.startsWith("..")) {
      const names = "names of files in this folder";
      throw wrong(file, "a parameter's name leaves the folder", names, variable.name);
    }
    const bytes = await files.read(variable.name);
    const cursor = { at: 0 };
    found.set(variable.name, parseParameter(bytes, cursor, variable, file));
    if (cursor.at !== bytes.length) {
      const extra = `${bytes.length - cursor.at} bytes more`;
      throw wrong(file, "holds more than its parameter", `${cursor.at} bytes`, extra);
    }
  }
  return found;
}

function wrong(file: string, message: string, expected: string, found: string): UserError {
  return new UserError({
    code: "parameters-unreadable",
    message,
    file,
    expected,
    found,
    fix: "take model and parameters from one export, and copy them again",
  });
}

interface Cursor {
  at: number;
}

/**
 * One parameter: version of the tensor, its levels of detail, version of the contents, a
 * TensorDesc with its length, contents.
 */
function parseParameter(
  bytes: Uint8Array,
  cursor: Cursor,
  variable: Variable,
  file: string,
): Parameter {
  const { name } = variable;
  const take = (length: number): DataView => {
    const end = cursor.at + length;
    if (!(end <= bytes.length)) {
      const left = `${bytes.length - cursor.at} left at byte ${cursor.at}`;
      throw wrong(file, `ends inside parameter ${name}`, `${length} bytes`, left);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset + cursor.at, length);
    cursor.at = end;
    return view;
  };
  checkVersion(take(4).getUint32(0, true), name, file);
  const levels = Number(take(8).getBigUint64(0, true));
  if (levels > 8) throw wrong(file, `no parameter ${name} here`, "0 levels", `${levels} levels`);
  for (let level = 0; level < levels; level++) take(Number(take(8).getBigUint64(0, true)));
  checkVersion(take(4).getUint32(0, true), name, file);
  const desc = take(take(4).getInt32(0, true));
  const { dtype, shape } = describedTensor(desc, name, file);
  checkAgainst(variable, dtype, shape, file);
  const elements = shape.reduce((product, d) => product * d, 1);
  const { byteOffset, byteLength } = take(elements * bytesPerElement[dtype]!);
  return { name, dtype, dims: shape, raw: new Uint8Array(bytes.buffer, byteOffset, byteLength) };
}

function checkVersion(version: number, name: string, file: string): void {
  if (version === 0) return;
  throw wrong(file, `no parameter ${name} here`, "version 0", `version ${version}`);
}

function describedTensor(
  { buffer, byteOffset, byteLength }: DataView,
  name: string,
  file: string,
): { dtype: DType; shape: number[] } {
  let desc;
  try {
    desc = parseTensorDesc(new Uint8Array(buffer, byteOffset, byteLength));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw wrong(file, `no parameter ${name} here`, "a tensor's description", error.message);
  }
  const { dtype, shape } = desc;
  if (dtype === null || bytesPerElement[dtype] === undefined || shape.some((d) => d < 0)) {
    throw wrong(file, `no parameter ${name} here`, "an element type and sizes", `[${shape}]`);
  }
  return { dtype, shape };
}

/** Two models of one family differ in their shapes: a mix-up is found at the first that does. */
function checkAgainst(
  variable: Variable,
  dtype: DType,
  shape: readonly number[],
  file: string,
): void {
  const stated = variable.shape;
  const same = stated === null || (stated.length === shape.length && fits(stated, shape));
  if (same && (variable.dtype === null || variable.dtype === dtype)) return;
  throw wrong(
    file,
    `parameter ${variable.name} is another model's`,
    `${variable.dtype ?? "any"} [${stated?.join(", ") ?? "any"}]`,
    `${dtype} [${shape.join(", ")}]`,
  );
}

function fits(stated: readonly number[], shape: readonly number[]): boolean {
  return stated.every((d, i) => d < 0 || d === shape[i]);
}
