import { letterboxed } from "./letterbox.js";
import { checkTarget, patchOf, resizeWindow, shortSideSize } from "./resize.js";
import { resizeKernel, type TensorFormat } from "./resize-kernel.js";
import type { Box, Pixels, Preprocessing } from "../types.js";

export { type KernelName, preprocessingKernel, usePreprocessingKernel } from "./resize-kernel.js";

/** Where a tensor goes: `out[offset]` takes its first float. */
export interface TensorTarget {
  readonly out: Float32Array;
  readonly offset: number;
}

/**
 * One picture, or a window of it, as a model's input: resize, then `(value * scale - mean[c]) /
 * std[c]` in float32, in one pass without a picture in between. Floats are those of PaddleClas's
 * ResizeImage, NormalizeImage and ToCHWImage with OpenCV and NumPy, bit for bit; `mean` and `std`
 * are in the tensor's channel order, as there. Computed on the calling thread.
 *
 * @returns the 3 x height x width (`nchw`) or height x width x 3 (`nhwc`) floats: a view of
 * `target.out` where one is given.
 * @throws RangeError where the window is empty or leaves the picture, or `target` has no room.
 */
export function toTensor(
  pixels: Pixels,
  spec: Preprocessing,
  target?: TensorTarget,
  window?: Box,
): Float32Array {
  if (spec.letterbox) {
    const { letterbox, interpolation } = spec;
    const framed = letterboxed(pixels, window, spec, letterbox, interpolation);
    return stretched(framed, spec, target, undefined);
  }
  if (spec.resizeShort === undefined) return stretched(pixels, spec, target, window);
  const { resized, middle } = shortened(pixels, spec, spec.resizeShort, window);
  return stretched(resized, spec, target, middle);
}

function stretched(
  pixels: Pixels,
  spec: Preprocessing,
  target: TensorTarget | undefined,
  window: Box | undefined,
): Float32Array {
  const { width, height, interpolation } = spec;
  checkTarget(width, height);
  const length = tensorLength(spec);
  const { out, offset } = target ?? { out: new Float32Array(length), offset: 0 };
  if (!Number.isInteger(offset) || offset < 0 || offset + length > out.length) {
    throw new RangeError(`a tensor of ${length} floats does not fit at ${offset} of ${out.length}`);
  }
  resizeKernel().toTensor(
    patchOf(pixels, window),
    width,
    height,
    interpolation,
    formatOf(spec),
    out,
    offset,
  );
  return out.subarray(offset, offset + length);
}

/**
 * A picture whose shorter side was resized to `short`, and its middle of the tensor's size
 * (PaddleClas's ResizeImage with `resize_short`, then CropImage: at whole pixels, rounded towards
 * the origin). Resized to its own size once more, the middle stays as it is.
 */
function shortened(
  pixels: Pixels,
  { width, height, interpolation }: Preprocessing,
  short: number,
  window: Box | undefined,
): { resized: Pixels; middle: Box } {
  const { x0, y0, x1, y1 } = window ?? { x0: 0, y0: 0, x1: pixels.width, y1: pixels.height };
  const size = shortSideSize({ width: x1 - x0, height: y1 - y0 }, short);
  const left = Math.floor((size.width - width) / 2);
  const top = Math.floor((size.height - height) / 2);
  return {
    resized: resizeWindow(pixels, window, size, interpolation),
    middle: { x0: left, y0: top, x1: left + width, y1: top + height },
  };
}

/** Floats in one picture's tensor. */
export function tensorLength({ width, height }: Pick<Preprocessing, "width" | "height">): number {
  return width * height * 3;
}

const formats = new WeakMap<Preprocessing, TensorFormat>();

function formatOf(spec: Preprocessing): TensorFormat {
  const known = formats.get(spec);
  if (known) return known;
  const format = {
    table: valueTable(spec),
    reversed: spec.colour === "bgr",
    interleaved: spec.layout === "nhwc",
  };
  formats.set(spec, format);
  return format;
}

/**
 * What each of the 256 values becomes in each channel, every operation rounded to float32 as NumPy
 * does.
 */
function valueTable({ scale, mean, std }: Preprocessing): Float32Array {
  const f = Math.fround;
  return Float32Array.from({ length: 3 * 256 }, (_, i) => {
    const channel = i >> 8;
    return f(f(f((i & 255) * f(scale)) - f(mean[channel]!)) / f(std[channel]!));
  });
}
