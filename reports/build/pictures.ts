import { createHash } from "node:crypto";
import { mkdir, readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { binary, tableFromArrays, tableToIPC, utf8 } from "@uwdata/flechette";
import sharp from "sharp";
import { cutIntoParts } from "./parts.js";
import type { LoadedRun } from "./runs.js";
import type { ShownCase } from "./shown-cases.js";

/** Small WebP pictures of the cases that a site shows. */

export interface Thumbnail {
  readonly set: string;
  readonly picture: string;
  /** `data set/picture`, as the pages ask for it. */
  readonly key: string;
  readonly webp: Uint8Array;
}

interface Wanted {
  /** That shows it first. */
  readonly cell: string;
  readonly set: string;
  readonly root: string;
  readonly picture: string;
  readonly side: number;
}

const kept = fileURLToPath(new URL("../../.cache/report-pictures/", import.meta.url));
/** Longest side in pixels: pictures with boxes are shown larger. */
const side = { boxes: 360, plain: 176 };

/**
 * The thumbnails of the first cases of every cell, at most `budget` of them, those of one cell
 * together. A picture that cannot be read is left out; the page then shows its name.
 */
export async function thumbnails(
  runs: readonly LoadedRun[],
  shown: readonly ShownCase[],
  budget = 2400,
): Promise<Thumbnail[]> {
  const roots = new Map(runs.map((run) => [run.view.key, run.imageRoots]));
  const wanted = new Map<string, Wanted>();
  // The budget goes by priority; where a picture lies goes by the cell that shows it first.
  for (const row of [...shown].sort((a, b) => a.picturePriority - b.picturePriority)) {
    const want = (set: string, picture: string | null, longest: number): void => {
      const root = roots.get(row.record)?.get(set);
      const key = `${set}/${picture}`;
      if (root !== undefined && picture !== null && !wanted.has(key) && wanted.size < budget)
        wanted.set(key, { cell: `${row.record} ${row.cell}`, set, root, picture, side: longest });
    };
    want(row.dataset, row.image, row.boxes === null ? side.plain : side.boxes);
    // A gallery may have a root of its own.
    const gallery = roots.get(row.record)?.has(`${row.dataset} gallery`)
      ? `${row.dataset} gallery`
      : row.dataset;
    for (const picture of neighbourPictures(row)) want(gallery, picture, side.plain);
  }
  const cells = new Map(
    [...new Set([...wanted.values()].map((w) => w.cell))].map((c, i) => [c, i]),
  );
  const queue = [...wanted].sort(([, a], [, b]) => cells.get(a.cell)! - cells.get(b.cell)!);
  const order = new Map(queue.map(([key], i) => [key, i]));
  const made: Thumbnail[] = [];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [key, { set, root, picture, side: longest }] = next;
      const webp = await thumbnail(root, picture, longest).catch(() => null);
      if (webp) made.push({ set, picture, key, webp });
    }
  };
  await mkdir(kept, { recursive: true });
  await Promise.all([worker(), worker(), worker(), worker()]);
  return made.sort((a, b) => order.get(a.key)! - order.get(b.key)!);
}

/** The pictures of the neighbours that a case shows, and of those of each box that was kept. */
function neighbourPictures({ neighbours, boxes }: ShownCase): (string | null)[] {
  const kept = (boxes?.found ?? []).filter(({ fate }) => fate === "kept");
  return [neighbours ?? [], ...kept.map((box) => box.neighbours ?? [])]
    .flat()
    .map(({ picture }) => picture);
}

async function thumbnail(
  root: string,
  picture: string,
  longest: number,
): Promise<Uint8Array | null> {
  const file = await realpath(join(root, picture));
  // a record may not lead out of its image root
  if (!file.startsWith((await realpath(root)) + sep)) return null;
  const { size, mtimeMs } = await stat(file);
  const identity = `${file}\0${size}\0${mtimeMs}\0${longest}`;
  const hash = createHash("sha256").update(identity).digest("hex").slice(0, 32);
  const name = join(kept, `${hash}.webp`);
  try {
    return await readFile(name);
  } catch {
    const webp = await sharp(file, { limitInputPixels: 100_000_000, failOn: "none" })
      .rotate()
      .resize(longest, longest, { fit: "inside", withoutEnlargement: true })
      .webp({ quality: 62 })
      .toBuffer();
    const draft = `${name}.${process.pid}`;
    await writeFile(draft, webp);
    await rename(draft, name);
    return webp;
  }
}

/** As many files hold the pictures, so that a page loads those that it shows. */
const partCount = 24;

/**
 * Files of about equal size, each an Arrow table with the columns `key` and `webp`, and
 * `pictures.json`, which says in which of them a picture lies, by data set and name.
 */
export function pictureFiles(made: readonly Thumbnail[]): Record<string, Uint8Array | string> {
  const parts = cutIntoParts(made, partCount, ({ webp }) => webp.length);
  const places: Record<string, Record<string, number>> = {};
  parts.forEach((part, i) => {
    for (const { set, picture } of part) (places[set] ??= {})[picture] = i;
  });
  const files = parts.map((part, i) => [`pictures-${i}.bin`, picturesArrow(part)]);
  return { "pictures.json": JSON.stringify(places), ...Object.fromEntries(files) };
}

function picturesArrow(made: readonly Thumbnail[]): Uint8Array {
  const table = tableFromArrays(
    { key: made.map((t) => t.key), webp: made.map((t) => t.webp) },
    { types: { key: utf8(), webp: binary() } },
  );
  return tableToIPC(table, { format: "file" }) as Uint8Array;
}
