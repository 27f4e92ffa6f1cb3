import { fields, float, integer, integers, text, WireType } from "./wire.js";
import type { OnnxNode } from "./read-model.js";

/** An attribute as a value that can be compared and shown; tensors and graphs are left out. */
export type PlainAttribute = number | string | readonly number[];

/** What ONNX means where an attribute is left out, for operators that vision networks use. */
const defaults: Readonly<Record<string, Readonly<Record<string, PlainAttribute>>>> = {
  AveragePool: { count_include_pad: 0, ceil_mode: 0, auto_pad: "NOTSET" },
  BatchNormalization: { epsilon: Math.fround(1e-5) },
  Conv: { group: 1, auto_pad: "NOTSET" },
  ConvTranspose: { group: 1, auto_pad: "NOTSET" },
  Elu: { alpha: 1 },
  Flatten: { axis: 1 },
  Gemm: { alpha: 1, beta: 1, transA: 0, transB: 0 },
  HardSigmoid: { alpha: Math.fround(0.2), beta: 0.5 },
  LeakyRelu: { alpha: Math.fround(0.01) },
  MaxPool: { ceil_mode: 0, auto_pad: "NOTSET", storage_order: 0 },
  ReduceMean: { keepdims: 1 },
  Resize: {
    coordinate_transformation_mode: "half_pixel",
    mode: "nearest",
    nearest_mode: "round_prefer_floor",
    cubic_coeff_a: -0.75,
    exclude_outside: 0,
    extrapolation_value: 0,
  },
};

/** The attributes of a node that are numbers, texts or lists of numbers, defaults filled in. */
export function plainAttributes(node: OnnxNode): Record<string, PlainAttribute> {
  const found: Record<string, PlainAttribute> = { ...defaults[node.op] };
  for (const field of fields(node.bytes)) {
    if (field.number !== 5) continue;
    const entry = attribute(field.bytes);
    if (entry) found[entry.name] = entry.value;
  }
  return found;
}

function attribute(bytes: Uint8Array): { name: string; value: PlainAttribute } | null {
  let name = "";
  let single: PlainAttribute | undefined;
  const list: number[] = [];
  for (const field of fields(bytes)) {
    if (field.number === 1) name = text(field);
    else if (field.number === 2) single = float(field);
    else if (field.number === 3) single = integer(field);
    else if (field.number === 4) single = text(field);
    else if (field.number === 7) list.push(...floatsOf(field));
    else if (field.number === 8) integers(field, list);
  }
  if (single !== undefined) return { name, value: single };
  return list.length > 0 ? { name, value: list } : null;
}

function floatsOf(field: Parameters<typeof float>[0]): number[] {
  if (field.type === WireType.fixed32) return [float(field)];
  return [...new Float32Array(Uint8Array.from(field.bytes).buffer)];
}
