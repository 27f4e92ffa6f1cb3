import {
  addClutter,
  anyColour,
  blank,
  fillBackground,
  fillBox,
  quantise,
  type BackgroundKind,
  type Canvas,
} from "./canvas.js";
import { paste, type Drawing, type Point, type Quad } from "./paste.js";
import { anyPhotography, photograph, type Photography } from "./photograph.js";
import { Random } from "./random.js";

/** How one object is photographed on its own. */
export interface Look {
  /**
   * 0 a clean catalogue picture, 1 an ordinary snapshot, 1.5 a bad one: turns, perspective, colour,
   * blur, noise, things in front.
   */
  readonly level: number;
  /** Chance of a white background. */
  readonly white: number;
  /** Side of the object relative to the picture's, from and to. */
  readonly fill: readonly [number, number];
  /** A fixed camera: its colours, blur and slant are the same for everything it sees. */
  readonly camera?: number;
}

export const cleanLook: Look = { level: 0, white: 1, fill: [0.88, 0.94] };

/** A picture of `drawing`, side x side RGB bytes. Equal seeds give equal pictures. */
export function takeShot(drawing: Drawing, seed: string, side: number, look: Look): Uint8Array {
  const random = new Random(seed);
  const canvas = blank(side, side);
  const camera = look.camera === undefined ? null : cameraOf(look.camera);
  background(canvas, random, look, camera);
  paste(canvas, drawing, placement(random, side, look, camera));
  if (random.chance(0.25 * look.level)) {
    fillBox(
      canvas,
      random.range(0, side * 0.7),
      random.range(0, side * 0.7),
      random.range(2, side * 0.3),
      random.range(2, side * 0.3),
      anyColour(random),
    );
  }
  if (look.level > 0)
    photograph(
      canvas,
      random,
      camera
        ? throughCamera(camera, random, look.level, side)
        : anyPhotography(random, look.level, side),
    );
  return quantise(canvas);
}

const grounds: readonly BackgroundKind[] = [
  "plain",
  "plain",
  "gradient",
  "gradient",
  "cloud",
  "cloud",
  "texture",
  "stripes",
];

function background(canvas: Canvas, random: Random, look: Look, camera: Camera | null): void {
  if (random.chance(look.white)) return fillBackground(canvas, random, "white");
  fillBackground(canvas, random, camera ? camera.ground : random.pick(grounds));
  if (random.chance(0.3 * look.level)) addClutter(canvas, random, random.int(1, 4));
}

/** Corners of the drawing: turned, stretched, moved and each pulled a little. */
function placement(random: Random, side: number, look: Look, camera: Camera | null): Quad {
  const { level } = look;
  const half = (side / 2) * random.range(look.fill[0], look.fill[1]);
  const stretch = Math.exp(random.spread(0.12 * level));
  const turn = random.spread(0.35 * level) + (camera?.turn ?? 0);
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const move: Point = [random.spread(0.06 * level * side), random.spread(0.06 * level * side)];
  const corner = (sx: number, sy: number, n: number): Point => {
    const pull = camera?.pull[n] ?? [0, 0];
    const x = sx * half * stretch + (random.spread(0.065 * level) + pull[0]) * side;
    const y = (sy * half) / stretch + (random.spread(0.065 * level) + pull[1]) * side;
    return [side / 2 + move[0] + x * cos - y * sin, side / 2 + move[1] + x * sin + y * cos];
  };
  return [corner(-1, -1, 0), corner(1, -1, 1), corner(1, 1, 2), corner(-1, 1, 3)];
}

interface Camera {
  readonly ground: BackgroundKind;
  readonly turn: number;
  readonly pull: readonly Point[];
  readonly look: Photography;
}

/** Camera number n: what stays the same in all its pictures. */
function cameraOf(n: number): Camera {
  const random = new Random(`camera/${n}`);
  return {
    ground: random.pick(grounds),
    turn: random.spread(0.2),
    pull: Array.from({ length: 4 }, (): Point => [random.spread(0.07), random.spread(0.07)]),
    look: anyPhotography(random, 1, 64),
  };
}

/** The camera's look with the small changes that the hour of the day makes. */
function throughCamera({ look }: Camera, random: Random, level: number, side: number): Photography {
  const now = anyPhotography(random, 0.4 * level, side);
  return {
    brightness: look.brightness * now.brightness,
    contrast: look.contrast * now.contrast,
    saturation: look.saturation * now.saturation,
    tint: [look.tint[0] * now.tint[0], look.tint[1] * now.tint[1], look.tint[2] * now.tint[2]],
    falloff: look.falloff + now.falloff,
    lightAngle: look.lightAngle,
    blur: look.blur * (side / 64),
    noise: look.noise,
  };
}
