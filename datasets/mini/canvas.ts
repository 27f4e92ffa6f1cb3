import type { Random } from "./random.js";

/** A picture in the making: RGB floats 0..255, interleaved, row-major. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

export type Rgb = readonly [number, number, number];

export function blank(width: number, height: number): Canvas {
  return { width, height, data: new Float32Array(width * height * 3) };
}

export function anyColour(random: Random): Rgb {
  return [random.range(0, 255), random.range(0, 255), random.range(0, 255)];
}

/** Rounded and clipped to bytes. */
export function quantise({ data }: Canvas): Uint8Array {
  const out = new Uint8ClampedArray(data.length); // rounds to nearest (ties to even) and clips
  out.set(data);
  return new Uint8Array(out.buffer);
}

export type BackgroundKind = "white" | "plain" | "gradient" | "cloud" | "texture" | "stripes";

/** Fills the canvas. "cloud" is value noise on a 5x5 lattice, "texture" adds a finer one. */
export function fillBackground(canvas: Canvas, random: Random, kind: BackgroundKind): void {
  const { width, height, data } = canvas;
  if (kind === "cloud" || kind === "texture") {
    const coarse = lattice(random, 5);
    const fine = kind === "texture" ? lattice(random, 17) : null;
    addLattice(canvas, coarse, 5, fine ? 0.5 : 1);
    if (fine) addLattice(canvas, fine, 17, 0.5);
    return;
  }
  const first: Rgb = kind === "white" ? [248, 248, 248] : anyColour(random);
  const second = kind === "gradient" || kind === "stripes" ? anyColour(random) : first;
  const angle = random.range(0, Math.PI * 2);
  const dx = (Math.cos(angle) * 2) / width;
  const dy = (Math.sin(angle) * 2) / height;
  const bands = random.range(1, 7);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const along = ((x - width / 2) * dx + (y - height / 2) * dy) * 0.5 + 0.5;
      const t =
        kind === "gradient"
          ? along < 0
            ? 0
            : along > 1
              ? 1
              : along
          : kind === "stripes"
            ? Math.floor(along * bands + 64) & 1
            : 0;
      data[at++] = first[0] + (second[0] - first[0]) * t;
      data[at++] = first[1] + (second[1] - first[1]) * t;
      data[at++] = first[2] + (second[2] - first[2]) * t;
    }
  }
}

function lattice(random: Random, side: number): Float32Array {
  return Float32Array.from({ length: side * side * 3 }, () => random.range(0, 255));
}

/** Adds a side x side lattice of colours, stretched over the canvas by bilinear interpolation. */
function addLattice(
  { width, height, data }: Canvas,
  grid: Float32Array,
  side: number,
  weight: number,
): void {
  let at = 0;
  for (let y = 0; y < height; y++) {
    const v = (y / Math.max(1, height - 1)) * (side - 1);
    const y0 = Math.min(side - 2, Math.floor(v));
    const fy = v - y0;
    for (let x = 0; x < width; x++) {
      const u = (x / Math.max(1, width - 1)) * (side - 1);
      const x0 = Math.min(side - 2, Math.floor(u));
      const fx = u - x0;
      const a = (y0 * side + x0) * 3;
      const b = a + side * 3;
      for (let c = 0; c < 3; c++) {
        const top = grid[a + c]! + (grid[a + c + 3]! - grid[a + c]!) * fx;
        const bottom = grid[b + c]! + (grid[b + c + 3]! - grid[b + c]!) * fx;
        data[at] = data[at]! + weight * (top + (bottom - top) * fy);
        at++;
      }
    }
  }
}

/** Rectangles, ellipses and lines that belong to nothing: what a detector must not find. */
export function addClutter(canvas: Canvas, random: Random, pieces: number): void {
  const { width, height } = canvas;
  for (let i = 0; i < pieces; i++) {
    const w = random.range(4, width / 2);
    const h = random.range(2, height / 3);
    const x = random.range(-20, width);
    const y = random.range(-20, height);
    const colour = anyColour(random);
    const shape = random.next();
    if (shape < 0.5)
      fillBox(canvas, x, y, w, h, colour, random.chance(0.6) ? Infinity : random.range(1, 3));
    else if (shape < 0.8) fillEllipse(canvas, x, y, w, h, colour, random.chance(0.6));
    else
      drawLine(
        canvas,
        x,
        y,
        x + w,
        y + h * (random.chance(0.5) ? 1 : -1),
        random.range(0.5, 2.5),
        colour,
      );
  }
}

function put({ width, data }: Canvas, x: number, y: number, [r, g, b]: Rgb): void {
  const at = (y * width + x) * 3;
  data[at] = r;
  data[at + 1] = g;
  data[at + 2] = b;
}

/** A box, filled (`rim` Infinity) or as an outline `rim` pixels thick. */
export function fillBox(
  canvas: Canvas,
  x: number,
  y: number,
  w: number,
  h: number,
  colour: Rgb,
  rim = Infinity,
): void {
  const y1 = Math.min(canvas.height, Math.ceil(y + h));
  const x1 = Math.min(canvas.width, Math.ceil(x + w));
  for (let py = Math.max(0, Math.ceil(y)); py < y1; py++) {
    for (let px = Math.max(0, Math.ceil(x)); px < x1; px++) {
      if (Math.min(px - x, py - y, x + w - px, y + h - py) <= rim) put(canvas, px, py, colour);
    }
  }
}

function fillEllipse(
  canvas: Canvas,
  x: number,
  y: number,
  w: number,
  h: number,
  colour: Rgb,
  filled: boolean,
): void {
  const y1 = Math.min(canvas.height, Math.ceil(y + h));
  const x1 = Math.min(canvas.width, Math.ceil(x + w));
  for (let py = Math.max(0, Math.ceil(y)); py < y1; py++) {
    for (let px = Math.max(0, Math.ceil(x)); px < x1; px++) {
      const u = (px - x - w / 2) / (w / 2);
      const v = (py - y - h / 2) / (h / 2);
      const d = u * u + v * v;
      if (d <= 1 && (filled || d > 0.8)) put(canvas, px, py, colour);
    }
  }
}

function drawLine(
  canvas: Canvas,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  half: number,
  colour: Rgb,
): void {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const nx = (y1 - y0) / length;
  const ny = (x0 - x1) / length;
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - half));
  const bottom = Math.min(canvas.height - 1, Math.ceil(Math.max(y0, y1) + half));
  const left = Math.max(0, Math.floor(Math.min(x0, x1) - half));
  const right = Math.min(canvas.width - 1, Math.ceil(Math.max(x0, x1) + half));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++)
      if (Math.abs((x - x0) * nx + (y - y0) * ny) <= half) put(canvas, x, y, colour);
  }
}
