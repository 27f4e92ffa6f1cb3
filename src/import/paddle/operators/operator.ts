import type { Attributes } from "../../graph/builder.js";
import { signature, type Signature } from "../signature.js";
import type { Call } from "./call.js";

/** What an operator makes: the value of its one output, or values by slot. */
export type Made = string | Readonly<Record<string, string | readonly string[]>>;

/** One row of the table of operators. */
export interface Entry {
  /** PIR's names of the same operator, each with its operands' slots. */
  readonly pir: Readonly<Record<string, PirForm>>;
  /** What of it cannot come along, for the documentation; empty where all of it can. */
  readonly limits?: string;
  readonly emit: (call: Call) => Made;
}

export type Family = Readonly<Record<string, Entry>>;

/** Slots of PIR's operands and results (see `signature`), and its names of attributes. */
export type PirForm = readonly [
  inputs: string,
  outputs: string,
  renames?: Readonly<Record<string, string>>,
];

export function signaturesOf(
  type: string,
  pir: Readonly<Record<string, PirForm>>,
): [string, Signature][] {
  return Object.entries(pir).map(([name, [inputs, outputs, renames]]) => [
    name,
    signature(type, inputs, outputs, renames),
  ]);
}

/** An operator of one input that is one ONNX operator. */
export function unary(pir: string, op: string, attributes: Attributes = {}): Entry {
  return {
    pir: { [pir]: ["X", "Out"] },
    emit: (call) => call.node(op, [call.input("X")], attributes),
  };
}
