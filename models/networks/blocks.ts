import type { Activation } from "./activations.js";
import { mapOf, type ConvSpec, type NetworkBuilder, type Value } from "./network-builder.js";

/** The blocks that the networks share. Tensors are named as in the state dicts of PaddleClas and
 * PaddleDetection, so that trained weights could be put in by name. */

export interface ConvNormSpec extends ConvSpec {
  readonly act: Activation | null;
  /** What the two parts are called in the state dict: `conv` and `bn` unless said. */
  readonly parts?: { readonly conv: string; readonly norm: string };
}

/** Convolution without bias, batch norm, activation. */
export function convNorm(b: NetworkBuilder, x: Value, spec: ConvNormSpec): Value {
  const { name, act, parts = { conv: "conv", norm: "bn" } } = spec;
  const y = b.conv(x, { ...spec, name: `${name}.${parts.conv}` });
  return b.activate(b.batchNorm(y, `${name}.${parts.norm}`), act);
}

export interface SqueezeExciteSpec {
  readonly name: string;
  /** Of the hard sigmoid: 1/6 in PP-LCNet, 0.2 in MobileNetV3. */
  readonly slope: number;
}

/** Weights the channels by what their means say (squeeze to a quarter, ReLU, hard sigmoid). */
export function squeezeExcite(
  b: NetworkBuilder,
  x: Value,
  { name, slope }: SqueezeExciteSpec,
): Value {
  const channels = x.dims[0]!;
  const pooled = b.globalAveragePool(x);
  const squeezed = b.conv(pooled, {
    name: `${name}.conv1`,
    out: Math.floor(channels / 4),
    bias: true,
  });
  const grown = b.conv(b.activate(squeezed, "relu"), {
    name: `${name}.conv2`,
    out: channels,
    bias: true,
  });
  const gate = b.node("HardSigmoid", [grown], {
    attributes: { alpha: { float: slope }, beta: { float: 0.5 } },
    dims: grown.dims,
    power: 0.27,
  });
  return b.node("Mul", [x, gate], { dims: x.dims, power: 0.27 * x.power });
}

/** Where the head of a classifier or recogniser ends: one vector a picture. */
export function flatten(b: NetworkBuilder, x: Value): Value {
  const features = x.dims.reduce((product, d) => product * d, 1);
  return b.node("Flatten", [x], { attributes: { axis: 1 }, dims: [features], power: x.power });
}

/**
 * Paddle's dropout in its mode `downscale_in_infer`: inference multiplies by what training kept.
 */
export function keptByDropout(b: NetworkBuilder, x: Value, kept: number): Value {
  return b.node("Mul", [x, b.scalar(kept)], { dims: x.dims, power: kept * kept * x.power });
}

export function maxPool(b: NetworkBuilder, x: Value, kernel: number, stride: number): Value {
  const [channels, height, width] = mapOf(x);
  const pad = (kernel - 1) / 2;
  const size = (length: number): number => Math.floor((length + 2 * pad - kernel) / stride) + 1;
  return b.node("MaxPool", [x], {
    attributes: {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    },
    dims: [channels, size(height), size(width)],
    // The largest of several: somewhat above the mean square of one.
    power: 2 * x.power,
  });
}

/** Twice as high and wide, each value four times. */
export function upsample(b: NetworkBuilder, x: Value): Value {
  const [channels, height, width] = mapOf(x);
  const scales = b.constant({
    name: "scales 2x2",
    dtype: "float32",
    dims: [4],
    raw: new Uint8Array(Float32Array.of(1, 1, 2, 2).buffer),
  });
  return b.node("Resize", [x, "", scales], {
    attributes: {
      mode: { text: "nearest" },
      coordinate_transformation_mode: { text: "asymmetric" },
      nearest_mode: { text: "floor" },
    },
    dims: [channels, 2 * height, 2 * width],
    power: x.power,
  });
}

/**
 * Nearest multiple of 8, at least 8 and at least nine tenths of what was asked (MobileNet's rule).
 */
export function divisible(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}
