import { resizeKernel } from "./resize-kernel.js";
import type { Patch } from "./resize-rows.js";
import { MAX_SIDE } from "./resize-taps.js";
import type { Box, Interpolation, Pixels } from "../types.js";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Resizes a picture to `width` x `height`, bit for bit as `cv2.resize` of OpenCV 4.x with
 * INTER_LINEAR or INTER_CUBIC (a = -0.75, no antialiasing; the aspect ratio is not kept).
 *
 * @throws RangeError where a size is no integer from 1 to 1,048,576, or `pixels` does not hold what
 * it says.
 */
export function resize(
  pixels: Pixels,
  width: number,
  height: number,
  interpolation: Interpolation,
): Pixels {
  return resizeWindow(pixels, undefined, { width, height }, interpolation);
}

/** The same for a window of a picture (all of it where there is none), which it must not leave. */
export function resizeWindow(
  pixels: Pixels,
  window: Box | undefined,
  { width, height }: Size,
  interpolation: Interpolation,
): Pixels {
  checkTarget(width, height);
  const data = new Uint8Array(width * height * 3);
  resizeKernel().toBytes(patchOf(pixels, window), width, height, interpolation, data);
  return { data, width, height };
}

/**
 * A picture's size once its shorter side has `short` px, as PaddleClas's `ResizeImage` with
 * `resize_short` computes it: both sides times short / min(width, height), rounded half to even.
 */
export function shortSideSize({ width, height }: Size, short: number): Size {
  const scale = short / Math.min(width, height);
  return { width: halfToEven(width * scale), height: halfToEven(height * scale) };
}

/** Python's `round`. */
export function halfToEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * The window of a picture (default: all of it) as rows of bytes, without a copy.
 *
 * @throws RangeError where the window is empty, not made of integers or not inside the picture.
 */
export function patchOf({ data, width, height }: Pixels, window?: Box): Patch {
  if (!isSide(width) || !isSide(height) || data.length !== width * height * 3) {
    throw new RangeError(`pixels of ${width} x ${height} hold ${data.length} bytes`);
  }
  if (!window) return { data, offset: 0, stride: width * 3, width, height };
  const { x0, y0, x1, y1 } = window;
  const inside =
    [x0, y0, x1, y1].every(Number.isInteger) &&
    x0 >= 0 &&
    y0 >= 0 &&
    x1 <= width &&
    y1 <= height &&
    x1 > x0 &&
    y1 > y0;
  if (!inside)
    throw new RangeError(
      `window [${x0}, ${y0}, ${x1}, ${y1}] is not a part of a picture of ${width} x ${height}`,
    );
  return {
    data,
    offset: (y0 * width + x0) * 3,
    stride: width * 3,
    width: x1 - x0,
    height: y1 - y0,
  };
}

/** @throws RangeError where a target size is no integer from 1 to 1,048,576. */
export function checkTarget(width: number, height: number): void {
  if (!isSide(width) || !isSide(height))
    throw new RangeError(`cannot resize to ${width} x ${height}`);
}

function isSide(length: number): boolean {
  return Number.isInteger(length) && length >= 1 && length <= MAX_SIDE;
}
