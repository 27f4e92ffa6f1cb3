import { describe, expect, it } from "vitest";
import { blank, fillBackground, quantise } from "../../datasets/mini/canvas.js";
import {
  asDrawing,
  paste,
  quadToUnit,
  type Drawing,
  type Quad,
} from "../../datasets/mini/paste.js";
import { blur } from "../../datasets/mini/photograph.js";
import { hash32, Random } from "../../datasets/mini/random.js";
import { paintScene, type SceneLook } from "../../datasets/mini/scene.js";
import { cleanLook, takeShot } from "../../datasets/mini/shot.js";

/** An opaque disc or square of one colour on nothing. */
function plain(
  colour: readonly [number, number, number],
  inside: (x: number, y: number) => boolean = () => true,
): Drawing {
  const data = new Uint8Array(128 * 128 * 4);
  for (let y = 0; y < 128; y++)
    for (let x = 0; x < 128; x++) if (inside(x, y)) data.set([...colour, 255], (y * 128 + x) * 4);
  return asDrawing(data);
}
const disc = (x: number, y: number) => (x - 63.5) ** 2 + (y - 63.5) ** 2 < 60 ** 2;

describe("Random", () => {
  it("gives the same stream on every platform", () => {
    const random = new Random("mini/1");
    expect([random.uint32(), random.uint32(), random.uint32()]).toEqual([
      1891559076, 3464651087, 3016805339,
    ]);
    expect(hash32("emoji:red-apple")).toBe(4195782761);
  });

  it("is uniform, and unlike for seeds that differ little", () => {
    const random = new Random("a");
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 20000; i++) bins[Math.floor(random.next() * 10)]!++;
    for (const n of bins) expect(Math.abs(n - 2000)).toBeLessThan(200); // 4.7 standard deviations
    expect(new Random("a1").uint32()).not.toBe(new Random("a2").uint32());
  });

  it("shuffles without losing anything", () => {
    const list = Array.from({ length: 50 }, (_, i) => i);
    const shuffled = new Random(3).shuffle(list);
    expect(shuffled).not.toEqual(list);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(list);
  });
});

describe("paste", () => {
  it("takes the corners of the quad to the unit square", () => {
    const quad: Quad = [
      [10, 12],
      [70, 5],
      [80, 66],
      [3, 59],
    ];
    const m = quadToUnit(quad);
    const corners = quad.map(([x, y]) => {
      const w = m[6]! * x + m[7]! * y + m[8]!;
      return [(m[0]! * x + m[1]! * y + m[2]!) / w, (m[3]! * x + m[4]! * y + m[5]!) / w];
    });
    const expected = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    corners.forEach((corner, i) =>
      corner.forEach((value, c) => {
        expect(value).toBeCloseTo(expected[i]![c]!, 10);
      }),
    );
  });

  it("copies a drawing exactly where the quad is the drawing's own square", () => {
    const data = new Uint8Array(128 * 128 * 4);
    for (let i = 0; i < data.length; i += 4)
      data.set([i % 251, (i * 7) % 253, (i * 3) % 255, 255], i);
    const canvas = blank(128, 128);
    paste(canvas, asDrawing(data), [
      [0, 0],
      [128, 0],
      [128, 128],
      [0, 128],
    ]);
    for (let i = 0; i < 128 * 128; i++)
      for (let c = 0; c < 3; c++)
        expect(Math.abs(canvas.data[i * 3 + c]! - data[i * 4 + c]!)).toBeLessThan(0.01);
  });

  it("covers as many pixels as the quad has, whatever its size", () => {
    for (const side of [9, 30, 61, 100]) {
      let covered = 0;
      paste(
        { width: 128, height: 128, data: null },
        plain([255, 0, 0]),
        [
          [14, 14],
          [14 + side, 14],
          [14 + side, 14 + side],
          [14, 14 + side],
        ],
        (_, alpha) => {
          covered += alpha;
        },
      );
      expect(Math.abs(covered - side * side)).toBeLessThan(side * side * 0.02 + 2);
    }
  });
});

describe("blur", () => {
  it("keeps the sum of a picture and spreads a point as a Gaussian", () => {
    const canvas = blank(41, 41);
    canvas.data[(20 * 41 + 20) * 3] = 1000;
    blur(canvas, 2);
    const row = Array.from({ length: 41 }, (_, x) => canvas.data[(20 * 41 + x) * 3]!);
    expect(canvas.data.reduce((a, b) => a + b, 0)).toBeCloseTo(1000, 1);
    expect(row[22]! / row[20]!).toBeCloseTo(Math.exp(-0.5), 3);
    expect(row[20]).toBe(Math.max(...row));
  });
});

