import {
  addClutter,
  anyColour,
  blank,
  fillBackground,
  quantise,
  type BackgroundKind,
  type Canvas,
} from "./canvas.js";
import { paste, type Drawing, type Point, type Quad } from "./paste.js";
import { anyPhotography, photograph } from "./photograph.js";
import { Random } from "./random.js";

/**
 * What a kind of scene looks like. Sizes are of an object's longer side, relative to the picture's
 * shorter.
 */
export interface SceneLook {
  readonly width: readonly [number, number];
  readonly height: readonly [number, number];
  readonly objects: readonly [number, number];
  readonly size: readonly [number, number];
  readonly grounds: readonly BackgroundKind[];
  readonly clutter: readonly [number, number];
  /** The least share of an object that the ones in front of it must leave visible. */
  readonly visible: number;
  /** Chance that an object is printed on a card, as a packaged good is. */
  readonly card: number;
  readonly level: number;
}

/**
 * An object of a scene. The box is that of its visible pixels (alpha of 0.5 or more), exact to the
 * pixel, half-open.
 */
export interface Placed {
  readonly index: number;
  readonly box: readonly [x0: number, y0: number, x1: number, y1: number];
  /** Visible pixels. */
  readonly area: number;
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  readonly placed: readonly Placed[];
}

/**
 * Paints one scene with up to `drawings.length` objects, in this order from back to front; one that
 * finds no room is left out.
 */
export function paintScene(drawings: readonly Drawing[], seed: string, look: SceneLook): Scene {
  const random = new Random(seed);
  const width = random.int(...look.width);
  const height = random.int(...look.height);
  const canvas = blank(width, height);
  fillBackground(canvas, random, random.pick(look.grounds));
  addClutter(canvas, random, random.int(...look.clutter));
  const owner = new Int16Array(width * height).fill(-1);
  const whole: number[] = [];
  const visible: number[] = [];
  drawings.forEach((drawing, index) => {
    for (let attempt = 0; attempt < 12; attempt++) {
      const quad = somewhere(random, width, height, look);
      const card = random.chance(look.card);
      const inner = card ? shrink(quad, 0.78) : quad;
      const mask = footprint(canvas, drawing, inner, card ? quad : null);
      const { full, inside } = mask;
      // At least 60% in the picture, big enough to see, and none behind it hidden too far.
      if (inside.length < 0.6 * full || inside.length < 24) continue;
      const hidden = new Map<number, number>();
      for (const pixel of inside) {
        const other = owner[pixel]!;
        if (other >= 0) hidden.set(other, (hidden.get(other) ?? 0) + 1);
      }
      if ([...hidden].some(([other, n]) => visible[other]! - n < look.visible * whole[other]!))
        continue;
      for (const [other, n] of hidden) visible[other] = visible[other]! - n;
      for (const pixel of inside) owner[pixel] = index;
      whole[index] = inside.length;
      visible[index] = inside.length;
      if (card) paste(canvas, plainCard(random), quad);
      paste(canvas, drawing, inner);
      return;
    }
  });
  photograph(canvas, random, {
    ...anyPhotography(random, look.level, 64),
    blur: random.chance(0.4) ? random.range(0.2, 1.4) * look.level : 0,
  });
  return { width, height, pixels: quantise(canvas), placed: boxes(owner, width, drawings.length) };
}

function somewhere(random: Random, width: number, height: number, look: SceneLook): Quad {
  const short = Math.min(width, height);
  const half = (short * random.scale(...look.size)) / 2;
  const stretch = Math.exp(random.spread(0.2));
  const turn = random.spread(0.35);
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const cx = random.range(half * 0.6, width - half * 0.6);
  const cy = random.range(half * 0.6, height - half * 0.6);
  const corner = (sx: number, sy: number): Point => {
    const x = sx * half * stretch + random.spread(0.1 * half);
    const y = (sy * half) / stretch + random.spread(0.1 * half);
    return [cx + x * cos - y * sin, cy + x * sin + y * cos];
  };
  return [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
}

/** The quad drawn in towards its middle. */
function shrink(quad: Quad, factor: number): Quad {
  const mx = quad.reduce((sum, [x]) => sum + x, 0) / 4;
  const my = quad.reduce((sum, [, y]) => sum + y, 0) / 4;
  const to = ([x, y]: Point): Point => [mx + (x - mx) * factor, my + (y - my) * factor];
  return [to(quad[0]), to(quad[1]), to(quad[2]), to(quad[3])];
}

/**
 * Pixels that the object covers by half or more, and how many they would be without the picture's
 * edge.
 */
function footprint(
  canvas: Canvas,
  drawing: Drawing,
  quad: Quad,
  card: Quad | null,
): { full: number; inside: number[] } {
  const shape = card ? solid : drawing;
  const outline = card ?? quad;
  const inside: number[] = [];
  paste(
    { width: canvas.width, height: canvas.height, data: null },
    shape,
    outline,
    (pixel, alpha) => {
      if (alpha >= 0.5) inside.push(pixel);
    },
  );
  const reach = outline.reduce(
    (most, [x, y]) => Math.max(most, -x, -y, x - canvas.width, y - canvas.height),
    0,
  );
  if (reach <= 0) return { full: inside.length, inside };
  const margin = Math.ceil(reach) + 1;
  const shifted = outline.map(([x, y]): Point => [x + margin, y + margin]) as unknown as Quad;
  let full = 0;
  paste(
    { width: canvas.width + 2 * margin, height: canvas.height + 2 * margin, data: null },
    shape,
    shifted,
    (_, alpha) => {
      if (alpha >= 0.5) full++;
    },
  );
  return { full, inside };
}

/** A drawing that is one opaque colour, fine enough for a sharp edge. */
function block(r: number, g: number, b: number): Drawing {
  const side = 64;
  const data = new Uint8Array(side * side * 4);
  for (let i = 0; i < data.length; i += 4) data.set([r, g, b, 255], i);
  return { levels: [{ side, data }] };
}
const solid = block(0, 0, 0);

function plainCard(random: Random): Drawing {
  const [r, g, b] = random.chance(0.4) ? [245, 245, 245] : anyColour(random);
  return block(r, g, b);
}

function boxes(owner: Int16Array, width: number, count: number): Placed[] {
  const found = Array.from({ length: count }, () => ({
    x0: Infinity,
    y0: Infinity,
    x1: -1,
    y1: -1,
    area: 0,
  }));
  for (let pixel = 0; pixel < owner.length; pixel++) {
    const index = owner[pixel]!;
    if (index < 0) continue;
    const box = found[index]!;
    const x = pixel % width;
    const y = (pixel - x) / width;
    if (x < box.x0) box.x0 = x;
    if (x > box.x1) box.x1 = x;
    if (y < box.y0) box.y0 = y;
    if (y > box.y1) box.y1 = y;
    box.area++;
  }
  return found.flatMap(({ x0, y0, x1, y1, area }, index) =>
    area > 0 ? [{ index, box: [x0, y0, x1 + 1, y1 + 1] as const, area }] : [],
  );
}
