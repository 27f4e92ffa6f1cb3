import type { DType } from "../../pipeline/onnx/read-tensor.js";

/**
 * A Paddle inference model as plain values, whichever of its two formats it came in: operators with
 * named inputs and outputs in the terms of `ProgramDesc`, and parameters whose contents stay where
 * they are until they are looked at.
 */

export type AttributeValue =
  number | boolean | string | readonly number[] | readonly boolean[] | readonly string[];

/** Names of variables by the operator's own name for the slot: `Input`, `Filter`, `X`. */
export type Slots = ReadonlyMap<string, readonly string[]>;

export interface Operator {
  /** In the terms of `ProgramDesc`: `conv2d`, `matmul_v2`, `hard_swish`. */
  readonly type: string;
  readonly inputs: Slots;
  readonly outputs: Slots;
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  /** Where it stands, for people: `operator 12 of block 0`. */
  readonly place: string;
}

/** What the file states of a variable; -1 is an open dimension. */
export interface Variable {
  readonly name: string;
  /** Null for what is no tensor: arrays, scopes, feed and fetch lists. */
  readonly dtype: DType | null;
  readonly shape: readonly number[] | null;
  readonly persistable: boolean;
}

export interface Block {
  readonly variables: ReadonlyMap<string, Variable>;
  readonly operators: readonly Operator[];
}

export interface Program {
  readonly format: "ProgramDesc" | "PIR";
  /** The file, named in errors. */
  readonly file: string;
  /** The first is the graph; others are bodies of `while` and `conditional_block`. */
  readonly blocks: readonly Block[];
  /** What must be fed, in order. */
  readonly feeds: readonly Variable[];
  /** What is fetched, in order. */
  readonly fetches: readonly string[];
  /**
   * Persistable variables, sorted by the bytes of their names: the order of the parameters' file.
   */
  readonly parameters: readonly Variable[];
}

/** Paddle's `VarType.Type` (framework.proto) as ONNX Runtime names element types. */
const typeNames: Readonly<Record<number, DType>> = {
  0: "bool",
  1: "int16",
  2: "int32",
  3: "int64",
  4: "float16",
  5: "float32",
  6: "float64",
  20: "uint8",
  21: "int8",
  22: "bfloat16",
};

/** The element type of a number that Paddle writes; null for what no tensor holds. */
export function paddleType(number: number): DType | null {
  return typeNames[number] ?? null;
}

/** `save_combine` sorts names as C++ strings: by bytes, not by letters. */
export function byBytes(a: { readonly name: string }, b: { readonly name: string }): number {
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}