const look: SceneLook = {
  width: [150, 200],
  height: [150, 200],
  objects: [1, 4],
  size: [0.2, 0.5],
  grounds: ["white"],
  clutter: [0, 0],
  visible: 0.6,
  card: 0,
  level: 0,
};

describe("paintScene", () => {
  it("gives the box of an object's visible pixels, to the pixel", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { width, pixels, placed } = paintScene([plain([200, 0, 0], disc)], `one/${seed}`, look);
      expect(placed).toHaveLength(1);
      // On a white ground (248) green falls to half where the red disc covers half; 124 itself may
      // be a little more or less than half.
      const boxOf = (limit: number) => {
        const xs: number[] = [];
        const ys: number[] = [];
        for (let i = 0; i < pixels.length; i += 3)
          if (pixels[i + 1]! <= limit) {
            xs.push((i / 3) % width);
            ys.push(Math.floor(i / 3 / width));
          }
        return [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
      };
      const [inner, outer] = [boxOf(123), boxOf(124)];
      placed[0]!.box.forEach((edge, i) => {
        expect([inner[i], outer[i]]).toContain(edge);
      });
    }
  });

  it("leaves of every object at least the share that its set asks for", () => {
    const drawings = Array.from({ length: 8 }, (_, i) => plain([30 * i, 255 - 30 * i, 40]));
    for (let seed = 0; seed < 10; seed++) {
      const alone = new Map(
        paintScene(drawings, `crowd/${seed}`, { ...look, visible: 0.6 }).placed.map((p) => [
          p.index,
          p,
        ]),
      );
      for (const {
        box: [x0, y0, x1, y1],
        area,
      } of alone.values()) {
        expect(area).toBeGreaterThan(0);
        expect(area).toBeLessThanOrEqual((x1 - x0) * (y1 - y0));
        // A rotated square fills at least half of its box, and 60% of it is visible.
        expect(area).toBeGreaterThan(0.25 * (x1 - x0) * (y1 - y0));
      }
    }
  });

  it("repeats itself for a seed and not for another", () => {
    const drawings = [plain([9, 80, 200], disc)];
    const picture = (seed: string) =>
      Buffer.from(paintScene(drawings, seed, { ...look, level: 1 }).pixels).toString("base64");
    expect(picture("a")).toBe(picture("a"));
    expect(picture("a")).not.toBe(picture("b"));
  });
});

describe("takeShot", () => {
  it("is clean at level 0: the drawing upright and centred on white", () => {
    const pixels = takeShot(plain([0, 0, 200]), "clean", 64, cleanLook);
    const at = (x: number, y: number) => [
      ...pixels.subarray((y * 64 + x) * 3, (y * 64 + x) * 3 + 3),
    ];
    expect(at(32, 32)).toEqual([0, 0, 200]);
    expect(at(0, 0)).toEqual([248, 248, 248]);
    expect(at(32, 10)).toEqual([0, 0, 200]);
  });

  it("gives one camera the same colours whatever it sees", () => {
    const mean = (camera: number, seed: string) => {
      const pixels = takeShot(
        plain([0, 0, 0], () => false),
        seed,
        48,
        { level: 0.5, white: 0, fill: [0.5, 0.5], camera },
      );
      return [0, 1, 2].map(
        (c) => pixels.reduce((sum, v, i) => (i % 3 === c ? sum + v : sum), 0) / (48 * 48),
      );
    };
    // Grounds differ in colour from picture to picture, but light and slant are the camera's: the
    // test is that cameras are told apart by a seed of their own.
    expect(mean(3, "x")).toEqual(mean(3, "x"));
    expect(mean(3, "x")).not.toEqual(mean(4, "x"));
  });
});

describe("quantise", () => {
  it("rounds and clips", () => {
    const canvas = blank(1, 1);
    canvas.data.set([-4, 254.6, 300]);
    expect([...quantise(canvas)]).toEqual([0, 255, 255]);
  });

  it("fills every kind of background with values in range", () => {
    for (const kind of ["white", "plain", "gradient", "cloud", "texture", "stripes"] as const) {
      const canvas = blank(20, 30);
      fillBackground(canvas, new Random(kind), kind);
      for (const v of canvas.data) expect(v >= 0 && v <= 255).toBe(true);
    }
  });
});
