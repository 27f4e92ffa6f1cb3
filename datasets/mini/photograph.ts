import type { Canvas } from "./canvas.js";
import { Random } from "./random.js";

/** What light and lens do to a picture. Factors are 1 where nothing happens. */
export interface Photography {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  readonly tint: readonly [number, number, number];
  /** Light falls off along a direction: 0 is even light, 0.3 means +-30% at the edges. */
  readonly falloff: number;
  readonly lightAngle: number;
  /** Standard deviation of the Gaussian blur in pixels. */
  readonly blur: number;
  /** Standard deviation of the noise in grey levels. */
  readonly noise: number;
}

/**
 * A random photograph; `level` 0 is a clean scan, 1 an ordinary snapshot, 1.5 a bad one. Blur is
 * for a picture `side` pixels wide.
 */
export function anyPhotography(random: Random, level: number, side: number): Photography {
  return {
    brightness: 1 + random.spread(0.35 * level),
    contrast: 1 + random.spread(0.3 * level),
    saturation: 1 + random.spread(0.4 * level),
    tint: [
      1 + random.spread(0.12 * level),
      1 + random.spread(0.12 * level),
      1 + random.spread(0.12 * level),
    ],
    falloff: 0.25 * level * random.next(),
    lightAngle: random.range(0, Math.PI * 2),
    blur: random.chance(0.6) ? random.range(0, 1.6 * level) * (side / 64) : 0,
    noise: random.range(0, 13 * level),
  };
}

/** Applies it in place. */
export function photograph(canvas: Canvas, random: Random, look: Photography): void {
  colour(canvas, look);
  if (look.blur > 0.2) blur(canvas, look.blur);
  if (look.noise > 0.5) addNoise(canvas, random, look.noise);
}

function colour({ width, height, data }: Canvas, look: Photography): void {
  let sum = 0;
  for (const value of data) sum += value;
  const mean = sum / data.length;
  const dx = (Math.cos(look.lightAngle) * 2) / width;
  const dy = (Math.sin(look.lightAngle) * 2) / height;
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const light =
        look.brightness * (1 + look.falloff * ((x - width / 2) * dx + (y - height / 2) * dy));
      const r = (data[at]! - mean) * look.contrast + mean;
      const g = (data[at + 1]! - mean) * look.contrast + mean;
      const b = (data[at + 2]! - mean) * look.contrast + mean;
      const grey = (r + g + b) / 3;
      data[at++] = ((r - grey) * look.saturation + grey) * light * look.tint[0];
      data[at++] = ((g - grey) * look.saturation + grey) * light * look.tint[1];
      data[at++] = ((b - grey) * look.saturation + grey) * light * look.tint[2];
    }
  }
}

/** Separable Gaussian, edges repeated, radius three sigma (at most 9). */
export function blur({ width, height, data }: Canvas, sigma: number): void {
  const radius = Math.min(9, Math.ceil(sigma * 3));
  const kernel = new Float32Array(2 * radius + 1);
  let total = 0;
  for (let i = -radius; i <= radius; i++)
    total += kernel[i + radius] = Math.exp((-i * i) / (2 * sigma * sigma));
  for (let i = 0; i < kernel.length; i++) kernel[i] = kernel[i]! / total;
  const across = new Float32Array(data.length);
  pass(data, across, width, height, 3, width * 3, kernel, radius);
  pass(across, data, height, width, width * 3, 3, kernel, radius);
}

/** One direction: `count` samples `step` apart on each of `lines` lines `stride` apart. */
function pass(
  from: Float32Array,
  to: Float32Array,
  count: number,
  lines: number,
  step: number,
  stride: number,
  kernel: Float32Array,
  radius: number,
): void {
  const last = (count - 1) * step;
  for (let line = 0; line < lines; line++) {
    for (let c = 0; c < 3; c++) {
      const base = line * stride + c;
      for (let i = 0; i < count; i++) {
        let sum = 0;
        let at = (i - radius) * step;
        for (let k = 0; k < kernel.length; k++, at += step)
          sum += kernel[k]! * from[base + (at < 0 ? 0 : at > last ? last : at)]!;
        to[base + i * step] = sum;
      }
    }
  }
}

/**
 * 4096 nearly Gaussian deviates (mean 0, variance 1), each the sum of twelve uniforms less six; the
 * same whatever is rendered first.
 */
const deviates = ((random: Random) =>
  Float32Array.from({ length: 4096 }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random.next();
    return sum;
  }))(new Random("deviates"));

function addNoise({ data }: Canvas, random: Random, sigma: number): void {
  let word = 0;
  for (let i = 0; i < data.length; i++) {
    if (i % 2 === 0) word = random.uint32();
    data[i] = data[i]! + sigma * deviates[i % 2 === 0 ? word & 4095 : (word >>> 12) & 4095]!;
  }
}
