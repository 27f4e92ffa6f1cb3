import type { Box, Interpolation, Letterbox, Pixels } from "../types.js";
import { halfToEven, resizeWindow, type Size } from "./resize.js";

/** Where a picture lies in its frame: its size there, its upper left corner, and the scale. */
export interface LetterboxPlace extends Size {
  readonly left: number;
  readonly top: number;
  /** Pixels of the frame a pixel of the picture. */
  readonly scale: number;
}

/**
 * A picture's place in a frame of another aspect ratio, scaled by the smaller of the two ratios.
 *
 * `corner`: upper left, sizes cut to whole pixels, as YOLOX's `preproc`
 * (yolox/data/data_augment.py). `centre`: in the middle, sizes rounded half to even, the odd pixel
 * right and below, as `LetterBox` of Ultralytics (ultralytics/data/augment.py) and
 * `LetterBoxResize` of PaddleDetection (deploy/python/preprocess.py).
 */
export function letterboxOf(picture: Size, frame: Size, place: Letterbox["place"]): LetterboxPlace {
  const scale = Math.min(frame.width / picture.width, frame.height / picture.height);
  const whole = place === "corner" ? Math.trunc : halfToEven;
  const width = Math.max(1, whole(picture.width * scale));
  const height = Math.max(1, whole(picture.height * scale));
  const before = (room: number): number =>
    place === "corner" ? 0 : Math.max(0, halfToEven(room / 2 - 0.1));
  return {
    scale,
    width,
    height,
    left: before(frame.width - width),
    top: before(frame.height - height),
  };
}

/** The picture, or a window of it, in its frame, with the fill around it. */
export function letterboxed(
  pixels: Pixels,
  window: Box | undefined,
  frame: Size,
  { place, fill }: Letterbox,
  interpolation: Interpolation,
): Pixels {
  const { x0, y0, x1, y1 } = window ?? { x0: 0, y0: 0, x1: pixels.width, y1: pixels.height };
  const { left, top, ...size } = letterboxOf({ width: x1 - x0, height: y1 - y0 }, frame, place);
  const resized = resizeWindow(pixels, window, size, interpolation);
  const data = new Uint8Array(frame.width * frame.height * 3).fill(fill);
  for (let y = 0; y < size.height; y++) {
    const row = resized.data.subarray(y * size.width * 3, (y + 1) * size.width * 3);
    data.set(row, ((top + y) * frame.width + left) * 3);
  }
  return { data, width: frame.width, height: frame.height };
}
