import type { Call } from "./call.js";
import type { Family, Made } from "./operator.js";

/** Operators that arrange elements anew: reshape, transpose, slice, join, take apart. */
export const shapes: Family = {
  reshape2: { pir: { reshape: ["X shape=Shape", "Out XShape"] }, emit: reshape },
  reshape: { pir: {}, emit: reshape },
  transpose2: { pir: { transpose: ["X", "Out XShape", { perm: "axis" }] }, emit: transpose },
  transpose: { pir: {}, emit: transpose },
  flatten_contiguous_range: {
    pir: { flatten: ["X", "Out XShape"] },
    emit: flatten,
  },
  flatten2: {
    pir: {},
    emit: (call) => call.node("Flatten", [call.input("X")], { axis: call.number("axis", 1) }),
  },
  squeeze2: { pir: { squeeze: ["X axes=AxesTensor", "Out XShape"] }, emit: squeeze },
  unsqueeze2: { pir: { unsqueeze: ["X axes=AxesTensor", "Out XShape"] }, emit: unsqueeze },
  concat: { pir: { concat: ["X axis=AxisTensor", "Out"] }, emit: concat },
  stack: { pir: { stack: ["X", "Y"] }, emit: stack },
  unstack: { pir: { unstack: ["X", "Y"] }, emit: unstack },
  unbind: { pir: { unbind: ["X", "Out"] }, emit: unstack },
  split: {
    pir: {
      split: ["X sections=SectionsTensorList axis=AxisTensor", "Out"],
      split_with_num: ["X axis=AxisTensor", "Out"],
    },
    emit: split,
  },
  slice: {
    pir: { slice: ["Input starts=StartsTensor ends=EndsTensor", "Out"] },
    emit: slice,
  },
  strided_slice: {
    pir: {
      strided_slice: ["Input starts=StartsTensor ends=EndsTensor strides=StridesTensor", "Out"],
    },
    emit: slice,
  },
  shape: {
    pir: { shape: ["Input", "Out"], shape64: ["Input", "Out"] },
    // Paddle's sizes are int32, ONNX's int64; nothing that takes sizes minds.
    emit: (call) => call.node("Shape", [call.input("Input")]),
  },
  expand_v2: { pir: { expand: ["X shape=Shape", "Out"] }, emit: expand },
  expand_as_v2: {
    pir: { expand_as: ["X Y", "Out"] },
    emit: (call) =>
      call.node("Expand", [call.input("X"), call.graph.node("Shape", [call.input("Y")])]),
  },
  tile: {
    pir: { tile: ["X repeat_times=RepeatTimes", "Out"] },
    emit: (call) => {
      const repeats = sizesFrom(call, "repeat_times", "RepeatTimes", "repeat_times_tensor");
      return call.node("Tile", [call.input("X"), repeats]);
    },
  },
  reverse: { pir: { reverse: ["X axis=", "Out"] }, emit: (call) => flip(call, "axis") },
  flip: { pir: { flip: ["X", "Out"] }, emit: (call) => flip(call, "axis") },
  pad3d: { pir: { pad3d: ["X paddings=Paddings", "Out", { pad_value: "value" }] }, emit: pad3d },
  pad2d: { pir: {}, emit: pad2d },
  pixel_shuffle: { pir: { pixel_shuffle: ["X", "Out"] }, limits: "NCHW", emit: pixelShuffle },
};

/** A shape as one int64 tensor: from a tensor, a list of tensors of one, or the attribute. */
export function sizesFrom(call: Call, attribute: string, tensor: string, list: string): string {
  const parts = [...call.inputs(tensor), ...call.inputs(list)];
  if (parts.length === 0) return call.ints64(call.numbers(attribute) ?? []);
  if (parts.length === 1 && call.rank(parts[0]!) === 1) return call.cast(parts[0]!, "int64");
  return joined(call, parts);
}

/** Single numbers joined to one vector. */
export function joined(call: Call, parts: readonly string[]): string {
  const vectors = parts.map((part) => {
    const vector =
      call.rank(part) === 1 ? part : call.graph.node("Reshape", [part, call.ints64([1])]);
    return call.cast(vector, "int64");
  });
  return call.graph.node("Concat", vectors, { axis: 0 });
}

function reshape(call: Call): string {
  const shape = sizesFrom(call, "shape", "Shape", "ShapeTensor");
  return call.node("Reshape", [call.input("X"), shape]);
}

function transpose(call: Call): string {
  const x = call.input("X");
  const axes = call.numbers("axis") ?? [];
  return call.node("Transpose", [x], { perm: axes.map((axis) => call.axis(x, axis)) });
}

