import { WireError, countOf, fields, integer, integers, message, text } from "./wire.js";

/** ONNX's TensorProto: its shape and type, and where its contents are. */

/** An element type by the name that ONNX Runtime gives it, or `onnx-N` for those that have none. */
export type DType = string;

const dtypes: Readonly<Record<number, DType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  8: "string",
  9: "bool",
  10: "float16",
  11: "float64",
  12: "uint32",
  13: "uint64",
  14: "complex64",
  15: "complex128",
  16: "bfloat16",
  17: "float8e4m3fn",
  18: "float8e4m3fnuz",
  19: "float8e5m2",
  20: "float8e5m2fnuz",
  21: "uint4",
  22: "int4",
  23: "float4e2m1",
};

/** The name of an element type by its number. */
export function dtypeName(number: number): DType {
  return dtypes[number] ?? `onnx-${number}`;
}

/**
 * The number of an element type by its name. @throws RangeError for a name that ONNX does not have.
 */
export function dtypeNumber(dtype: DType): number {
  const found = Object.entries(dtypes).find(([, name]) => name === dtype);
  if (found === undefined) throw new RangeError(`ONNX has no element type ${dtype}`);
  return Number(found[0]);
}

export interface OnnxTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly elements: number;
  /** Little-endian contents where the file holds them raw (nearly all exporters do), else null. */
  readonly raw: Uint8Array | null;
  /** The file that holds the contents where they are outside this one, else null. */
  readonly external: string | null;
  readonly bytes: Uint8Array;
}

export function parseTensor(bytes: Uint8Array): OnnxTensor {
  let name = "";
  let type = 0;
  let raw: Uint8Array | null = null;
  let external: string | null = null;
  const dims: number[] = [];
  let typed = 0;
  for (const field of fields(bytes)) {
    if (field.number === 1) integers(field, dims);
    else if (field.number === 2) type = integer(field);
    else if (field.number === 4) typed += countOf(field, 4);
    else if (field.number === 5 || field.number === 7 || field.number === 11)
      typed += countOf(field, "varint");
    else if (field.number === 10) typed += countOf(field, 8);
    else if (field.number === 8) name = text(field);
    else if (field.number === 9) raw = message(field);
    else if (field.number === 13) external = externalLocation(message(field)) ?? external;
    else if (field.number === 14 && integer(field) === 1) external ??= "another file";
  }
  const elements = dims.reduce((product, d) => product * d, 1);
  if (dims.some((d) => d < 0) || !Number.isSafeInteger(elements))
    throw new WireError(`tensor ${JSON.stringify(name)} has the shape [${dims.join(", ")}]`);
  const dtype = dtypeName(type);
  checkContents({ name, dtype, elements, raw, external, typed });
  return { name, dtype, dims, elements, raw, external, bytes };
}

/** Bytes of one element, where it fills whole bytes. */
export const bytesPerElement: Readonly<Record<DType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
  float64: 8,
  uint32: 4,
  uint64: 8,
  bfloat16: 2,
};

/**
 * A tensor whose contents do not fill its shape would be read past its end by whoever trusts the
 * shape.
 */
function checkContents(tensor: {
  name: string;
  dtype: DType;
  elements: number;
  raw: Uint8Array | null;
  external: string | null;
  typed: number;
}): void {
  const width = bytesPerElement[tensor.dtype];
  if (tensor.external !== null || width === undefined) return;
  const held = tensor.raw === null ? tensor.typed : tensor.raw.length / width;
  // Typed fields may leave zeros out at the end of a tensor only when empty altogether, which some
  // exporters do for shape-only tensors.
  if (held !== tensor.elements && !(held === 0 && tensor.raw === null)) {
    throw new WireError(
      `tensor ${JSON.stringify(tensor.name)} states ${tensor.elements} elements and holds ${held}`,
    );
  }
}

function externalLocation(bytes: Uint8Array): string | null {
  let key = "";
  let value = "";
  for (const field of fields(bytes)) {
    if (field.number === 1) key = text(field);
    else if (field.number === 2) value = text(field);
  }
  return key === "location" ? value : null;
}
