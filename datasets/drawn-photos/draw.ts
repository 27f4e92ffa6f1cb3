import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { stringify } from "yaml";
import { writeAtomic } from "../../src/pipeline/atomic-file.js";
import { scratchBeside, sweepScratch } from "../../src/pipeline/scratch.js";
import { uniform } from "../../src/pipeline/seeded-random.js";

/**
 * Pictures of a photograph's size for timing, where the user has none: shapes over gradients,
 * grain, JPEG. They cost what a photograph costs to decode and to resize, and show nothing to
 * recognise.
 */

export const drawnPhotos = { count: 24, width: 1280, height: 960 } as const;

/**
 * Draws the pictures and a manifest into `folder` where they are not there, and names the manifest.
 */
export async function drawPhotos(folder: string): Promise<string> {
  const manifest = join(folder, "manifest.yaml");
  if (existsSync(manifest)) return manifest;
  const draft = scratchBeside(folder);
  await mkdir(draft, { recursive: true });
  await sweepScratch(dirname(folder));
  try {
    const names = Array.from({ length: drawnPhotos.count }, (_, i) => `photo-${i}.jpg`);
    for (const [i, name] of names.entries()) await writeAtomic(join(draft, name), await photo(i));
    const lines = names.map((name, i) => `${name}\tthing ${i}\n`);
    await writeAtomic(join(draft, "gallery.txt"), lines.join(""));
    await writeAtomic(join(draft, "manifest.yaml"), manifestText());
    await rename(draft, folder).catch((error: unknown) => {
      if (!existsSync(manifest)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return manifest;
}

function manifestText(): string {
  const { count, width, height } = drawnPhotos;
  return stringify({
    schema: 1,
    task: "recognition",
    name: "drawn-photos",
    title: `${count} drawn pictures of ${width} x ${height} pixels`,
    version: 1,
    licence: "Apache-2.0",
    origin: "drawn by datasets/drawn-photos",
    images: ".",
    evaluation: "leave-one-out",
    gallery: { list: "gallery.txt", delimiter: "tab" },
  });
}

async function photo(seed: number): Promise<Buffer> {
  const next = uniform(seed + 1);
  const { width, height } = drawnPhotos;
  const hue = (): string => `hsl(${Math.floor(360 * next())} 60% ${30 + Math.floor(40 * next())}%)`;
  const shapes = Array.from({ length: 12 }, () => {
    const [x, y, r] = [width * next(), height * next(), 40 + 160 * next()].map(Math.floor);
    if (next() < 0.5) return `<circle cx="${x}" cy="${y}" r="${r}" fill="${hue()}"/>`;
    const h = Math.floor(r! * (0.5 + next()));
    return `<rect x="${x}" y="${y}" width="${r}" height="${h}" fill="${hue()}"/>`;
  });
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs>` +
    `<linearGradient id="g"><stop stop-color="${hue()}"/><stop offset="1" stop-color="${hue()}"/>` +
    '</linearGradient></defs><rect width="100%" height="100%" fill="url(#g)"/>' +
    `${shapes.join("")}</svg>`;
  const { data, info } = await sharp(Buffer.from(svg))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  for (let i = 0; i < data.length; i++)
    data[i] = Math.max(0, Math.min(255, data[i]! + 24 * (next() - 0.5)));
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
}