/** One axis out of those from start to stop. Sizes before keep; what is open is worked out. */
function flatten(call: Call): string {
  const x = call.input("X");
  const shape = call.shape(x);
  const [start, stop] = [call.number("start_axis", 1), call.number("stop_axis", -1)];
  const rank = call.rank(x);
  const [first, last] = [call.axis(x, start), call.axis(x, stop)];
  if (first === 1 && last === rank - 1) return call.node("Flatten", [x], { axis: 1 });
  const tail = shape?.slice(last + 1) ?? [];
  if (tail.every((d) => typeof d === "number")) {
    const kept = Array<number>(first).fill(0);
    return call.node("Reshape", [x, call.ints64([...kept, -1, ...(tail as number[])])]);
  }
  const sizes = call.graph.node("Shape", [x]);
  const part = (from: number, to: number): string =>
    call.graph.node("Slice", [sizes, call.ints64([from]), call.ints64([to]), call.ints64([0])]);
  const wanted = [part(0, first), call.ints64([-1]), part(last + 1, rank)];
  return call.node("Reshape", [x, call.graph.node("Concat", wanted, { axis: 0 })]);
}

function axesOf(call: Call): readonly number[] {
  const tensors = [...call.inputs("AxesTensor"), ...call.inputs("AxesTensorList")];
  if (tensors.length === 0) return call.numbers("axes") ?? [];
  return tensors.flatMap((tensor) => call.contents(tensor));
}

/** Axes whose size is not 1 stay, as Paddle has it; none named: all of size 1. */
function squeeze(call: Call): string {
  const x = call.input("X");
  const shape = call.shape(x);
  const named = axesOf(call).map((axis) => call.axis(x, axis));
  const all = Array.from({ length: call.rank(x) }, (_, i) => i);
  const wanted = named.length === 0 ? all : named;
  const axes = wanted.filter(
    (axis) => shape?.[axis] === 1 || (named.length > 0 && shape?.[axis] === null),
  );
  return axes.length === 0 ? x : call.node("Squeeze", [x, call.ints64(axes)]);
}

function unsqueeze(call: Call): string {
  const x = call.input("X");
  let value = x;
  // One at a time: Paddle counts each axis in the shape that the one before left.
  for (const axis of axesOf(call)) {
    const rank = call.rank(value) + 1;
    value = call.node("Unsqueeze", [value, call.ints64([axis < 0 ? axis + rank : axis])]);
  }
  return value;
}

function concat(call: Call): string {
  const parts = call.inputs("X");
  const first = parts[0];
  if (first === undefined) throw call.refusal("nothing to join", "export the model again");
  const tensor = call.optional("AxisTensor");
  const axis = tensor === null ? call.number("axis", 0) : call.contents(tensor)[0]!;
  const dtype = call.dtype(first);
  const same = parts.map((part) => call.cast(part, dtype));
  return call.node("Concat", same, { axis: call.axis(first, axis) });
}

function stack(call: Call): Record<string, string> {
  const parts = call.inputs("X");
  const first = parts[0];
  if (first === undefined) throw call.refusal("nothing to stack", "export the model again");
  const given = call.number("axis", 0);
  const axis = given < 0 ? given + call.rank(first) + 1 : given;
  const dtype = call.dtype(first);
  const rows = parts.map((part) =>
    call.graph.node("Unsqueeze", [call.cast(part, dtype), call.ints64([axis])]),
  );
  return { Y: call.node("Concat", rows, { axis }) };
}

/** A slice a place along an axis, the axis gone. */
function unstack(call: Call): Made {
  const x = call.input("X");
  const axis = call.axis(x, call.number("axis", 0));
  const slot = call.outputCount("Y") > 0 ? "Y" : "Out";
  const count = call.outputCount(slot);
  const parts = Array.from({ length: count }, (_, place) =>
    call.node("Gather", [x, call.graph.constant("int64", place)], { axis }),
  );
  return { [slot]: parts };
}

function split(call: Call): Made {
  const x = call.input("X");
  const tensor = call.optional("AxisTensor");
  const axis = call.axis(x, tensor === null ? call.number("axis", 0) : call.contents(tensor)[0]!);
  const names = call.operator.outputs.get("Out") ?? [];
  const lists = call.inputs("SectionsTensorList");
  const given =
    lists.length > 0 ? lists.flatMap((l) => call.contents(l)) : call.numbers("sections");
  const sections = given && given.length > 0 ? [...given] : evenParts(call, x, axis, names.length);
  const open = sections.indexOf(-1);
  if (open >= 0) {
    const rest = sections.reduce((sum, n) => sum + (n < 0 ? 0 : n), 0);
    sections[open] = sizeOf(call, x, axis) - rest;
  }
  const inputs = [x, call.ints64(sections)];
  return { Out: call.graph.nodeWithOutputs("Split", inputs, { axis }, names) };
}

