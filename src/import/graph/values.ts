import type { DType } from "../../pipeline/onnx/read-tensor.js";

/** What is known of the values of a graph while it is built: types, shapes, small contents. */

/** A size, the name of an open one, or null where nothing is known of it. */
export type Dim = number | string | null;

export type Shape = readonly Dim[];

export interface ValueType {
  readonly dtype: DType;
  /** Null where not even the rank is known. */
  readonly shape: Shape | null;
}

/**
 * Contents of a small tensor, row-major. An element may be an open size: the first of `Shape` of
 * `[N, 3, 8, 8]` is `"N"`. Booleans are 0 and 1.
 */
export interface Contents {
  readonly dims: readonly number[];
  readonly values: readonly Dim[];
}

/** Contents of more elements than this are never looked at while a graph is built. */
export const mostElements = 64;

export function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, d) => product * d, 1);
}

/** The sizes where all are known, else null. */
export function fixed(shape: Shape | null): readonly number[] | null {
  return shape?.every((d) => typeof d === "number") ? (shape as readonly number[]) : null;
}

/** An axis counted from the front, however it was written. */
export function fromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

type Reader = (view: DataView, at: number) => number;

const readers: Readonly<Record<DType, { width: number; read: Reader }>> = {
  float32: { width: 4, read: (view, at) => view.getFloat32(at, true) },
  float64: { width: 8, read: (view, at) => view.getFloat64(at, true) },
  int64: { width: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  int32: { width: 4, read: (view, at) => view.getInt32(at, true) },
  int16: { width: 2, read: (view, at) => view.getInt16(at, true) },
  int8: { width: 1, read: (view, at) => view.getInt8(at) },
  uint8: { width: 1, read: (view, at) => view.getUint8(at) },
  bool: { width: 1, read: (view, at) => view.getUint8(at) },
};

/** Numbers of a constant; null for element types that are not read here. */
export function numbersOf(dtype: DType, raw: Uint8Array): number[] | null {
  const reader = readers[dtype];
  if (!reader) return null;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const count = raw.byteLength / reader.width;
  return Array.from({ length: count }, (_, i) => reader.read(view, i * reader.width));
}

type Writer = (view: DataView, at: number, value: number) => void;

const writers: Readonly<Record<DType, { width: number; write: Writer }>> = {
  float32: { width: 4, write: (view, at, value) => view.setFloat32(at, value, true) },
  float64: { width: 8, write: (view, at, value) => view.setFloat64(at, value, true) },
  int64: { width: 8, write: (view, at, value) => view.setBigInt64(at, BigInt(value), true) },
  int32: { width: 4, write: (view, at, value) => view.setInt32(at, value, true) },
  int16: { width: 2, write: (view, at, value) => view.setInt16(at, value, true) },
  int8: { width: 1, write: (view, at, value) => view.setInt8(at, value) },
  uint8: { width: 1, write: (view, at, value) => view.setUint8(at, value) },
  bool: { width: 1, write: (view, at, value) => view.setUint8(at, value === 0 ? 0 : 1) },
};

/** Numbers as a constant's contents. @throws RangeError for element types not written here. */
export function rawOfNumbers(dtype: DType, values: readonly number[]): Uint8Array {
  const writer = writers[dtype];
  if (!writer) throw new RangeError(`constants of ${dtype} are not written here`);
  const raw = new Uint8Array(values.length * writer.width);
  const view = new DataView(raw.buffer);
  const whole = !dtype.startsWith("float");
  for (const [i, value] of values.entries()) {
    writer.write(view, i * writer.width, whole ? Math.trunc(value) : value);
  }
  return raw;
}

/** ONNX's Reshape: 0 keeps a size, -1 is what is left. */
export function reshapedDims(dims: readonly number[], how: readonly number[]): number[] {
  const kept = how.map((d, i) => (d === 0 ? (dims[i] ?? 1) : d));
  const rest = elementsOf(kept.filter((d) => d >= 0));
  return kept.map((d) => (d < 0 ? elementsOf(dims) / rest : d));
}

export function unsqueezed<T>(dims: readonly (T | number)[], axes: readonly number[]): (T | 1)[] {
  const rank = dims.length + axes.length;
  const places = new Set(axes.map((axis) => fromFront(axis, rank)));
  let next = 0;
  return Array.from({ length: rank }, (_, i) => (places.has(i) ? 1 : (dims[next++] as T)));
}

export function squeezed<T>(dims: readonly T[], axes: readonly number[]): T[] {
  const places = new Set(axes.map((axis) => fromFront(axis, dims.length)));
  return dims.filter((_, i) => !places.has(i));
}
