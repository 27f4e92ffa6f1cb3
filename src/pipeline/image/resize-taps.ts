import type { Interpolation } from "../types.js";

/** Weights are fixed-point with 11 fractional bits, as OpenCV's INTER_RESIZE_COEF_BITS. */
export const WEIGHT_ONE = 2048;

/**
 * OpenCV's own limit on the side of a picture (CV_IO_MAX_IMAGE_WIDTH); above it float32 coordinates
 * lose their fraction.
 */
export const MAX_SIDE = 1 << 20;

/** Which source samples make up each target sample, along one axis. */
export interface Taps {
  /** Source samples a target sample: 2 (linear) or 4 (cubic). */
  readonly count: 2 | 4;
  /**
   * A target sample's first source sample; may be up to 2 before the start or run up to 2 past the
   * end, where the edge repeats.
   */
  readonly first: Int32Array;
  /** `count` weights a target sample, which add up to about WEIGHT_ONE. */
  readonly weights: Int16Array;
}

const f = Math.fround;

/**
 * OpenCV's resampling positions and weights for one axis (`hal::resize` in
 * modules/imgproc/src/resize.cpp, 4.x), in the float32 arithmetic of a build without fused
 * multiply-add. Along x OpenCV moves a linear tap that would cross the edge onto it
 * (`clampToEdge`); along y it repeats the edge row instead, which rounds differently.
 */
export function resizeTaps(
  source: number,
  target: number,
  interpolation: Interpolation,
  clampToEdge: boolean,
): Taps {
  const count = interpolation === "cubic" ? 4 : 2;
  const first = new Int32Array(target);
  const weights = new Int16Array(target * count);
  const step = 1 / (target / source);
  const cubic = new Float32Array(4);
  for (let i = 0; i < target; i++) {
    const position = f((i + 0.5) * step - 0.5);
    let sample = Math.floor(position);
    let fraction = f(position - sample);
    if (interpolation === "cubic") {
      cubicWeights(fraction, cubic);
      for (let k = 0; k < 4; k++) weights[i * 4 + k] = roundHalfEven(cubic[k]! * WEIGHT_ONE);
      first[i] = sample - 1;
    } else {
      if (clampToEdge && (sample < 0 || sample >= source - 1)) {
        sample = sample < 0 ? 0 : source - 1;
        fraction = 0;
      }
      weights[i * 2] = roundHalfEven(f(1 - fraction) * WEIGHT_ONE);
      weights[i * 2 + 1] = roundHalfEven(fraction * WEIGHT_ONE);
      first[i] = sample;
    }
  }
  return { count, first, weights };
}

/**
 * Keys' cubic convolution with a = -0.75, the operations in the order of OpenCV's
 * `interpolateCubic`, each rounded to float32.
 */
function cubicWeights(x: number, out: Float32Array): void {
  const a = -0.75;
  const before = f(x + 1);
  const after = f(1 - x);
  out[0] = f(f(f(f(f(f(a * before) - 5 * a) * before) + 8 * a) * before) - 4 * a);
  out[1] = f(f(f(f(f((a + 2) * x) - (a + 3)) * x) * x) + 1);
  out[2] = f(f(f(f(f((a + 2) * after) - (a + 3)) * after) * after) + 1);
  out[3] = f(f(f(1 - out[0]!) - out[1]!) - out[2]!);
}

function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}
