import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cacheInfo, ObservationCaches } from "../../../src/eval/observe/cache.js";
import { drawVectors, type VectorSet } from "../../../src/eval/experiments/index-vectors.js";
import { Random } from "../../../src/eval/stats/random.js";

const spec = { rows: 30, dim: 8, queries: 5, labels: 4, spread: 0.5, seed: "test" };

async function drawn(root: string, change: Partial<typeof spec> = {}): Promise<VectorSet> {
  const caches = new ObservationCaches(root);
  try {
    return await drawVectors({ ...spec, ...change }, caches);
  } finally {
    await caches.close();
  }
}

describe("drawn vectors", () => {
  it("are unit vectors around centres, the same drawn and from the cache", async () => {
    const root = mkdtempSync(join(tmpdir(), "vectors-"));
    const first = await drawn(root);
    const { data } = first.gallery as { data: Float32Array };
    // The first row, drawn by hand.
    const centres = new Random("test/centres");
    const all = Float32Array.from({ length: 4 * 8 }, () => centres.normal());
    const source = new Random("test/gallery");
    const label = source.below(4);
    const row = Float64Array.from(
      { length: 8 },
      (_, d) => all[label * 8 + d]! + 0.5 * source.normal(),
    );
    const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    expect(first.labels[0]).toEqual({ label: String(label), uid: null });
    row.forEach((x, d) => {
      expect(data[d]).toBeCloseTo(x / norm, 6);
    });
    const [kept] = await cacheInfo(root);
    expect(kept).toMatchObject({ key: { what: "vectors" }, entries: 2 });
    expect(await drawn(root)).toEqual(first);
    // What is drawn again is written again.
    expect((await cacheInfo(root))[0]!.bytes).toBe(kept!.bytes);
  });

  it("are never served for another spec", async () => {
    const root = mkdtempSync(join(tmpdir(), "vectors-"));
    const first = await drawn(root);
    for (const change of [{ seed: "other" }, { spread: 0.6 }, { labels: 5 }])
      expect(await drawn(root, change)).not.toEqual(first);
    expect(await cacheInfo(root)).toHaveLength(4);
  });

  it("are drawn again where an entry was torn", async () => {
    const root = mkdtempSync(join(tmpdir(), "vectors-"));
    const first = await drawn(root);
    const log = join(root, readdirSync(root)[0]!, "entries.log");
    const bytes = readFileSync(log);
    bytes[100]! ^= 1; // in the gallery
    writeFileSync(log, bytes.subarray(0, -1)); // and in the queries
    expect(await drawn(root)).toEqual(first);
  });
});
