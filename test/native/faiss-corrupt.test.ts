import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FaissHandle } from "../../native/faiss.js";
import { loadAddon } from "../../native/load.js";
import { randomCodes, randomVectors, seeded } from "../pipeline/index/vectors.js";

const { faiss } = loadAddon();
faiss.setThreads(1); // thousands of tiny searches: teams of threads would only wait for each other
const n = 60;
const dim = 16;
const real = randomVectors(n, dim, 3).data;
const codes = randomCodes(n, dim, 3).data;
const factories = [
  "Flat",
  "IDMap,Flat",
  "IDMap2,Flat",
  "HNSW4",
  "IDMap2,HNSW4",
  "IVF3,Flat",
  "IDMap2,IVF3,Flat",
  "IVF3_HNSW4,Flat",
  "BFlat",
  "IDMap2,BFlat",
  "BHNSW4",
  "IDMap2,BHNSW4",
  "BIVF3",
  "IDMap2,BIVF3",
];
const binary = (factory: string): boolean => /(^|,)B/.test(factory);

async function build(factory: string, rows = n): Promise<FaissHandle> {
  const handle = faiss.create(factory, dim, binary(factory) ? "hamming" : "l2");
  const data = binary(factory) ? codes : real;
  await faiss.train(handle, data);
  const some = binary(factory) ? codes.subarray(0, (rows * dim) / 8) : real.subarray(0, rows * dim);
  await faiss.add(
    handle,
    some,
    /IDMap/.test(factory) ? Float64Array.from({ length: rows }, (_, i) => 7 * i) : undefined,
  );
  return handle;
}

/**
 * Loads, and where that works does everything that walks the structure: none of it may end the
 * process.
 */
async function use(bytes: Uint8Array): Promise<"refused" | "used"> {
  let handle: FaissHandle;
  try {
    handle = await faiss.deserialize(bytes, false);
  } catch (error) {
    expect((error as { code: string }).code).toBe("faiss-file");
    return "refused";
  }
  const { kind, dim: found, trained, type } = faiss.describe(handle);
  const queries =
    kind === "real"
      ? new Float32Array(found * 3).fill(0.1)
      : new Uint8Array((found / 8) * 3).fill(0x5a);
  const asked =
    kind === "real" ? new Float32Array(found).fill(0.2) : new Uint8Array(found / 8).fill(1);
  for (const work of [
    () => faiss.search(handle, queries, 5),
    () => faiss.search(handle, queries, 200),
    () => (trained ? faiss.add(handle, asked, Float64Array.of(5000)) : Promise.resolve()),
    () => (type === "hnsw" ? Promise.resolve(0) : faiss.remove(handle, Float64Array.of(0, 7, 14))),
    () => faiss.search(handle, queries, 5),
    () => faiss.serialize(handle),
  ]) {
    await work().catch((error: unknown) => {
      expect((error as { code: string }).code).toMatch(/^faiss-/);
    });
  }
  faiss.close(handle);
  return "used";
}

describe.each(factories)("%s", (factory) => {
  it("as Faiss wrote it passes the check, empty too", async () => {
    for (const rows of [n, 1, 0]) {
      const handle = await build(factory, rows);
      expect(await use(await faiss.serialize(handle))).toBe("used");
      faiss.close(handle);
    }
    const untrained = faiss.create(factory, dim, binary(factory) ? "hamming" : "l2");
    expect(await use(await faiss.serialize(untrained))).toBe("used");
  });

  it("cut anywhere is refused", async () => {
    const bytes = await faiss.serialize(await build(factory));
    for (let length = 0; length < bytes.length; length += length < 300 ? 1 : 37)
      expect(await use(bytes.subarray(0, length)), `cut at ${length}`).toBe("refused");
    expect(await use(Buffer.concat([bytes, bytes.subarray(0, 1)]))).toBe("refused");
  });

  it("with any byte changed is refused or harmless", async () => {
    const bytes = await faiss.serialize(await build(factory));
    const next = seeded(11);
    let refused = 0;
    for (let round = 0; round < 250; round++) {
      const wrong = bytes.slice();
      // Mostly in the structure, which stands at both ends, now and then in the vectors.
      const reach = round % 4 === 0 ? bytes.length : Math.min(400, bytes.length);
      const at =
        round % 2 === 0
          ? Math.floor(next() * reach)
          : bytes.length - 1 - Math.floor(next() * reach);
      wrong[at] = [0, 1, 0x7f, 0x80, 0xff, Math.floor(next() * 256)][round % 6]!;
      if ((await use(wrong)) === "refused") refused++;
    }
    expect(refused).toBeGreaterThan(5);
  });

  it("with any eight bytes made enormous is refused before it is allocated", async () => {
    const bytes = await faiss.serialize(await build(factory));
    for (let at = 4; at < Math.min(bytes.length - 8, 600); at++) {
      for (const count of [2n ** 39n, 2n ** 33n]) {
        const wrong = bytes.slice();
        new DataView(wrong.buffer).setBigInt64(at, count, true);
        await use(wrong);
      }
    }
    // Loads that would each have asked for gigabytes: the process is still small.
    expect(process.memoryUsage().rss).toBeLessThan(1.5e9);
  });
});

describe("files", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "shitu-corrupt-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("go through the same check", async () => {
    const bytes = await faiss.serialize(await build("IDMap2,HNSW4"));
    const file = join(folder, "index");
    await writeFile(file, bytes);
    expect(faiss.describe(await faiss.read(file, false))).toMatchObject({
      size: n,
      type: "hnsw",
      idMapped: true,
      largestId: 7 * (n - 1),
    });
    await writeFile(file, bytes.subarray(0, bytes.length - 8));
    await expect(faiss.read(file, false)).rejects.toMatchObject({ code: "faiss-file" });
    await expect(faiss.read(folder, false)).rejects.toMatchObject({ code: "faiss-file" });
  });

  it("of a kind that cannot be checked are read only when trusted", async () => {
    const handle = faiss.create("PQ4x4", dim, "l2");
    await faiss.train(handle, randomVectors(400, dim, 1).data);
    await faiss.add(handle, real);
    const bytes = await faiss.serialize(handle);
    await expect(faiss.deserialize(bytes, false)).rejects.toThrow(
      /index type "IxP.*" is not one whose structure can be checked/,
    );
    expect(faiss.describe(await faiss.deserialize(bytes, true)).size).toBe(n);
  });
});
