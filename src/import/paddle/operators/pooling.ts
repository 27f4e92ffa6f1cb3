import { rawOfNumbers } from "../../graph/values.js";
import type { Call } from "./call.js";
import { explicitPads } from "./convolution.js";
import type { Family } from "./operator.js";

/** Pooling: sliding, global, adaptive. */
export const pooling: Family = {
  pool2d: { pir: { pool2d: ["X ksize=", "Out"] }, limits: "NCHW", emit: pool },
  max_pool2d_with_index: {
    pir: { max_pool2d_with_index: ["X", "Out Mask", { kernel_size: "ksize" }] },
    limits: "NCHW; the indices do not come along",
    emit: pool,
  },
};

interface Pool {
  readonly x: string;
  readonly max: boolean;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  /** ONNX's order: begins, then ends. */
  readonly pads: readonly number[];
  readonly ceil: boolean;
  /** Averages leave out what is padding. */
  readonly exclusive: boolean;
}

function pool(call: Call): string {
  const x = call.input("X");
  if (call.text("data_format", "NCHW") === "NHWC") throw call.refusal("it is NHWC", "use NCHW");
  const max = call.text("pooling_type", "max") === "max";
  const kernel = call.numbers("ksize") ?? [1, 1];
  const adaptive = call.flag("adaptive", false);
  const single = kernel.every((k) => k === 1);
  if (call.flag("global_pooling", false) || (adaptive && single)) {
    return call.node(max ? "GlobalMaxPool" : "GlobalAveragePool", [x]);
  }
  if (adaptive) return adaptivePool(call, x, max, kernel);
  return slidingPool(call, slidingOf(call, x, max, kernel));
}

function slidingOf(call: Call, x: string, max: boolean, kernel: readonly number[]): Pool {
  const strides = call.numbers("strides") ?? [1, 1];
  const algorithm = call.text("padding_algorithm", "EXPLICIT");
  return {
    x,
    max,
    kernel,
    strides,
    pads: paddings(call, x, algorithm, kernel, strides),
    ceil: call.flag("ceil_mode", false),
    exclusive: call.flag("exclusive", true),
  };
}

function paddings(
  call: Call,
  x: string,
  algorithm: string,
  kernel: readonly number[],
  strides: readonly number[],
): readonly number[] {
  if (algorithm === "VALID") return [0, 0, 0, 0];
  if (algorithm !== "SAME") return explicitPads(call);
  const sums = call.spatial(x).map((size, axis) => {
    const steps = Math.ceil(size / strides[axis]!) - 1;
    return Math.max(0, steps * strides[axis]! + kernel[axis]! - size);
  });
  const begins = sums.map((sum) => Math.floor(sum / 2));
  return [...begins, ...sums.map((sum, axis) => sum - begins[axis]!)];
}

function slidingPool(call: Call, pool: Pool): string {
  const { x, max, kernel, strides, pads, ceil, exclusive } = pool;
  const window = { kernel_shape: kernel, strides, pads, ceil_mode: ceil ? 1 : 0 };
  if (max) return call.node("MaxPool", [x], window);
  const padded = pads.some((p) => p !== 0);
  if (!exclusive && ceil) return averageWithEdges(call, pool);
  const include = exclusive || !padded ? 0 : 1;
  return call.node("AveragePool", [x], { ...window, count_include_pad: include });
}

/**
 * An average that counts the padding, where windows reach over the end (ceil mode): there Paddle
 * divides by what lies inside the padded picture. Runtimes differ, so the padding is made explicit
 * and the quotient put right by a constant.
 */
function averageWithEdges(call: Call, pool: Pool): string {
  const { x, kernel, strides, pads } = pool;
  const sizes = call.spatial(x);
  const lines = sizes.map((size, axis) => {
    const padded = size + pads[axis]! + pads[axis + 2]!;
    const steps = Math.ceil((padded - kernel[axis]!) / strides[axis]!) + 1;
    const missing = Math.max(0, (steps - 1) * strides[axis]! + kernel[axis]! - padded);
    const factors = Array.from({ length: steps }, (_, i) => {
      const inside = Math.min(kernel[axis]!, padded - i * strides[axis]!);
      return kernel[axis]! / inside;
    });
    return { missing, factors };
  });
  const ends = lines.map((line, axis) => line.missing + pads[axis + 2]!);
  const margins = [0, 0, pads[0]!, pads[1]!, 0, 0, ends[0]!, ends[1]!];
  const wide = call.graph.node("Pad", [x, call.ints64(margins), call.scalarLike(x, 0)]);
  const mean = call.node("AveragePool", [wide], { kernel_shape: kernel, strides });
  const [rows, columns] = lines.map((line) => line.factors) as [number[], number[]];
  const factors = rows.flatMap((r) => columns.map((c) => r * c));
  if (factors.every((f) => f === 1)) return mean;
  const dims = [1, 1, rows.length, columns.length];
  const raw = rawOfNumbers("float32", factors);
  const constant = call.graph.addConstant({ name: "edges", dtype: "float32", dims, raw });
  return call.node("Mul", [mean, constant]);
}

/** Cells from floor(i * size / count) to ceil((i + 1) * size / count), along one axis at a time. */
function adaptivePool(call: Call, x: string, max: boolean, cells: readonly number[]): string {
  const sizes = call.spatial(x);
  if (cells.every((count, axis) => sizes[axis]! % count === 0)) {
    const kernel = cells.map((count, axis) => sizes[axis]! / count);
    const window = { kernel_shape: kernel, strides: kernel };
    return call.node(max ? "MaxPool" : "AveragePool", [x], window);
  }
  return cells.reduce((value, count, axis) => adaptiveAxis(call, value, max, [axis + 2, count]), x);
}

function adaptiveAxis(
  call: Call,
  x: string,
  max: boolean,
  [axis, count]: readonly [number, number],
): string {
  const size = call.spatial(x)[axis - 2]!;
  const rows = Array.from({ length: count }, (_, i) => {
    const begin = call.ints64([Math.floor((i * size) / count)]);
    const end = call.ints64([Math.ceil(((i + 1) * size) / count)]);
    const part = call.graph.node("Slice", [x, begin, end, call.ints64([axis])]);
    return reduce(call, max ? "ReduceMax" : "ReduceMean", part, { axes: [axis], keep: true });
  });
  return call.node("Concat", rows, { axis });
}

/** A reduction; its axes are an input from opset 18 on, an attribute before. */
export function reduce(
  call: Call,
  op: string,
  x: string,
  { axes, keep }: { readonly axes: readonly number[]; readonly keep: boolean },
): string {
  const keepdims = keep ? 1 : 0;
  const asInput = call.graph.opset >= 18 || op === "ReduceSum";
  return asInput
    ? call.node(op, [x, call.ints64(axes)], { keepdims })
    : call.node(op, [x], { axes, keepdims });
}
