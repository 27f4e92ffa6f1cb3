import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadIndex, openIndex, saveIndex } from "../../../src/pipeline/index/engine.js";
import { FaissIndex } from "../../../src/pipeline/index/faiss.js";
import { complaintOf } from "../../complaint.js";
import { randomCodes, randomVectors, slice } from "./vectors.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shitu-sizes-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/**
 * Table 7 of the PP-ShiTu paper: 145,235 vectors of 512 dimensions, 285 M as floats and 8.9 M as
 * codes (M = MiB).
 */
describe("the gallery of Table 7 has its size to the byte", () => {
  const n = 145_235;

  it("IDMap2,Flat: 298,603,250 bytes, in memory and on disk", async () => {
    const index = FaissIndex.open(
      { kind: "real", metric: "inner-product", dim: 512 },
      "IDMap2,Flat",
    );
    // The bytes do not depend on the values: one block serves many times.
    const block = randomVectors(5000, 512, 1);
    for (let row = 0; row < n; row += 5000)
      await index.add(slice(block, 0, Math.min(5000, n - row)));
    expect([index.size, index.bytes()]).toEqual([n, 298_603_250]);
    const file = join(folder, "flat.index");
    expect(await index.write(file)).toBe(298_603_250);
    expect((await stat(file)).size).toBe(298_603_250);
    index.close();
    const again = await FaissIndex.read(file, "IDMap2,Flat");
    expect([
      again.size,
      again.bytes(),
      again.searchSync(slice(block, 7, 8), 1).rows[0]! % 5000,
    ]).toEqual([n, 298_603_250, 7]);
    again.close();
  }, 60_000);

  it("BFlat: 9,295,073 bytes", async () => {
    const index = FaissIndex.open({ kind: "binary", metric: "hamming", dim: 512 }, "BFlat");
    await index.add(randomCodes(n, 512, 1));
    expect([index.bytes(), (await index.serialize()).length]).toEqual([9_295_073, 9_295_073]);
  });
});

describe("saveIndex", () => {
  it.each(["faiss", "exact"])(
    "%s: what is loaded is what was saved, and nothing is left over",
    async (engine) => {
      const spec = { engine, factory: "Flat", kind: "real", metric: "l2", dim: 8 } as const;
      const index = await openIndex(spec);
      await index.add(randomVectors(10, 8));
      const saved = join(folder, engine, "small.index");
      expect(await saveIndex(index, saved)).toBe(index.bytes());
      expect(await saveIndex(index, saved)).toBe(index.bytes()); // over an older one
      expect(await readdir(join(folder, engine))).toEqual(["small.index"]);
      expect((await loadIndex({ ...spec, file: saved })).size).toBe(10);
    },
  );

  it.each(["faiss", "exact"])(
    "%s: a path that cannot be written is the user's to mend",
    async (engine) => {
      const index = await openIndex({
        engine,
        factory: "Flat",
        kind: "real",
        metric: "l2",
        dim: 8,
      });
      await writeFile(join(folder, "a-file"), "");
      expect(await complaintOf(saveIndex(index, join(folder, "a-file", "x.index")))).toMatchObject({
        code: "write-failed",
      });
    },
  );
});

describe("vectors by id", () => {
  it.each(["Flat", "IDMap2,Flat", "IDMap,Flat", "HNSW8", "IVF2,Flat", "IDMap2,IVF2,Flat"])(
    "%s gives back what it holds",
    async (factory) => {
      const index = FaissIndex.open({ kind: "real", metric: "inner-product", dim: 8 }, factory);
      const rows = randomVectors(100, 8);
      if (!index.trained) await index.train(rows);
      await index.add(rows);
      expect(await index.reconstruct(Float64Array.of(42, 0, 42, 99))).toEqual(
        Float32Array.of(...[42, 0, 42, 99].flatMap((id) => [...slice(rows, id, id + 1).data])),
      );
      expect((await complaintOf(index.reconstruct(Float64Array.of(3, 100)))).message).toMatch(
        /id 100 is not in the index/,
      );
    },
  );

  it.each(["BFlat", "IDMap2,BFlat", "BHNSW8", "BIVF2"])(
    "%s gives back its codes",
    async (factory) => {
      const index = FaissIndex.open({ kind: "binary", metric: "hamming", dim: 64 }, factory);
      const rows = randomCodes(100, 64);
      if (!index.trained) await index.train(rows);
      await index.add(rows);
      expect(await index.reconstruct(Float64Array.of(5))).toEqual(slice(rows, 5, 6).data.slice());
    },
  );
});
