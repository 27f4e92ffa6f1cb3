import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { readNpyVectors } from "../../../datasets/formats/npy.js";
import { loadIndex, openIndex, pickFactory } from "../../../src/pipeline/index/engine.js";
import { FaissIndex } from "../../../src/pipeline/index/faiss.js";
import type { Codes, Neighbours, VectorIndex, Vectors } from "../../../src/pipeline/types.js";
import { shared, sharedData } from "../../shared-data.js";
import { difference } from "./vectors.js";

/** Share of the queries with another row of their label whose best row but themselves has it. */
function leaveOneOutRecall(
  { k, rows }: Neighbours,
  labels: readonly string[],
): { recall: number; queries: number } {
  const count = new Map<string, number>();
  for (const label of labels) count.set(label, (count.get(label) ?? 0) + 1);
  let hits = 0;
  let queries = 0;
  for (const [q, label] of labels.entries()) {
    if (count.get(label)! < 2) continue;
    queries++;
    const best = rows.subarray(q * k, (q + 1) * k).find((row) => row !== q && row !== -1);
    if (best !== undefined && labels[best] === label) hits++;
  }
  return { recall: hits / queries, queries };
}

/** bit = 1 where x > 0, the most significant bit first. */
function signCodes({ data, dim }: Vectors): Codes {
  const codes = new Uint8Array(data.length / 8);
  data.forEach((x, i) => {
    if (x > 0) codes[i >> 3]! |= 0x80 >> (i & 7);
  });
  return { data: codes, bits: dim };
}

async function build(engine: string, name: string, rows: Vectors | Codes): Promise<VectorIndex> {
  const kind = "bits" in rows ? "binary" : "real";
  const count = kind === "binary" ? (rows.data.length * 8) / 512 : rows.data.length / 512;
  const { factory, parameters } = pickFactory({ name, kind, count, protocol: "standard" });
  const index = await openIndex({
    engine,
    factory,
    kind,
    dim: 512,
    metric: kind === "real" ? "inner-product" : "hamming",
  });
  if (!index.trained) await index.train(rows);
  index.set(parameters);
  await index.add(rows);
  return index;
}

const sets = [
  { version: "v1", file: "embeddings_1069x512_f32.npy", n: 1069, queries: 1065, recall: 0.967136 },
  { version: "v2", file: "embeddings_987x512_f32.npy", n: 987, queries: 985, recall: 0.960406 },
] as const;

describe.skipIf(!sharedData).each(sets)(
  "real PP-ShiTu features, $version",
  ({ version, file, n, queries, recall }) => {
    let vectors: Vectors;
    let labels: string[];
    beforeAll(async () => {
      vectors = await readNpyVectors(shared("drink", version, file));
      labels = (
        JSON.parse(readFileSync(shared("drink", version, "rows.json"), "utf8")) as {
          label: string;
        }[]
      ).map((r) => r.label);
      expect([vectors.data.length, labels.length]).toEqual([n * 512, n]);
    });

    it.each(["faiss", "exact", "usearch", "faiss-node"])(
      "Flat through %s: leave-one-out recall@1 as published, to 1e-6",
      async (engine) => {
        const index = await build(engine, "Flat", vectors);
        const measured = leaveOneOutRecall(await index.search(vectors, 5), labels);
        expect(measured.queries).toBe(queries);
        expect(Math.abs(measured.recall - recall)).toBeLessThan(1e-6);
        index.close();
      },
    );

    it(
      "HNSW32 and IVF lose a little by default, and " + "nothing when they look everywhere",
      async () => {
        const oracle = await build("exact", "Flat", vectors);
        const expected = oracle.searchSync(vectors, 5);
        for (const [name, everywhere] of [
          ["HNSW32", { efSearch: 1024 }],
          ["IVF", { nprobe: Math.floor(n / 8) }],
        ] as const) {
          const index = await build("faiss", name, vectors);
          const measured = leaveOneOutRecall(await index.search(vectors, 5), labels);
          expect(measured.recall, name).toBeGreaterThan(0.85);
          expect(measured.recall, name).toBeLessThan(recall + 0.005);
          // n / 8 lists are far under the points that each list wants.
          expect(index.warnings.length, name).toBe(name === "IVF" ? 1 : 0);
          index.set(everywhere);
          const wide = leaveOneOutRecall(await index.search(vectors, 5), labels);
          expect(Math.abs(wide.recall - recall), name).toBeLessThan(name === "IVF" ? 1e-6 : 0.005);
          if (name === "IVF")
            expect(difference(expected, await index.search(vectors, 5), 1e-5)).toBeNull();
          index.close();
        }
      },
    );

    it("sign codes in BFlat, BHNSW32 and BIVF, against the oracle", async () => {
      const codes = signCodes(vectors);
      const oracle = await build("exact", "Flat", codes);
      const expected = oracle.searchSync(codes, 5);
      const flat = await build("faiss", "Flat", codes);
      expect(difference(expected, await flat.search(codes, 5), 0)).toBeNull();
      const atBest = leaveOneOutRecall(expected, labels).recall;
      expect(atBest).toBeGreaterThan(0.94);
      for (const [name, everywhere] of [
        ["HNSW32", { efSearch: 1024 }],
        ["IVF", { nprobe: Math.floor(n / 8) }],
      ] as const) {
        const index = await build("faiss", name, codes);
        expect(
          leaveOneOutRecall(await index.search(codes, 5), labels).recall,
          name,
        ).toBeGreaterThan(0.75);
        index.set(everywhere);
        const found = await index.search(codes, 5);
        if (name === "IVF") expect(difference(expected, found, 0)).toBeNull();
        else expect(Math.abs(leaveOneOutRecall(found, labels).recall - atBest)).toBeLessThan(0.01);
        index.close();
      }
    });

    it("the official demo's own vector.index is read, and searched like ours", async () => {
      const saved = {
        engine: "faiss",
        factory: "IDMap2,HNSW32",
        kind: "real",
        metric: "inner-product",
        dim: 512,
        file: shared("drink", version, "vector.index"),
      } as const;
      const index = (await loadIndex(saved)) as FaissIndex;
      expect([index.size, index.trained]).toEqual([n, true]);
      expect(index.parameters).toEqual({ efSearch: 16, efConstruction: 40 });
      expect(await index.reconstruct(Float64Array.of(0, n - 1))).toEqual(
        Float32Array.of(...vectors.data.subarray(0, 512), ...vectors.data.subarray((n - 1) * 512)),
      );
      index.set({ efSearch: 512 });
      const oracle = await build("exact", "Flat", vectors);
      const measured = leaveOneOutRecall(await index.search(vectors, 5), labels);
      expect(Math.abs(measured.recall - recall)).toBeLessThan(0.01);
      const best = oracle.searchSync(vectors, 1).scores;
      const found = index.searchSync(vectors, 1).scores;
      expect(
        found.filter((score, i) => Math.abs(score - best[i]!) < 1e-5).length / n,
      ).toBeGreaterThan(0.98);
      index.close();
    });
  },
);
