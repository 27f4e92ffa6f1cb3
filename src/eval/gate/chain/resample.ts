import { resize } from "../../../pipeline/image/resize.js";
import type { Interpolation, Pixels } from "../../../pipeline/types.js";

/** Ways to bring a picture to a size that people feed models by, the pipeline's two among them. */
export type Resampling = Interpolation | "nearest" | "area" | "antialiased";

/**
 * The picture stretched to the size, or scaled to fit and padded with grey as YOLO-like code does.
 */
export type Fit = "stretch" | "letterbox";

/** A letterbox's grey. */
const grey = 114;

export interface Placement {
  readonly pixels: Pixels;
  /** Pixels of the result a pixel of the picture, and where the picture begins in it. */
  readonly scaleX: number;
  readonly scaleY: number;
  readonly left: number;
  readonly top: number;
}

/** Resizes and says where the picture went. */
export function placed(
  pixels: Pixels,
  size: { readonly width: number; readonly height: number },
  how: { readonly resampling: Resampling; readonly fit: Fit },
): Placement {
  const { width, height } = size;
  if (how.fit === "stretch") {
    const scale = { scaleX: width / pixels.width, scaleY: height / pixels.height };
    return { pixels: resample(pixels, width, height, how.resampling), ...scale, left: 0, top: 0 };
  }
  const scale = Math.min(width / pixels.width, height / pixels.height);
  const inner = {
    width: Math.max(1, Math.round(pixels.width * scale)),
    height: Math.max(1, Math.round(pixels.height * scale)),
  };
  const [left, top] = [(width - inner.width) >> 1, (height - inner.height) >> 1];
  const data = new Uint8Array(width * height * 3).fill(grey);
  const small = resample(pixels, inner.width, inner.height, how.resampling);
  for (let y = 0; y < inner.height; y++) {
    const row = small.data.subarray(y * inner.width * 3, (y + 1) * inner.width * 3);
    data.set(row, ((y + top) * width + left) * 3);
  }
  return { pixels: { data, width, height }, scaleX: scale, scaleY: scale, left, top };
}

/** A picture at another size. */
export function resample(pixels: Pixels, width: number, height: number, by: Resampling): Pixels {
  if (by === "linear" || by === "cubic") return resize(pixels, width, height, by);
  const [columns, rows] = [taps(pixels.width, width, by), taps(pixels.height, height, by)];
  const across = new Float64Array(width * pixels.height * 3);
  for (let y = 0; y < pixels.height; y++) {
    columns.forEach((list, x) => {
      for (const { from, weight } of list) {
        for (let c = 0; c < 3; c++) {
          across[(y * width + x) * 3 + c]! +=
            weight * pixels.data[(y * pixels.width + from) * 3 + c]!;
        }
      }
    });
  }
  const data = new Uint8Array(width * height * 3);
  rows.forEach((list, y) => {
    for (let i = 0; i < width * 3; i++) {
      let sum = 0;
      for (const { from, weight } of list) sum += weight * across[from * width * 3 + i]!;
      data[y * width * 3 + i] = Math.max(0, Math.min(255, Math.round(sum)));
    }
  });
  return { data, width, height };
}

interface Tap {
  readonly from: number;
  readonly weight: number;
}

/** What each place of the result is made of. */
function taps(from: number, to: number, by: "nearest" | "area" | "antialiased"): Tap[][] {
  const ratio = from / to;
  return Array.from({ length: to }, (_, place): Tap[] => {
    // OpenCV's INTER_NEAREST takes the corner, not the centre.
    if (by === "nearest")
      return [{ from: Math.min(from - 1, Math.floor(place * ratio)), weight: 1 }];
    const weighted =
      by === "area"
        ? areaTaps(place * ratio, ratio, from)
        : triangleTaps((place + 0.5) * ratio, ratio, from);
    const sum = weighted.reduce((total, tap) => total + tap.weight, 0);
    return weighted.map((tap) => ({ from: tap.from, weight: tap.weight / sum }));
  });
}

/** The mean of the pixels under a pixel of the result (OpenCV's INTER_AREA). */
function areaTaps(start: number, ratio: number, from: number): Tap[] {
  const end = Math.min(from, start + Math.max(ratio, 1e-9));
  const list: Tap[] = [];
  for (let i = Math.floor(start); i < end; i++) {
    list.push({ from: Math.min(i, from - 1), weight: Math.min(end, i + 1) - Math.max(start, i) });
  }
  return list;
}

/** A triangle as wide as a pixel of the result (Pillow's BILINEAR, torchvision's antialias). */
function triangleTaps(centre: number, ratio: number, from: number): Tap[] {
  const reach = Math.max(1, ratio);
  const list: Tap[] = [];
  const first = Math.max(0, Math.floor(centre - reach));
  for (let i = first; i < Math.min(from, Math.ceil(centre + reach)); i++) {
    const weight = 1 - Math.abs(i + 0.5 - centre) / reach;
    if (weight > 0) list.push({ from: i, weight });
  }
  return list;
}
