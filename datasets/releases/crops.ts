import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeAtomic } from "../../src/pipeline/atomic-file.js";
import { UserError } from "../../src/pipeline/errors.js";
import { crop, decode, encodeJpeg } from "../../src/pipeline/image/image.js";
import { safePath } from "../../src/pipeline/image/image-root.js";
import type { Box, Progress } from "../../src/pipeline/types.js";
import { formatList } from "../formats/paddleclas-list.js";

/** One object of a release's picture, to be cut out. */
export interface Cut {
  /** The picture, below the release's image root. */
  readonly picture: string;
  readonly box: Box;
  readonly label: string;
  /** Where the crop goes, below the prepared folder. */
  readonly crop: string;
}

/** Crops by the list that they go to. */
export type CutLists = Readonly<Record<string, readonly Cut[]>>;

export interface Prepared {
  readonly folder: string;
  readonly lists: Readonly<Record<string, number>>;
  /** Pictures or boxes that gave none: named, with the reason. */
  readonly failed: readonly { readonly item: string; readonly message: string }[];
}

/**
 * Cuts every object out of its picture, by its annotated box without a margin, clipped to the
 * picture, and writes the lists of the crops (path, label; tabs). Crops that are there are kept, so
 * that a run that was broken off goes on; the lists are written last.
 *
 * @throws UserError `release-empty` where not one crop could be made.
 */
export async function prepareCrops(
  lists: CutLists,
  images: string,
  folder: string,
  progress: Progress,
): Promise<Prepared> {
  const failed: { item: string; message: string }[] = [];
  const total = Object.values(lists).reduce((n, cuts) => n + cuts.length, 0);
  const written: Record<string, Cut[]> = {};
  let done = 0;
  for (const [list, cuts] of Object.entries(lists)) {
    written[list] = [];
    for (const cut of cuts) {
      try {
        await writeCrop(cut, images, folder);
        written[list].push(cut);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        failed.push({ item: cut.picture, message: error.message });
      }
      progress(++done, total);
    }
  }
  if (failed.length === total) throw empty(images, total, failed[0]?.message);
  for (const [list, cuts] of Object.entries(written)) {
    const rows = cuts.map((c) => ({ path: c.crop, label: c.label }));
    await writeAtomic(join(folder, list), formatList(rows));
  }
  const counts = Object.entries(written).map(([list, cuts]) => [list, cuts.length]);
  return { folder, lists: Object.fromEntries(counts) as Record<string, number>, failed };
}

async function writeCrop({ picture, box, crop: name }: Cut, images: string, folder: string) {
  const target = safePath(folder, name);
  if (existsSync(target)) return;
  const pixels = await decode(safePath(images, picture));
  const clipped = {
    x0: Math.max(0, Math.floor(box.x0)),
    y0: Math.max(0, Math.floor(box.y0)),
    x1: Math.min(pixels.width, Math.ceil(box.x1)),
    y1: Math.min(pixels.height, Math.ceil(box.y1)),
  };
  if (clipped.x1 <= clipped.x0 || clipped.y1 <= clipped.y0)
    throw new UserError({
      code: "box-outside",
      message: `a box of ${picture} lies outside of it`,
      expected: `within ${pixels.width} x ${pixels.height}`,
      found: `${box.x0}, ${box.y0}, ${box.x1}, ${box.y1}`,
    });
  await mkdir(dirname(target), { recursive: true });
  await writeAtomic(target, await encodeJpeg(crop(pixels, clipped), 95));
}

function empty(images: string, total: number, why = "the annotations list none"): UserError {
  return new UserError({
    code: "release-empty",
    message: `not one of ${total} crops could be made: ${why}`,
    file: images,
    fix: "unpack the release's pictures beside its annotations",
  });
}
