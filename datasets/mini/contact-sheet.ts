import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { writeAtomic } from "../../src/pipeline/atomic-file.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { buildFolder } from "./prepare.js";
import { planners } from "./render.js";

/**
 * The small sample pictures of the README: a row of pictures a set, boxes drawn where there are
 * some. Reads the rendered benchmark. Run with `node datasets/mini/maintain.mjs samples` after
 * `shitu datasets prepare mini`.
 */

const cell = 80;
const columns = 10;

interface Coco {
  readonly images: readonly { id: number; file_name: string; width: number; height: number }[];
  readonly annotations: readonly {
    image_id: number;
    bbox: readonly [number, number, number, number];
  }[];
}

/**
 * Files of a recognition or classification set: the pictures of two or three labels side by side.
 */
async function byLabel(set: string, list: string): Promise<string[]> {
  const rows = (await readFile(join(buildFolder, set, list), "utf8"))
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  const byName = new Map<string, string[]>();
  for (const [file, label] of rows) byName.set(label!, [...(byName.get(label!) ?? []), file!]);
  // Labels from all over the list, not the first ones only.
  const labels = [...byName.keys()].filter(
    (_, i) => i % Math.max(1, Math.floor(byName.size / 5)) === 0,
  );
  return labels.flatMap((label) => byName.get(label)!.slice(0, 2)).slice(0, columns);
}

async function thumbnail(file: string): Promise<Buffer> {
  return sharp(file).resize(cell, cell, { fit: "fill" }).toBuffer();
}

async function withBoxes(set: string): Promise<Buffer[]> {
  const { images, annotations } = JSON.parse(
    await readFile(join(buildFolder, set, "instances.json"), "utf8"),
  ) as Coco;
  return Promise.all(
    images.slice(0, columns).map(async ({ id, file_name, width, height }) => {
      const frames = annotations
        .filter((a) => a.image_id === id)
        .map(({ bbox: [x, y, w, h] }) => `<rect x="${x}" y="${y}" width="${w}" height="${h}"/>`)
        .join("");
      const overlay = Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><g ` +
          `fill="none" stroke="#f00" stroke-width="2">${frames}</g></svg>`,
      );
      const framed = await sharp(join(buildFolder, set, "images", file_name))
        .composite([{ input: overlay }])
        .png()
        .toBuffer();
      return sharp(framed).resize(cell, cell, { fit: "fill" }).toBuffer();
    }),
  );
}

/** Writes datasets/mini/samples.jpg. */
export async function writeContactSheet(
  out = join(projectRoot, "datasets", "mini", "samples.jpg"),
): Promise<void> {
  const rows: Buffer[][] = [];
  for (const name of Object.keys(planners)) {
    if (name.match(/goods|stickers/))
      rows.push(
        await Promise.all(
          (await byLabel(name, "gallery.txt")).map((f) => thumbnail(join(buildFolder, name, f))),
        ),
      );
    else if (name.match(/tokens|logos|faces|shelf/)) {
      const [gallery, query] = await Promise.all([
        byLabel(name, "gallery.txt"),
        byLabel(name, "query.txt"),
      ]);
      rows.push(
        await Promise.all(
          [...query.slice(0, columns / 2), ...gallery.slice(0, columns / 2)].map((f) =>
            thumbnail(join(buildFolder, name, f)),
          ),
        ),
      );
    } else if (name === "mini-classes")
      rows.push(
        await Promise.all(
          (await byLabel(name, "val.txt")).map((f) => thumbnail(join(buildFolder, name, f))),
        ),
      );
    else rows.push(await withBoxes(name));
  }
  const label = 110;
  const width = label + columns * (cell + 4);
  const height = rows.length * (cell + 4);
  const names = Object.keys(planners)
    .map(
      (name, i) =>
        `<text x="4" y="${i * (cell + 4) + cell / 2}" font-family="sans-serif" ` +
        `font-size="13">${name.replace("mini-", "")}</text>`,
    )
    .join("");
  const sheet = sharp({ create: { width, height, channels: 3, background: "#fff" } }).composite([
    {
      input: Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" ` +
          `height="${height}">${names}</svg>`,
      ),
      left: 0,
      top: 0,
    },
    ...rows.flatMap((row, r) =>
      row.map((input, c) => ({ input, left: label + c * (cell + 4), top: r * (cell + 4) })),
    ),
  ]);
  await writeAtomic(out, await sheet.jpeg({ quality: 72 }).toBuffer());
}
