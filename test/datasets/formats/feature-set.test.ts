import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBigAnnTruth } from "../../../datasets/formats/big-ann.js";
import { readFeatureSet } from "../../../datasets/formats/feature-set.js";
import { readIdMap } from "../../../datasets/formats/id-map-pickle.js";
import { writeNpy } from "../../../datasets/formats/npy.js";
import { readRowLabels } from "../../../datasets/formats/row-labels.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { openIndex, saveIndex } from "../../../src/pipeline/index/engine.js";
import { complaintOf } from "../../complaint.js";
import { shared, sharedData } from "../../shared-data.js";

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shitu-features-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const head = (rows: number, dim: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(rows, 0);
  bytes.writeUInt32LE(dim, 4);
  return bytes;
};

describe("big-ann's files", () => {
  it("reads floats, and bytes with and without sign", async () => {
    const floats = Buffer.from(Float32Array.of(1, -2, 0.5, 4, 5, 6).buffer);
    await writeFile(at("a.fbin"), Buffer.concat([head(2, 3), floats]));
    await writeFile(at("a.u8bin"), Buffer.concat([head(2, 2), Buffer.from([0, 1, 200, 255])]));
    await writeFile(at("a.i8bin"), Buffer.concat([head(1, 4), Buffer.from([0, 1, 200, 255])]));
    const read = async (name: string) => (await readFeatureSet(at(name))).rows;
    expect(await read("a.fbin")).toEqual({ data: Float32Array.of(1, -2, 0.5, 4, 5, 6), dim: 3 });
    expect(await read("a.u8bin")).toEqual({ data: Float32Array.of(0, 1, 200, 255), dim: 2 });
    expect(await read("a.i8bin")).toEqual({ data: Float32Array.of(0, 1, -56, -1), dim: 4 });
  });

  it("reads exact neighbours, and refuses a file that is cut short", async () => {
    const ids = Buffer.from(Int32Array.of(3, 1, 2, 0).buffer);
    await writeFile(at("truth.ibin"), Buffer.concat([head(2, 2), ids, Buffer.alloc(16)]));
    expect(await readBigAnnTruth(at("truth.ibin"))).toEqual({
      data: Int32Array.of(3, 1, 2, 0),
      dim: 2,
    });
    await writeFile(at("cut.fbin"), Buffer.concat([head(2, 3), Buffer.alloc(20)]));
    expect(await complaintOf(readFeatureSet(at("cut.fbin")))).toMatchObject({
      code: "bin-size",
      expected: "32 bytes for 2 x 3",
      found: "28 bytes",
    });
  });
});

describe("files that other tools wrote", () => {
  const golden = (name: string): string => join(projectRoot, "test", "golden", "vectors", name);
  /** As test/golden/vectors/make.py made them. */
  const data = Float32Array.from({ length: 24 }, (_, i) => (i - 5) / 4);

  it("HDF5 of ann-benchmarks brings its queries and its distance", async () => {
    expect(await readFeatureSet(golden("angular.hdf5"))).toEqual({
      rows: { data, dim: 3 },
      queries: { data: Float32Array.of(1, 0, 0, 0, 0.5, -1), dim: 3 },
      labels: null,
      metric: "inner-product",
      cosine: true,
    });
  });

  it("Parquet gives lists of numbers, and labels where it has them", async () => {
    const snappy = await readFeatureSet(golden("snappy.parquet"));
    expect(snappy.rows).toEqual({ data, dim: 3 });
    expect(snappy.labels).toEqual(
      Array.from({ length: 8 }, (_, i) => `label ${Math.floor(i / 4)}`),
    );
    const zstd = await readFeatureSet(golden("zstd.parquet"));
    expect(zstd.rows).toEqual({ data, dim: 3 });
    expect(zstd.labels).toBeNull();
  });

  it("says what is missing or uneven", async () => {
    expect(await complaintOf(readFeatureSet(golden("no-train.hdf5")))).toMatchObject({
      code: "hdf5-format",
      found: "train: no such data set",
    });
    expect(await complaintOf(readFeatureSet(golden("ragged.parquet")))).toMatchObject({
      code: "parquet-column",
      path: "vector, row 1",
      found: "1 values",
    });
    for (const name of ["text.hdf5", "text.parquet"]) {
      await writeFile(at(name), "neither of the two");
      expect((await complaintOf(readFeatureSet(at(name)))).code).toMatch(/^(hdf5|parquet)-format$/);
    }
  });
});