function evenParts(call: Call, x: string, axis: number, count: number): number[] {
  return Array<number>(count).fill(sizeOf(call, x, axis) / count);
}

function sizeOf(call: Call, x: string, axis: number): number {
  const size = call.shape(x)?.[axis];
  if (typeof size !== "number") throw call.refusal("its size is open", "give the input's --size");
  return size;
}

/** `slice` and `strided_slice`: bounds are attributes, a tensor, or tensors of one. */
function slice(call: Call): string {
  const x = call.input("Input");
  const axes = (call.numbers("axes") ?? []).map((axis) => call.axis(x, axis));
  const starts = bounds(call, "starts", ["StartsTensor", "StartsTensorList"]);
  const ends = bounds(call, "ends", ["EndsTensor", "EndsTensorList"]);
  const steps = bounds(call, "strides", ["StridesTensor", "StridesTensorList"]);
  const strided = call.graph.numbersIn(steps)?.length !== 0;
  const inputs = [x, starts, ends, call.ints64(axes), ...(strided ? [steps] : [])];
  const part = call.node("Slice", inputs);
  const gone = (call.numbers("decrease_axis") ?? []).map((axis) => call.axis(x, axis));
  // Before 2.5 Paddle kept one axis where all would go: it had no tensors of rank 0.
  const kept = gone.length === call.rank(x) && call.statedRank("Out") === 1 ? gone.slice(1) : gone;
  return kept.length === 0 ? part : call.node("Squeeze", [part, call.ints64(kept)]);
}

function bounds(call: Call, attribute: string, slots: readonly string[]): string {
  const parts = slots.flatMap((slot) => call.inputs(slot));
  if (parts.length === 0) return call.ints64(call.numbers(attribute) ?? []);
  return parts.length === 1 ? asVector(call, parts[0]!) : joined(call, parts);
}

function asVector(call: Call, value: string): string {
  const vector =
    call.rank(value) === 1 ? value : call.graph.node("Reshape", [value, call.ints64([1])]);
  return call.cast(vector, "int64");
}

/** -1 keeps a size, which Expand says with 1. */
function expand(call: Call): string {
  const x = call.input("X");
  const shape = sizesFrom(call, "shape", "Shape", "expand_shapes_tensor");
  const numbers = call.graph.numbersIn(shape);
  const wanted = numbers ? call.ints64(numbers.map((d) => (d < 0 ? 1 : d))) : shape;
  return call.node("Expand", [x, wanted]);
}

function flip(call: Call, attribute: string): string {
  const x = call.input("X");
  const axes = (call.numbers(attribute) ?? []).map((axis) => call.axis(x, axis));
  const each = (n: number): string => call.ints64(axes.map(() => n));
  const least = -(2 ** 31);
  return call.node("Slice", [x, each(-1), each(least), call.ints64(axes), each(-1)]);
}

const padModes: Readonly<Record<string, string>> = {
  constant: "constant",
  reflect: "reflect",
  replicate: "edge",
  edge: "edge",
};

/** Paddle writes [left, right, top, bottom, front, back] of N C D H W. */
function pad3d(call: Call): string {
  const tensor = call.optional("Paddings");
  const given = tensor === null ? (call.numbers("paddings") ?? []) : call.contents(tensor);
  const [left = 0, right = 0, top = 0, bottom = 0, front = 0, back = 0] = given;
  return padded(call, [0, 0, front, top, left, 0, 0, back, bottom, right]);
}

/** Paddle writes [top, bottom, left, right] of N C H W. */
function pad2d(call: Call): string {
  const [top = 0, bottom = 0, left = 0, right = 0] = call.numbers("paddings") ?? [];
  return padded(call, [0, 0, top, left, 0, 0, bottom, right]);
}

function padded(call: Call, pads: readonly number[]): string {
  const x = call.input("X");
  const mode = padModes[call.text("mode", "constant")];
  if (mode === undefined)
    throw call.refusal(`its mode is ${call.text("mode", "")}`, "pad otherwise");
  const value = call.number(call.has("pad_value") ? "pad_value" : "value", 0);
  const attributes = mode === "constant" ? {} : { mode: { text: mode } };
  return call.node("Pad", [x, call.ints64(pads), call.scalarLike(x, value)], attributes);
}

function pixelShuffle(call: Call): string {
  const x = call.input("X");
  const blocksize = call.number("upscale_factor", 1);
  return call.node("DepthToSpace", [x], { blocksize, mode: { text: "CRD" } });
}
