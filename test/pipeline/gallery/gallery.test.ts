import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Gallery, type GallerySettings } from "../../../src/pipeline/gallery/gallery.js";
import type { Vectors } from "../../../src/pipeline/types.js";

const folder = (): string => mkdtempSync(join(tmpdir(), "gallery-"));
const settings = (over: Partial<GallerySettings> = {}): GallerySettings => ({
  model: { id: "toy", version: "a".repeat(64) },
  kind: "real",
  dim: 8,
  protocol: "standard",
  engine: "faiss",
  factory: "Flat",
  ...over,
});

/** n unit vectors, row i nearest to itself. */
function vectors(n: number, offset = 0): Vectors {
  const data = new Float32Array(n * 8);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let d = 0; d < 8; d++)
      sum += (data[i * 8 + d] = Math.sin((i + offset) * 12.9898 + d * 78.233) % 1) ** 2;
    for (let d = 0; d < 8; d++) data[i * 8 + d]! /= Math.sqrt(sum);
  }
  return { data, dim: 8 };
}

const entries = (n: number, from = 0) =>
  Array.from({ length: n }, (_, i) => ({
    path: `${from + i}.jpg`,
    label: `label with spaces ${(from + i) % 7}`,
  }));
const best = (g: Gallery, v: Vectors): (string | undefined)[] =>
  g
    .hits(g.index.searchSync(v, 1), v.data.length / 8)
    .map((h) => g.rows.find((r) => r.id === h[0]?.row)?.path);

describe("gallery", () => {
  it("finds what it holds, after saving and loading too", async () => {
    const at = folder();
    const gallery = await Gallery.build(settings(), vectors(50), entries(50));
    await gallery.save(at);
    expect(best(gallery, vectors(50))).toEqual(entries(50).map((e) => e.path));
    gallery.close();
    const again = await Gallery.load(at, { id: "toy", version: "a".repeat(64) });
    expect(best(again, vectors(50))).toEqual(entries(50).map((e) => e.path));
    expect(again.labels).toHaveLength(7);
    again.close();
  });

  it("appends and removes; ids are never used twice", async () => {
    const at = folder();
    const gallery = await Gallery.build(settings(), vectors(10), entries(10));
    const gone = await gallery.remove((r) => r.path === "9.jpg" || r.label.endsWith(" 3"));
    expect(gone.map((r) => r.path)).toEqual(["3.jpg", "9.jpg"]);
    await gallery.append(vectors(2, 100), entries(2, 100));
    expect(gallery.rows.map((r) => r.id)).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 10, 11]);
    await gallery.save(at);
    gallery.close();
    const again = await Gallery.load(at);
    expect(again.size).toBe(10);
    expect(best(again, vectors(2, 100))).toEqual(["100.jpg", "101.jpg"]);
    await again.append(vectors(1, 200), entries(1, 200));
    expect(again.rows.at(-1)?.id).toBe(12);
    again.close();
  });

  it("refuses to remove from HNSW and says what to do", async () => {
    const gallery = await Gallery.build(settings({ factory: "HNSW32" }), vectors(40), entries(40));
    await expect(gallery.remove((r) => r.path === "1.jpg")).rejects.toThrow(/HNSW/);
    expect(gallery.size).toBe(40);
    gallery.close();
  });

  it(
    "refuses another model, a changed index file, a changed row file, a folder without a " +
      "gallery",
    async () => {
      const at = folder();
      const gallery = await Gallery.build(settings(), vectors(10), entries(10));
      await gallery.save(at);
      gallery.close();
      await expect(Gallery.load(at, { id: "other", version: "b".repeat(64) })).rejects.toThrow(
        /built by another model/,
      );
      for (const pattern of [/^index-/, /^rows-/]) {
        const file = join(
          at,
          readdirSync(at).find((f) => pattern.test(f))!,
        );
        const bytes = readFileSync(file);
        writeFileSync(
          file,
          Buffer.concat([bytes.subarray(0, bytes.length - 1), Buffer.from([bytes.at(-1)! ^ 1])]),
        );
        await expect(Gallery.load(at)).rejects.toThrow(/not what the gallery's manifest says/);
        writeFileSync(file, bytes);
      }
      await expect(Gallery.load(folder())).rejects.toThrow(/no gallery in this folder/);
    },
  );

  it("refuses an empty gallery and vectors of another size", async () => {
    await expect(
      Gallery.build(settings(), { data: new Float32Array(0), dim: 8 }, []),
    ).rejects.toThrow(/at least one picture/);
    const gallery = await Gallery.build(settings(), vectors(3), entries(3));
    await expect(gallery.append({ data: new Float32Array(4), dim: 4 }, entries(1))).rejects.toThrow(
      /do not fit/,
    );
    gallery.close();
  });

  it("leaves only the files of the last save", async () => {
    const at = folder();
    const gallery = await Gallery.build(settings(), vectors(5), entries(5));
    await gallery.save(at);
    await gallery.append(vectors(5, 50), entries(5, 50));
    await gallery.save(at);
    gallery.close();
    expect(readdirSync(at).filter((f) => f.startsWith("index-"))).toHaveLength(1);
    expect(readdirSync(at).filter((f) => f.endsWith(".tmp"))).toEqual([]);
  });
});
