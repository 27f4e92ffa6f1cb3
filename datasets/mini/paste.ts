import type { Canvas } from "./canvas.js";

/** Side of every stored drawing in pixels. */
export const drawingSide = 128;

/**
 * A drawing: RGBA bytes with colours already multiplied by alpha; `levels[n]` is halved n times.
 */
export interface Drawing {
  readonly levels: readonly { readonly side: number; readonly data: Uint8Array }[];
}

/**
 * Builds the half-size copies (2x2 means) that keep small pastes from aliasing. `premultiplied`:
 * side x side RGBA.
 */
export function asDrawing(premultiplied: Uint8Array, side = drawingSide): Drawing {
  const levels = [{ side, data: premultiplied }];
  for (let n = side; n > 16; n /= 2) {
    const from = levels.at(-1)!.data;
    const half = n / 2;
    const to = new Uint8Array(half * half * 4);
    for (let y = 0; y < half; y++) {
      for (let x = 0; x < half; x++) {
        const a = (2 * y * n + 2 * x) * 4;
        const b = a + n * 4;
        for (let c = 0; c < 4; c++)
          to[(y * half + x) * 4 + c] =
            (from[a + c]! + from[a + c + 4]! + from[b + c]! + from[b + c + 4]! + 2) >> 2;
      }
    }
    levels.push({ side: half, data: to });
  }
  return { levels };
}

export type Point = readonly [number, number];
/**
 * Where the drawing's corners land on the canvas, in pixels: top left, top right, bottom right,
 * bottom left.
 */
export type Quad = readonly [Point, Point, Point, Point];

/**
 * The homography that takes `quad` (canvas pixels) back to the unit square, row-major 3x3. Heckbert
 * 1989, section 2.2.3.
 */
export function quadToUnit(quad: Quad): Float64Array {
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = quad;
  const sx = x0 - x1 + x2 - x3;
  const sy = y0 - y1 + y2 - y3;
  const dx1 = x1 - x2;
  const dx2 = x3 - x2;
  const dy1 = y1 - y2;
  const dy2 = y3 - y2;
  const det = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / det;
  const h = (dx1 * sy - sx * dy1) / det;
  const a = x1 - x0 + g * x1;
  const b = x3 - x0 + h * x3;
  const d = y1 - y0 + g * y1;
  const e = y3 - y0 + h * y3;
  // Inverse of [a b x0; d e y0; g h 1] up to scale: its adjugate.
  return Float64Array.of(
    e - y0 * h,
    x0 * h - b,
    b * y0 - x0 * e,
    y0 * g - d,
    a - x0 * g,
    x0 * d - a * y0,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  );
}

/** Told each canvas pixel that the drawing covers, with its alpha 0..1. */
export type Coverage = (index: number, alpha: number) => void;

/**
 * Draws onto the canvas through the homography of `quad`, bilinear, from the level whose size fits.
 * `covered` is called for each pixel with alpha > 0; with `canvas.data` null only the coverage is
 * found.
 */
export function paste(
  canvas: Pick<Canvas, "width" | "height"> & { data: Float32Array | null },
  drawing: Drawing,
  quad: Quad,
  covered?: Coverage,
): void {
  const { width, height, data } = canvas;
  const m = quadToUnit(quad);
  const side =
    (Math.hypot(quad[1][0] - quad[0][0], quad[1][1] - quad[0][1]) +
      Math.hypot(quad[3][0] - quad[0][0], quad[3][1] - quad[0][1])) /
    2;
  let level = drawing.levels[0]!;
  for (const candidate of drawing.levels) if (candidate.side >= side * 0.9) level = candidate;
  const { side: n, data: source } = level;
  const xs = quad.map((p) => p[0]);
  const ys = quad.map((p) => p[1]);
  const left = Math.max(0, Math.floor(Math.min(...xs)));
  const right = Math.min(width - 1, Math.ceil(Math.max(...xs)));
  const top = Math.max(0, Math.floor(Math.min(...ys)));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(...ys)));
  for (let y = top; y <= bottom; y++) {
    const py = y + 0.5;
    for (let x = left; x <= right; x++) {
      const px = x + 0.5;
      const w = m[6]! * px + m[7]! * py + m[8]!;
      const u = ((m[0]! * px + m[1]! * py + m[2]!) / w) * n - 0.5;
      const v = ((m[3]! * px + m[4]! * py + m[5]!) / w) * n - 0.5;
      if (!(u > -1 && v > -1 && u < n && v < n)) continue;
      const x0 = Math.floor(u);
      const y0 = Math.floor(v);
      const fx = u - x0;
      const fy = v - y0;
      // Outside the drawing all is transparent.
      const w00 = x0 >= 0 && y0 >= 0 ? (1 - fx) * (1 - fy) : 0;
      const w10 = x0 < n - 1 && y0 >= 0 ? fx * (1 - fy) : 0;
      const w01 = x0 >= 0 && y0 < n - 1 ? (1 - fx) * fy : 0;
      const w11 = x0 < n - 1 && y0 < n - 1 ? fx * fy : 0;
      const i = (y0 * n + x0) * 4;
      const alpha =
        (w00 && w00 * source[i + 3]!) +
        (w10 && w10 * source[i + 7]!) +
        (w01 && w01 * source[i + n * 4 + 3]!) +
        (w11 && w11 * source[i + n * 4 + 7]!);
      if (alpha <= 0.5) continue;
      const pixel = y * width + x;
      if (data) {
        const keep = 1 - alpha / 255;
        for (let c = 0; c < 3; c++) {
          const ink =
            (w00 && w00 * source[i + c]!) +
            (w10 && w10 * source[i + 4 + c]!) +
            (w01 && w01 * source[i + n * 4 + c]!) +
            (w11 && w11 * source[i + n * 4 + 4 + c]!);
          data[pixel * 3 + c] = data[pixel * 3 + c]! * keep + ink;
        }
      }
      covered?.(pixel, alpha / 255);
    }
  }
}
