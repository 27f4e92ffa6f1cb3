import { describe, expect, it } from "vitest";
import { openIndex, pickFactory } from "../../../src/pipeline/index/engine.js";
import { checkShape } from "../../../src/pipeline/index/factory.js";
import { complaintOf } from "../../complaint.js";
import { randomCodes, randomVectors } from "./vectors.js";

describe("PP-ShiTu's indexes by their plain names", () => {
  it.each([
    ["Flat", "real", 1000, "IDMap2,Flat", {}],
    ["HNSW32", "real", 1000, "IDMap2,HNSW32", { efConstruction: 40, efSearch: 16 }],
    ["IVF", "real", 1000, "IDMap2,IVF125,Flat", { nprobe: 1 }],
    ["IVF", "real", 1007, "IDMap2,IVF125,Flat", { nprobe: 1 }],
    ["IVF", "real", 7, "IDMap2,IVF1,Flat", { nprobe: 1 }],
    ["IVF", "real", 10_000_000, "IDMap2,IVF65536,Flat", { nprobe: 1 }],
    ["Flat", "binary", 1000, "BFlat", {}],
    ["HNSW32", "binary", 1000, "BHNSW32", { efConstruction: 40, efSearch: 16 }],
    ["IVF", "binary", 1000, "BIVF125", { nprobe: 1 }],
    ["IVF32", "real", 1000, "IDMap2,IVF32,Flat", { nprobe: 1 }],
    ["IVF32", "binary", 1000, "BIVF32", { nprobe: 1 }],
    ["HNSW16", "real", 5, "IDMap2,HNSW16", { efConstruction: 40, efSearch: 16 }],
    ["IVF100,Flat", "real", 1000, "IVF100,Flat", { nprobe: 1 }],
    ["PCA64,IVF100,PQ8", "real", 1000, "PCA64,IVF100,PQ8", { nprobe: 1 }],
    ["IDMap2,BHNSW32", "binary", 1000, "IDMap2,BHNSW32", { efConstruction: 40, efSearch: 16 }],
  ] as const)("%s for %s vectors, %d of them: %s", (name, kind, count, factory, parameters) => {
    expect(pickFactory({ name, kind, count, protocol: "standard" })).toEqual({
      factory,
      parameters,
    });
  });

  it("paddleclas is the same, but has no binary IVF to reproduce", async () => {
    expect(pickFactory({ name: "IVF", kind: "real", count: 80, protocol: "paddleclas" })).toEqual({
      factory: "IDMap2,IVF10,Flat",
      parameters: { nprobe: 1 },
    });
    expect(
      pickFactory({ name: "Flat", kind: "binary", count: 80, protocol: "paddleclas" }).factory,
    ).toBe("BFlat");
    expect(
      (
        await complaintOf(() =>
          pickFactory({ name: "IVF", kind: "binary", count: 80, protocol: "paddleclas" }),
        )
      ).code,
    ).toBe("protocol-quirk");
  });

  it("each opens, trains, fills and searches", async () => {
    for (const kind of ["real", "binary"] as const) {
      const rows = kind === "real" ? randomVectors(64, 16) : randomCodes(64, 16);
      for (const name of ["Flat", "HNSW32", "IVF"]) {
        const { factory, parameters } = pickFactory({
          name,
          kind,
          count: 64,
          protocol: "standard",
        });
        const index = await openIndex({
          engine: "faiss",
          factory,
          kind,
          metric: kind === "real" ? "inner-product" : "hamming",
          dim: 16,
        });
        if (!index.trained) await index.train(rows);
        index.set(parameters);
        await index.add(
          rows,
          Float64Array.from({ length: 64 }, (_, i) => i),
        );
        expect((await index.search(rows, 1)).rows.filter((row) => row === -1).length).toBe(0);
      }
    }
  });
});

it.each(["HNSW0", "HNSW1", "BHNSW0", "IVF0,Flat", "BIVF0", "IVF99999999999,Flat"])(
  "refuses %s, whose number Faiss cannot take",
  async (factory) => {
    const kind = factory.startsWith("B") ? "binary" : "real";
    const metric = kind === "binary" ? "hamming" : "inner-product";
    expect(await complaintOf(() => checkShape({ kind, metric, dim: 8 }, factory))).toMatchObject({
      code: "index-factory",
    });
  },
);
