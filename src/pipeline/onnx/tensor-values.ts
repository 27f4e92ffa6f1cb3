import { halfToFloat } from "./half.js";
import type { OnnxTensor } from "./read-tensor.js";
import { fields, float, integers, WireType } from "./wire.js";

/**
 * The contents of a constant as floats, whatever its type; null for types that are no plain numbers
 * (strings, four bits, bfloat16 and the like) and for contents in another file.
 */
export function tensorValues({
  dtype,
  raw,
  bytes,
  elements,
  external,
}: OnnxTensor): Float64Array | null {
  if (external !== null) return null;
  if (raw === null) return typedValues(dtype, bytes, elements);
  // A copy, for views need aligned bytes.
  const { buffer } = Uint8Array.from(raw);
  switch (dtype) {
    case "float32":
      return Float64Array.from(new Float32Array(buffer));
    case "float64":
      return new Float64Array(buffer);
    case "float16":
      return Float64Array.from(new Uint16Array(buffer), halfToFloat);
    case "int8":
      return Float64Array.from(new Int8Array(buffer));
    case "uint8":
    case "bool":
      return Float64Array.from(new Uint8Array(buffer));
    case "int16":
      return Float64Array.from(new Int16Array(buffer));
    case "uint16":
      return Float64Array.from(new Uint16Array(buffer));
    case "int32":
      return Float64Array.from(new Int32Array(buffer));
    case "uint32":
      return Float64Array.from(new Uint32Array(buffer));
    case "int64":
      return Float64Array.from(new BigInt64Array(buffer), Number);
    default:
      return null;
  }
}

/** Contents in typed fields: float_data 4, int32_data 5 (all small integers), int64_data 7. */
function typedValues(dtype: string, bytes: Uint8Array, elements: number): Float64Array | null {
  const values: number[] = [];
  for (const field of fields(bytes)) {
    if (field.number === 4) {
      if (field.type === WireType.fixed32) values.push(float(field));
      else {
        const packed = Uint8Array.from(field.bytes);
        values.push(...new Float32Array(packed.buffer));
      }
    } else if (field.number === 5 || field.number === 7) integers(field, values);
  }
  if (values.length !== elements) return null;
  return Float64Array.from(values, dtype === "float16" ? halfToFloat : (v) => v);
}
