import type { Attributes } from "../../graph/builder.js";
import type { Call } from "./call.js";
import type { Entry, Family } from "./operator.js";

/** Convolutions: plain, grouped, transposed and deformable. */

const conv: Entry = {
  pir: { conv2d: ["Input Filter", "Output"] },
  limits: "NCHW",
  emit: convolve,
};

const transposed: Entry = {
  pir: { conv2d_transpose: ["Input Filter output_size=", "Output"] },
  limits: "NCHW",
  emit: convolveTransposed,
};

export const convolutions: Family = {
  conv2d: conv,
  depthwise_conv2d: { ...conv, pir: { depthwise_conv2d: ["Input Filter", "Output"] } },
  conv2d_transpose: transposed,
  depthwise_conv2d_transpose: {
    ...transposed,
    pir: { depthwise_conv2d_transpose: ["Input Filter output_size=", "Output"] },
  },
  deformable_conv: {
    pir: { deformable_conv: ["Input Offset Filter Mask", "Output"] },
    limits: "opset 19 or later",
    emit: convolveDeformable,
  },
  deformable_conv_v1: {
    pir: {},
    limits: "opset 19 or later",
    emit: convolveDeformable,
  },
};

function convolve(call: Call): string {
  const x = call.input("Input");
  const filter = call.input("Filter");
  const kernel = kernelOf(call, filter);
  const attributes = { ...windowAttributes(call, x, kernel), group: call.number("groups", 1) };
  const product = call.node("Conv", [x, filter], attributes);
  return withBias(call, product);
}

/** An optional input `Bias`, as older fused operators have it. */
function withBias(call: Call, product: string): string {
  const bias = call.optional("Bias");
  if (bias === null) return product;
  const rows = call.graph.node("Reshape", [bias, call.ints64([1, -1, 1, 1])]);
  return call.node("Add", [product, rows]);
}

function convolveTransposed(call: Call): string {
  const x = call.input("Input");
  const filter = call.input("Filter");
  const kernel = kernelOf(call, filter);
  const window = windowAttributes(call, x, kernel);
  const attributes: Attributes = { ...window, group: call.number("groups", 1) };
  const extra = outputPadding(call, x, window, kernel);
  return call.node("ConvTranspose", [x, filter], { ...attributes, output_padding: extra });
}

/** `output_padding` as given, or what `output_size` asks beyond the least size. */
function outputPadding(
  call: Call,
  x: string,
  window: WindowAttributes,
  kernel: readonly number[],
): readonly number[] {
  const given = call.numbers("output_padding") ?? [];
  const size = call.numbers("output_size") ?? [];
  if (size.length === 0) return given.length === 2 ? given : [0, 0];
  const sizes = call.spatial(x);
  return size.map((wanted, axis) => {
    const reach = window.dilations[axis]! * (kernel[axis]! - 1) + 1;
    const pads = window.pads[axis]! + window.pads[axis + 2]!;
    return wanted - (window.strides[axis]! * (sizes[axis]! - 1) + reach - pads);
  });
}

/** Deformable convolution, with (v2) or without (v1) a mask. ONNX has it from opset 19. */
function convolveDeformable(call: Call): string {
  if (call.graph.opset < 19) throw call.refusal("ONNX has it from opset 19", "give --opset 19");
  const x = call.input("Input");
  const filter = call.input("Filter");
  const window = windowAttributes(call, x, kernelOf(call, filter));
  const mask = call.optional("Mask");
  const offset = call.input("Offset");
  const inputs = [x, filter, offset, ...(mask === null ? [] : ["", mask])];
  return call.node("DeformConv", inputs, {
    ...window,
    group: call.number("groups", 1),
    offset_group: call.number("deformable_groups", 1),
  });
}

function kernelOf(call: Call, filter: string): readonly number[] {
  return call.sizes(filter).slice(2);
}

export interface WindowAttributes {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly [attribute: string]: readonly number[];
}

/** Strides, pads and dilations of a sliding window, in ONNX's order. */
export function windowAttributes(
  call: Call,
  x: string,
  kernel: readonly number[],
): WindowAttributes {
  if (/NHWC|NLC/.test(call.text("data_format", "NCHW"))) {
    throw call.refusal("it is NHWC", "export the model in NCHW");
  }
  const strides = pair(call.numbers("strides") ?? [1]);
  const algorithm = call.text("padding_algorithm", "EXPLICIT");
  const dilations = pair(call.numbers("dilations") ?? [1]);
  if (algorithm === "SAME") {
    // Paddle's SAME forgets the dilations (UpdatePaddingAndDilation).
    return { strides, pads: samePads(call.spatial(x), kernel, strides), dilations: [1, 1] };
  }
  const pads = algorithm === "VALID" ? [0, 0, 0, 0] : explicitPads(call);
  return { strides, pads, dilations };
}

/** [h, w] or [top, bottom, left, right], maybe with the batch's and channels' zeros before. */
export function explicitPads(call: Call): readonly number[] {
  const given = (call.numbers("paddings") ?? [0, 0]).slice(-4);
  if (given.length === 4) return [given[0]!, given[2]!, given[1]!, given[3]!];
  const [height, width] = pair(given);
  return [height, width, height, width];
}

function samePads(
  sizes: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
): number[] {
  const sums = sizes.map((size, axis) => {
    const steps = Math.ceil(size / strides[axis]!) - 1;
    return Math.max(0, steps * strides[axis]! + kernel[axis]! - size);
  });
  const begins = sums.map((sum) => Math.floor(sum / 2));
  return [...begins, ...sums.map((sum, axis) => sum - begins[axis]!)];
}

function pair(values: readonly number[]): [number, number] {
  return [values[0] ?? 0, values[1] ?? values[0] ?? 0];
}