describe("8-bit vectors", () => {
  it("are numbers: .npy of uint8 and int8, and .bvecs", async () => {
    await writeNpy(at("u.npy"), Uint8Array.of(1, 2, 254, 255), [2, 2]);
    await writeNpy(at("i.npy"), Int8Array.of(1, 2, -2, -1), [2, 2]);
    const width = Buffer.from([2, 0, 0, 0]);
    await writeFile(
      at("b.bvecs"),
      Buffer.concat([width, Buffer.from([7, 8]), width, Buffer.from([9, 255])]),
    );
    const read = async (name: string) => (await readFeatureSet(at(name))).rows;
    expect(await read("u.npy")).toEqual({ data: Float32Array.of(1, 2, 254, 255), dim: 2 });
    expect(await read("i.npy")).toEqual({ data: Float32Array.of(1, 2, -2, -1), dim: 2 });
    expect(await read("b.bvecs")).toEqual({ data: Float32Array.of(7, 8, 9, 255), dim: 2 });
  });
});

describe("index files of Faiss", () => {
  const rows = { data: Float32Array.from({ length: 64 * 8 }, (_, i) => Math.sin(i)), dim: 8 };

  it.each(["Flat", "IDMap2,Flat", "HNSW8", "IVF2,Flat"])(
    "%s gives its vectors back",
    async (factory) => {
      const index = await openIndex({
        engine: "faiss",
        factory,
        kind: "real",
        metric: "l2",
        dim: 8,
      });
      if (!index.trained) await index.train(rows);
      await index.add(rows);
      await saveIndex(index, at("saved.index"));
      index.close();
      const set = await readFeatureSet(at("saved.index"));
      expect(set.rows).toEqual(rows);
      expect(set.metric).toBe("l2");
    },
  );

  it("says where ids have gaps", async () => {
    const index = await openIndex({
      engine: "faiss",
      factory: "IDMap2,Flat",
      kind: "real",
      metric: "l2",
      dim: 8,
    });
    await index.add(
      rows,
      Float64Array.from({ length: 64 }, (_, i) => i * 2),
    );
    await saveIndex(index, at("gaps.index"));
    index.close();
    expect(await complaintOf(readFeatureSet(at("gaps.index")))).toMatchObject({
      code: "index-ids",
    });
  });

  it("damaged ones are refused", async () => {
    await writeFile(at("broken.index"), "IxFI and then nothing that is an index");
    expect(await complaintOf(readFeatureSet(at("broken.index")))).toMatchObject({
      code: "index-corrupt",
    });
  });
});

describe("the id map of a PaddleClas gallery", () => {
  /** `pickle.dumps({0: "a.jpg\tx", 300: "b.jpg\ty"}, protocol=4)` */
  const pickle =
    "80049524000000000000007d94284b008c07612e6a70670978944d2c018c07622e6a7067097994752e";

  it("is read without calling anything", async () => {
    await writeFile(at("id_map.pkl"), Buffer.from(pickle, "hex"));
    expect([...(await readIdMap(at("id_map.pkl")))]).toEqual([
      [0, "a.jpg\tx"],
      [300, "b.jpg\ty"],
    ]);
  });

  it("refuses a pickle that would call something, and one that is cut", async () => {
    // `pickle.dumps(os.system)`, protocol 0: a GLOBAL.
    await writeFile(at("evil.pkl"), "cposix\nsystem\np0\n.");
    expect(await complaintOf(readIdMap(at("evil.pkl")))).toMatchObject({
      code: "pickle-format",
      found: 'opcode "c" at byte 0',
    });
    await writeFile(at("cut.pkl"), Buffer.from(pickle.slice(0, 30), "hex"));
    expect(await complaintOf(readIdMap(at("cut.pkl")))).toMatchObject({ code: "pickle-format" });
  });
});

describe("labels of rows", () => {
  it("come from a list, from JSON, or one a line", async () => {
    await writeFile(at("list.txt"), "a.jpg\tred\nb.jpg\tdeep blue\n");
    await writeFile(at("labels.json"), JSON.stringify([{ row: 0, label: "red" }, 7]));
    await writeFile(at("plain.txt"), "red\nblue\n");
    const labels = async (name: string) => (await readRowLabels(at(name))).map((r) => r.label);
    expect(await labels("list.txt")).toEqual(["red", "deep blue"]);
    expect(await labels("labels.json")).toEqual(["red", "7"]);
    expect(await labels("plain.txt")).toEqual(["red", "blue"]);
  });
});

describe.skipIf(!sharedData)("real galleries", () => {
  it("PaddleClas's index holds the same vectors as the features beside it", async () => {
    const index = await readFeatureSet(shared("drink", "v1"));
    const file = await readFeatureSet(shared("drink", "v1", "embeddings_1069x512_f32.npy"));
    // Not toEqual: half a million floats take it half a minute.
    expect(Buffer.compare(bytesOf(index), bytesOf(file))).toBe(0);
  });
});

function bytesOf({ rows }: Awaited<ReturnType<typeof readFeatureSet>>): Buffer {
  return Buffer.from(rows.data.buffer, rows.data.byteOffset, rows.data.byteLength);
}
