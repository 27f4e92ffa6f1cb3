import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { Random } from "../../src/eval/stats/random.js";

/** Drawn pictures with known boxes, as material for the report tests. */

export const pictureNames: readonly string[] = Array.from(
  { length: 24 },
  (_, i) => `scene-${String(i).padStart(2, "0")}.png`,
);

interface Shape {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly hue: number;
}

/** One to four shapes in a picture of 640 x 480; the same name gives the same. */
export function pictureBoxes(name: string): { width: number; height: number; boxes: Shape[] } {
  const random = new Random(name);
  const [width, height] = [640, 480];
  const boxes = Array.from({ length: 1 + random.below(4) }, (_, i) => {
    const x0 = 20 + 150 * i + random.next() * 30;
    const y0 = 40 + random.next() * 180;
    return {
      x0,
      y0,
      x1: x0 + 80 + random.next() * 50,
      y1: y0 + 90 + random.next() * 120,
      hue: random.below(360),
    };
  });
  return { width, height, boxes };
}

export async function makePictures(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all(
    pictureNames.map(async (name) => {
      const { width, height, boxes } = pictureBoxes(name);
      const shapes = boxes
        .map((b, i) =>
          i % 2 === 0
            ? `<rect x="${b.x0}" y="${b.y0}" width="${b.x1 - b.x0}" height="${b.y1 - b.y0}" ` +
              `rx="26" fill="hsl(${b.hue} 55% 52%)"/>`
            : `<ellipse cx="${(b.x0 + b.x1) / 2}" cy="${(b.y0 + b.y1) / 2}" ` +
              `rx="${(b.x1 - b.x0) / 2}" ry="${(b.y1 - b.y0) / 2}" fill="hsl(${b.hue} 45% ` +
              `45%)"/>`,
        )
        .join("");
      const svg =
        `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" ` +
        `height="${height}"><defs><linearGradient id="g" x2="0" y2="1"><stop ` +
        `stop-color="#e9e4da"/><stop offset="1" ` +
        `stop-color="#b9b2a4"/></linearGradient></defs><rect width="100%" ` +
        `height="100%" fill="url(#g)"/>${shapes}</svg>`;
      await sharp(Buffer.from(svg)).png().toFile(join(folder, name));
    }),
  );
}
