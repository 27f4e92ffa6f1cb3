import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import sharp from "sharp";
import { writeAtomic } from "../../src/pipeline/atomic-file.js";
import { asDrawing, drawingSide, type Drawing } from "./paste.js";

/**
 * A rendered drawing on its way into a store. `hash` is of its pixels, `ink` the mean of alpha
 * (0..255).
 */
export interface Rendered {
  readonly key: string;
  readonly packed: Uint8Array;
  readonly hash: string;
  readonly ink: number;
}

/**
 * Renders SVG or an encoded picture to drawingSide x drawingSide RGBA, fitted and centred, colours
 * multiplied by alpha, deflated. Null where it cannot be drawn.
 */
export async function rasterise(key: string, data: Buffer): Promise<Rendered | null> {
  let pixels: Buffer;
  try {
    pixels = await sharp(fitted(data))
      .resize(drawingSide, drawingSide, {
        fit: "contain",
        background: { r: 0, g: 0, b: 0, alpha: 0 },
      })
      .ensureAlpha()
      .toColourspace("srgb")
      .raw()
      .toBuffer();
  } catch {
    // a few icons use features that the renderer lacks: counted as unusable by the caller
    return null;
  }
  if (pixels.length !== drawingSide * drawingSide * 4) return null;
  let ink = 0;
  for (let i = 0; i < pixels.length; i += 4) {
    const alpha = pixels[i + 3]!;
    ink += alpha;
    for (let c = 0; c < 3; c++) pixels[i + c] = Math.round((pixels[i + c]! * alpha) / 255);
  }
  return {
    key,
    packed: deflateRawSync(pixels, { level: 1 }),
    hash: createHash("sha256").update(pixels).digest("hex").slice(0, 16),
    ink: ink / (drawingSide * drawingSide),
  };
}

/**
 * Rewrites the size of an SVG so that it is rendered at the size that is wanted, not enlarged
 * afterwards.
 */
function fitted(data: Buffer): Buffer {
  const text = data.subarray(0, 400).toString("latin1");
  const size = /^<svg [^>]*?width="([\d.]+)" height="([\d.]+)"/.exec(text);
  if (!size) return data;
  const scale = drawingSide / Math.max(Number(size[1]), Number(size[2]));
  const head = size[0].replace(
    /width="[\d.]+" height="[\d.]+"$/,
    `width="${Number(size[1]) * scale}" height="${Number(size[2]) * scale}"`,
  );
  return Buffer.concat([Buffer.from(head, "latin1"), data.subarray(size[0].length)]);
}

interface StoreIndex {
  readonly schema: 1;
  /** What it was made from: the package's version. A store of another version is made anew. */
  readonly version: string;
  readonly unusable: number;
  readonly entries: readonly (readonly [
    key: string,
    offset: number,
    bytes: number,
    hash: string,
  ])[];
}

/** One source's drawings in two files: packed pixels and an index. */
export async function writeStore(
  folder: string,
  name: string,
  version: string,
  drawn: readonly (Rendered | null)[],
): Promise<void> {
  let offset = 0;
  // under 3% of ink is an empty or invisible drawing
  const good = drawn.filter((d): d is Rendered => d !== null && d.ink > 8);
  const entries = good.map(({ key, packed, hash }) => {
    const entry = [key, offset, packed.length, hash] as const;
    offset += packed.length;
    return entry;
  });
  await writeAtomic(join(folder, `${name}.bin`), Buffer.concat(good.map((d) => d.packed)));
  const index: StoreIndex = { schema: 1, version, unusable: drawn.length - good.length, entries };
  await writeAtomic(join(folder, `${name}.json`), JSON.stringify(index));
}

/** Whether a store is there and was made from this version. */
export function storeReady(folder: string, name: string, version: string): boolean {
  const file = join(folder, `${name}.json`);
  return (
    existsSync(file) &&
    existsSync(join(folder, `${name}.bin`)) &&
    (JSON.parse(readFileSync(file, "utf8")) as StoreIndex).version === version
  );
}

/** Reads drawings back, keeping the last few hundred unpacked. Names are `source/key`. */
export class Drawings {
  readonly #bins = new Map<string, Buffer>();
  readonly #places = new Map<string, readonly [string, number, number]>();
  readonly #recent = new Map<string, Drawing>();
  /** Pixel hash of every drawing, by name. */
  readonly hashes = new Map<string, string>();
  /** How many originals of each source could not be used. */
  readonly unusable = new Map<string, number>();

  static async open(folder: string, names: readonly string[]): Promise<Drawings> {
    const drawings = new Drawings();
    for (const name of names) {
      const { entries, unusable } = JSON.parse(
        await readFile(join(folder, `${name}.json`), "utf8"),
      ) as StoreIndex;
      drawings.#bins.set(name, await readFile(join(folder, `${name}.bin`)));
      drawings.unusable.set(name, unusable);
      for (const [key, offset, bytes, hash] of entries) {
        drawings.#places.set(`${name}/${key}`, [name, offset, bytes]);
        drawings.hashes.set(`${name}/${key}`, hash);
      }
    }
    return drawings;
  }

  get(name: string): Drawing {
    const known = this.#recent.get(name);
    if (known) return known;
    const [source, offset, bytes] = this.#places.get(name)!;
    const drawing = asDrawing(
      inflateRawSync(this.#bins.get(source)!.subarray(offset, offset + bytes)),
    );
    this.#recent.set(name, drawing);
    if (this.#recent.size > 400) this.#recent.delete(this.#recent.keys().next().value!);
    return drawing;
  }
}
