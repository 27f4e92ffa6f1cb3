import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  engineNames,
  loadIndex,
  openIndex,
  type IndexSpec,
} from "../../../src/pipeline/index/engine.js";
import type { Vectors } from "../../../src/pipeline/types.js";
import { complaintOf } from "../../complaint.js";
import { randomCodes, randomVectors } from "./vectors.js";

const real = { kind: "real", metric: "inner-product", dim: 16 } as const;
const plain = (engine: string): string => (engine === "two-stage" ? "Shortlist,BFlat" : "Flat");
const spec = (engine: string, factory = plain(engine)): IndexSpec => ({ ...real, engine, factory });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shitu-index-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("openIndex refuses", () => {
  it("an unknown engine, and lists the valid ones", async () => {
    expect(await complaintOf(openIndex(spec("fiass")))).toMatchObject({
      code: "unknown-engine",
      expected: "faiss, exact, faiss-node, usearch or two-stage",
      found: "fiass",
    });
  });

  it("a factory that Faiss does not know, in Faiss's words without its source lines", async () => {
    const complaint = await complaintOf(openIndex(spec("faiss", "Flatt")));
    expect(complaint).toMatchObject({ code: "index-refused", found: "Flatt" });
    expect(complaint.message).toMatch(/^faiss\.create: /);
    expect(complaint.message).not.toMatch(/\.cpp|\/.*\//);
  });

  it.each([
    ["a binary factory for floats", { factory: "BFlat" }],
    ["a factory of floats for codes", { kind: "binary", metric: "hamming" }],
    ["hamming for floats", { metric: "hamming" }],
    ["an inner product of codes", { kind: "binary", factory: "BFlat" }],
    ["codes of 12 bits", { kind: "binary", metric: "hamming", factory: "BFlat", dim: 12 }],
    ["no dimension", { dim: 0 }],
    ["half a dimension", { dim: 1.5 }],
  ] as const)("%s", async (_, change) => {
    expect((await complaintOf(openIndex({ ...spec("faiss"), ...change }))).code).toBe(
      "index-shape",
    );
  });

  it.each([
    ["exact", "HNSW32"],
    ["faiss-node", "PQ4"],
    ["usearch", "IVF4,Flat"],
    ["usearch", "HNSW1"],
  ])("%s as %s", async (engine, factory) => {
    expect((await complaintOf(openIndex(spec(engine, factory)))).code).toBe("index-factory");
  });

  it.each(["faiss-node", "usearch"])("codes in %s, which has none", async (engine) => {
    expect(
      (
        await complaintOf(
          openIndex({ engine, factory: "BFlat", kind: "binary", metric: "hamming", dim: 16 }),
        )
      ).code,
    ).toBe("index-factory");
  });
});

describe.each(engineNames)("%s refuses", (engine) => {
  it("NaN and infinities, naming row and column", async () => {
    const index = await openIndex(spec(engine));
    await index.add(randomVectors(5, 16));
    for (const value of [NaN, Infinity, -Infinity]) {
      const rows = randomVectors(4, 16);
      rows.data[2 * 16 + 3] = value;
      const where = { code: "not-finite", path: "row 2, column 3", found: String(value) };
      expect(await complaintOf(index.add(rows))).toMatchObject(where);
      expect(await complaintOf(index.search(rows, 1))).toMatchObject(where);
      expect(await complaintOf(() => index.searchSync(rows, 1))).toMatchObject(where);
      expect(await complaintOf(index.train(rows))).toMatchObject(where);
    }
    expect(index.size).toBe(5);
  });

  it("another dimension, half a row, or codes", async () => {
    const index = await openIndex(spec(engine));
    expect(await complaintOf(index.add(randomVectors(2, 8)))).toMatchObject({
      code: "dimension",
      expected: "rows of 16 floats",
      found: "rows of 8 floats",
    });
    expect(
      await complaintOf(index.search({ data: new Float32Array(17), dim: 16 }, 1)),
    ).toMatchObject({ code: "dimension", found: "17" });
    expect(await complaintOf(() => index.searchSync(randomCodes(1, 16), 1))).toMatchObject({
      code: "dimension",
      found: "rows of 16 bits",
    });
  });

  it.each([0, -1, 1.5, NaN, 2 ** 40])("k = %d", async (k) => {
    const index = await openIndex(spec(engine));
    await index.add(randomVectors(3, 16));
    expect((await complaintOf(index.search(randomVectors(1, 16), k))).code).toBe("bad-k");
    expect((await complaintOf(() => index.searchSync(randomVectors(1, 16), k))).code).toBe("bad-k");
  });

  it("ids that are none", async () => {
    const index = await openIndex(spec(engine));
    const rows = randomVectors(2, 16);
    expect(await complaintOf(index.add(rows, Float64Array.of(1)))).toMatchObject({
      code: "bad-ids",
      expected: "2 ids",
      found: "1",
    });
    for (const bad of [-1, 0.5, NaN, 2 ** 53]) {
      expect(await complaintOf(index.add(rows, Float64Array.of(1, bad)))).toMatchObject({
        code: "bad-ids",
        path: "id 1",
      });
      expect((await complaintOf(index.remove(Float64Array.of(bad)))).code).toBe("bad-ids");
    }
    expect(index.size).toBe(0);
  });

  it("an unknown parameter, and lists the valid ones", async () => {
    const complaint = await complaintOf(async () => {
      (await openIndex(spec(engine))).set({ nprob: 3 });
    });
    expect(complaint).toMatchObject({
      code: "unknown-parameter",
      expected: engine === "two-stage" ? "shortlist" : "no parameters",
      found: "nprob",
    });
  });

  it("everything after close, which may be called twice", async () => {
    const index = await openIndex(spec(engine));
    const rows = randomVectors(2, 16);
    await index.add(rows);
    index.close();
    index.close();
    const calls: (() => unknown)[] = [
      () => index.add(rows),
      () => index.train(rows),
      () => index.search(rows, 1),
      () => index.searchSync(rows, 1),
      () => index.remove(Float64Array.of(0)),
      () => index.serialize(),
      () => index.bytes(),
      () => index.set({}),
    ];
    for (const call of calls) expect((await complaintOf(call)).code).toBe("index-closed");
  });

  it("bytes that are no index of it, a part of one, or a damaged one", async () => {
    const index = await openIndex(spec(engine));
    await index.add(randomVectors(20, 16));
    const bytes = await index.serialize();
    const damaged = bytes.slice();
    damaged[damaged.length - 100]! ^= 1;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    for (const wrong of [
      new Uint8Array(0),
      Buffer.from("not an index"),
      bytes.subarray(0, bytes.length - 1),
      bytes.subarray(0, 40),
      Buffer.concat([bytes, Buffer.from("x")]),
    ]) {
      expect((await complaintOf(loadIndex({ ...spec(engine), bytes: wrong }))).code).toBe(
        "index-corrupt",
      );
    }
    expect((await complaintOf(loadIndex({ ...spec(engine), bytes: damaged, sha256 }))).code).toBe(
      "index-corrupt",
    );
    expect((await loadIndex({ ...spec(engine), bytes, sha256 })).size).toBe(20);
    expect(await complaintOf(loadIndex({ ...spec(engine), bytes, dim: 8 }))).toMatchObject({
      code: "index-shape",
      expected: "8",
      found: "16",
    });
  });

  it("a file that is missing, damaged, or a folder", async () => {
    const index = await openIndex(spec(engine));
    await index.add(randomVectors(20, 16));
    const bytes = await index.serialize();
    const file = join(folder, `${engine}.index`);
    await writeFile(file, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect((await loadIndex({ ...spec(engine), file, sha256 })).size).toBe(20);
    expect((await loadIndex({ ...spec(engine), file })).size).toBe(20);
    expect(
      await complaintOf(loadIndex({ ...spec(engine), file, sha256: "0".repeat(64) })),
    ).toMatchObject({ code: "index-corrupt", file });
    await writeFile(file, bytes.subarray(0, 100));
    expect((await complaintOf(loadIndex({ ...spec(engine), file }))).code).toBe("index-corrupt");
    expect(
      (await complaintOf(loadIndex({ ...spec(engine), file: join(folder, "none") }))).code,
    ).toMatch(/file-unreadable|index-corrupt/);
    expect((await complaintOf(loadIndex({ ...spec(engine), file: folder }))).code).toMatch(
      /file-unreadable|index-corrupt/,
    );
  });
});

describe("HNSW and IVF", () => {
  it.each([
    ["faiss", "HNSW8"],
    ["faiss", "IDMap2,HNSW8"],
    ["faiss-node", "HNSW8"],
  ])("%s %s cannot remove, and says what to do", async (engine, factory) => {
    const index = await openIndex(spec(engine, factory));
    await index.add(randomVectors(10, 16));
    expect(await complaintOf(index.remove(Float64Array.of(1)))).toMatchObject({
      code: "remove-unsupported",
      message: "HNSW cannot remove; rebuild, or use IVF or Flat",
    });
    expect(index.size).toBe(10);
  });

  it.each(["faiss", "faiss-node"])(
    "%s: an IVF wants training, enough of it, and says when it got little",
    async (engine) => {
      const index = await openIndex(spec(engine, "IVF8,Flat"));
      const rows = randomVectors(100, 16);
      expect(index.trained).toBe(false);
      expect((await complaintOf(index.add(rows))).code).toBe("untrained");
      expect((await complaintOf(index.search(rows, 1))).code).toBe("untrained");
      expect(await complaintOf(index.train(randomVectors(7, 16)))).toMatchObject({
        code: "too-few-training-points",
        expected: "8 or more, better 312",
        found: "7",
      });
      await index.train(rows);
      expect(index.warnings).toEqual([
        "trained on 100 vectors for 8 lists, 12.5 a list; under 39 a list the centroids are poor",
      ]);
      expect(index.trained).toBe(true);
    },
  );

  it("a binary IVF is trained, too", async () => {
    const index = await openIndex({
      engine: "faiss",
      factory: "BIVF2",
      kind: "binary",
      metric: "hamming",
      dim: 16,
    });
    expect(index.trained).toBe(false);
    await index.train(randomCodes(100, 16));
    await index.add(randomCodes(100, 16));
    expect([index.trained, index.size, index.warnings.length]).toEqual([true, 100, 0]);
  });

  it("parameters: the valid names, and whole numbers from 1", async () => {
    const ivf = await openIndex(spec("faiss", "IDMap2,IVF2,Flat"));
    expect(
      await complaintOf(() => {
        ivf.set({ efSearch: 3 });
      }),
    ).toMatchObject({ code: "unknown-parameter", expected: "nprobe" });
    for (const bad of [0, -1, 1.5, NaN, Infinity])
      expect(
        (
          await complaintOf(() => {
            ivf.set({ nprobe: bad });
          })
        ).code,
      ).toBe("bad-parameter");
    const hnsw = await openIndex({
      engine: "faiss",
      factory: "BHNSW8",
      kind: "binary",
      metric: "hamming",
      dim: 16,
    });
    expect(
      await complaintOf(() => {
        hnsw.set({ nprobe: 1 });
      }),
    ).toMatchObject({ expected: "efConstruction or efSearch" });
    hnsw.set({ efConstruction: 200, efSearch: 64 });
    expect(
      await complaintOf(() => {
        hnsw.set({ efSearch: 2 ** 40 });
      }),
    ).toMatchObject({ code: "index-refused" });
    const fixed = await openIndex(spec("faiss-node", "HNSW8"));
    fixed.set({ efSearch: 16, efConstruction: 40 });
    expect(
      await complaintOf(() => {
        fixed.set({ efSearch: 17 });
      }),
    ).toMatchObject({ code: "unknown-parameter", found: "17" });
  });

  it("parameters take effect: more lists and a wider search find more", async () => {
    const rows = randomVectors(3000, 16, 1);
    const queries = randomVectors(200, 16, 2);
    const oracle = await openIndex(spec("exact"));
    await oracle.add(rows);
    const truth = oracle.searchSync(queries, 1).rows;
    for (const [engine, factory, name, low, high] of [
      ["faiss", "IVF64,Flat", "nprobe", 1, 64],
      ["faiss", "HNSW4", "efSearch", 1, 512],
      ["usearch", "HNSW4", "efSearch", 1, 512],
    ] as const) {
      const index = await openIndex(spec(engine, factory));
      if (!index.trained) await index.train(rows);
      await index.add(rows);
      const recall = (value: number): number => {
        index.set({ [name]: value });
        const { rows: found } = index.searchSync(queries, 1);
        return found.filter((row, i) => row === truth[i]).length / truth.length;
      };
      const poor = recall(low);
      const good = recall(high);
      expect(poor, `${engine} ${factory}`).toBeLessThan(0.9);
      expect(good, `${engine} ${factory}`).toBeGreaterThan(0.97);
      expect(recall(low), `${engine} ${factory}`).toBe(poor);
    }
  });
});

it("usearch refuses an id twice", async () => {
  const index = await openIndex(spec("usearch", "HNSW8"));
  const rows: Vectors = randomVectors(2, 16);
  await index.add(rows, Float64Array.of(4, 5));
  expect(await complaintOf(index.add(rows, Float64Array.of(6, 5)))).toMatchObject({
    code: "bad-ids",
    found: "5",
  });
});
