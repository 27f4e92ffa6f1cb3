// operators/: a foreign operator with its attributes in; nodes of the graph that is built out. It
// never sees files.
import type { Signature } from "../signature.js";
import { activations } from "./activations.js";
import { constants } from "./constants.js";
import { convolutions } from "./convolution.js";
import { elementwise } from "./elementwise.js";
import { indexing } from "./indexing.js";
import { normalization } from "./normalization.js";
import { signaturesOf, type Entry, type Family, type PirForm } from "./operator.js";
import { pooling } from "./pooling.js";
import { products } from "./products.js";
import { quantization } from "./quantization.js";
import { suppression } from "./suppression.js";
import { boxes } from "./boxes.js";
import { reductions } from "./reductions.js";
import { resizing } from "./resizing.js";
import { shapes } from "./shapes.js";

/** The operators that can be imported, by family. To add one, add a row to its family's file. */
export const families: Readonly<Record<string, Family>> = {
  convolution: convolutions,
  normalization,
  activation: activations,
  elementwise,
  pooling,
  product: products,
  reduction: reductions,
  shape: shapes,
  index: indexing,
  resize: resizing,
  constant: constants,
  quantization,
  boxes,
  suppression,
};

const entries = new Map<string, Entry>(Object.values(families).flatMap(Object.entries));

/** PIR's forms of tensor arrays, which `control.ts` runs. */
const arrays: Readonly<Record<string, Readonly<Record<string, PirForm>>>> = {
  create_array: { create_array: ["", "Out"] },
  write_to_array: { array_write_: ["Array X I", "Out"] },
  read_from_array: { array_read: ["X I", "Out"] },
  lod_array_length: { array_length: ["X", "Out"] },
  tensor_array_to_tensor: { array_to_tensor: ["X", "Out OutIndex"] },
  yield: { yield: ["", ""] },
};

const signatures = new Map<string, Signature>([
  ...[...entries].flatMap(([type, entry]) => signaturesOf(type, entry.pir)),
  ...Object.entries(arrays).flatMap(([type, pir]) => signaturesOf(type, pir)),
]);

/** The row of an operator by `ProgramDesc`'s name. */
export function entryOf(type: string): Entry | undefined {
  return entries.get(type);
}

/** How a PIR operator reads in the terms of `ProgramDesc`; unknown ones keep their name. */
export function signatureOf(name: string): Signature {
  return signatures.get(name) ?? { type: name, inputs: [], outputs: ["Out"], renames: {} };
}
