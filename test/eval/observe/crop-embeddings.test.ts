import { copyFileSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { ObservationCaches } from "../../../src/eval/observe/cache.js";
import { withCrops } from "../../../src/eval/observe/crop-embeddings.js";
import { openEmbedder, type WindowEmbedder } from "../../../src/pipeline/embedding/embedder.js";
import { decode } from "../../../src/pipeline/image/image.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import type { Box } from "../../../src/pipeline/types.js";

const folder = (): string => mkdtempSync(join(tmpdir(), "crops-"));
const left: Box = { x0: 0, y0: 0, x1: 20, y1: 24 };
const right: Box = { x0: 20, y0: 4, x1: 40, y1: 30 };

async function pictureIn(root: string, name: string, seed: number): Promise<string> {
  const file = join(root, name);
  const data = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * i * seed + 13 * i) & 255);
  await sharp(data, { raw: { width: 40, height: 30, channels: 3 } })
    .png()
    .toFile(file);
  return file;
}

/** Embeds windows through a cache opened afresh, counting how often the model was asked. */
async function embed(
  root: string,
  file: string,
  windows: readonly Box[],
  change: Partial<{ version: string; protocol: "standard" | "paddleclas" }> = {},
): Promise<{ data: number[]; asked: number }> {
  const real = await openEmbedder(join(projectRoot, "models", "baselines", "pixels-32.yaml"));
  let asked = 0;
  const embedder = new Proxy(real, {
    get(target, name) {
      if (name === "version") return change.version ?? target.version;
      if (name === "embedWindows")
        return (...args: Parameters<WindowEmbedder["embedWindows"]>) => {
          asked++;
          return target.embedWindows(...args);
        };
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function"
        ? (value as (...args: unknown[]) => unknown).bind(target)
        : value;
    },
  });
  const caches = new ObservationCaches(join(root, "cache"));
  try {
    const rows = await withCrops(
      caches,
      embedder,
      { preprocessing: null, protocol: change.protocol ?? "standard" },
      (crops) =>
        crops(file).embedWindows({ data: new Uint8Array(0), width: 40, height: 30 }, windows),
    );
    return { data: [...rows.data], asked };
  } finally {
    await caches.close();
    await real.close();
  }
}

describe("embeddings of crops", () => {
  it("are the embedder's own to the last bit, then the cache's", async () => {
    const root = folder();
    const file = await pictureIn(root, "a.png", 3);
    const direct = await openEmbedder(join(projectRoot, "models", "baselines", "pixels-32.yaml"));
    const expected = [...(await direct.embedWindows(await decode(file), [left, right])).data];
    await direct.close();
    expect(await embed(root, file, [left, right])).toEqual({ data: expected, asked: 1 });
    expect(await embed(root, file, [left, right])).toEqual({ data: expected, asked: 0 });
    // By content: a copy under another name is the same picture.
    copyFileSync(file, join(root, "copy.png"));
    expect(await embed(root, join(root, "copy.png"), [left, right])).toEqual({
      data: expected,
      asked: 0,
    });
  });

  it(
    "are never served for another picture, other " + "windows, another order, model or protocol",
    async () => {
      const root = folder();
      const file = await pictureIn(root, "a.png", 3);
      await embed(root, file, [left, right]);
      expect((await embed(root, file, [left])).asked).toBe(1);
      expect((await embed(root, file, [right, left])).asked).toBe(1);
      expect((await embed(root, file, [left, { ...right, x1: 39 }])).asked).toBe(1);
      expect((await embed(root, await pictureIn(root, "b.png", 5), [left, right])).asked).toBe(1);
      expect((await embed(root, file, [left, right], { version: "another" })).asked).toBe(1);
      expect((await embed(root, file, [left, right], { protocol: "paddleclas" })).asked).toBe(1);
      // Changed in place: another content under the same name.
      await pictureIn(root, "a.png", 7);
      expect((await embed(root, file, [left, right])).asked).toBe(1);
    },
  );

  it("are made again where the entry was torn", async () => {
    const root = folder();
    const file = await pictureIn(root, "a.png", 3);
    const first = await embed(root, file, [left, right]);
    const log = join(root, "cache", readdirSync(join(root, "cache"))[0]!, "entries.log");
    writeFileSync(log, readFileSync(log).subarray(0, -5));
    expect(await embed(root, file, [left, right])).toEqual(first);
  });
});
