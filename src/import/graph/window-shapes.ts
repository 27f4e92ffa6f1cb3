import type { DType } from "../../pipeline/onnx/read-tensor.js";
import type { NodeView, Rule } from "./node-view.js";
import type { Dim, Shape, ValueType } from "./values.js";

/** Shapes of what slides a window: convolutions and pools. */

const shaped = (dtype: DType, shape: Shape | null): ValueType[] => [{ dtype, shape }];

/**
 * Output size of a window that slides: floor or ceil of (size + pads - reach) / stride, and one.
 */
export function slid(size: Dim, window: Window): Dim {
  if (typeof size !== "number") return null;
  const { kernel, stride, dilation, pads, ceil } = window;
  const reach = dilation * (kernel - 1) + 1;
  const steps = (size + pads - reach) / stride;
  return (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
}

export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** At both ends together. */
  readonly pads: number;
  readonly ceil: boolean;
}

function windowed(at: NodeView, channels: Dim, kernel: readonly Dim[]): ValueType[] {
  const { dtype, shape } = at.type(0);
  if (!shape) return shaped(dtype, null);
  const pads = at.ints("pads") ?? [];
  const axes = shape.length - 2;
  const spatial = shape.slice(2).map((size, axis) => {
    const k = kernel[axis];
    if (typeof k !== "number") return null;
    return slid(size, {
      kernel: k,
      stride: at.ints("strides")?.[axis] ?? 1,
      dilation: at.ints("dilations")?.[axis] ?? 1,
      pads: (pads[axis] ?? 0) + (pads[axis + axes] ?? 0),
      ceil: at.int("ceil_mode", 0) === 1,
    });
  });
  return shaped(dtype, [shape[0]!, channels, ...spatial]);
}

export const convolution: Rule = (at) => {
  const weights = at.shape(1);
  return windowed(at, weights?.[0] ?? null, weights?.slice(2) ?? []);
};

export const pooling: Rule = (at) =>
  windowed(at, at.shape(0)?.[1] ?? null, at.ints("kernel_shape") ?? []);

export const transposedConvolution: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const weights = at.shape(1);
  if (!shape || !weights) return shaped(dtype, null);
  const pads = at.ints("pads") ?? [];
  const axes = shape.length - 2;
  const spatial = shape.slice(2).map((size, axis) => {
    const kernel = weights[axis + 2];
    if (typeof size !== "number" || typeof kernel !== "number") return null;
    const reach = (at.ints("dilations")?.[axis] ?? 1) * (kernel - 1) + 1;
    const cut = (pads[axis] ?? 0) + (pads[axis + axes] ?? 0);
    const more = at.ints("output_padding")?.[axis] ?? 0;
    return (at.ints("strides")?.[axis] ?? 1) * (size - 1) + more + reach - cut;
  });
  const group = at.int("group", 1);
  const perGroup = weights[1];
  const channels = typeof perGroup === "number" ? perGroup * group : null;
  return shaped(dtype, [shape[0]!, channels, ...spatial]);
};
