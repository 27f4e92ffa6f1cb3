import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  columnFromArray,
  fixedSizeList,
  float32,
  float64,
  list,
  tableFromColumns,
  tableToIPC,
  uint8,
} from "@uwdata/flechette";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  readArrow,
  readArrowRows,
  writeArrow,
  writeArrowRows,
} from "../../../datasets/formats/arrow.js";
import { requireFinite } from "../../../datasets/formats/finite.js";
import {
  readBvecs,
  readFvecs,
  readIvecs,
  writeBvecs,
  writeFvecs,
  writeIvecs,
} from "../../../datasets/formats/fvecs.js";
import { readCodes, readVectors, writeRows } from "../../../datasets/formats/vector-file.js";
import { complaintOf } from "../../complaint.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vectors-"));
});
afterAll(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

describe(".fvecs, .bvecs, .ivecs", () => {
  it("the bytes are those of the definition", async () => {
    await writeFvecs(at("a.fvecs"), { data: Float32Array.of(1, -2, 0.5, 3), dim: 2 });
    expect(readFileSync(at("a.fvecs")).toString("hex")).toBe(
      "02000000" + "0000803f" + "000000c0" + "02000000" + "0000003f" + "00004040",
    );
    await writeBvecs(at("a.bvecs"), { data: Uint8Array.of(255, 1, 2), bits: 24 });
    expect(readFileSync(at("a.bvecs")).toString("hex")).toBe("03000000ff0102");
    await writeIvecs(at("a.ivecs"), { data: Int32Array.of(7, -1), dim: 1 });
    expect(readFileSync(at("a.ivecs")).toString("hex")).toBe(
      "0100000007000000" + "01000000ffffffff",
    );
  });

  it("read back, also when larger than a block", async () => {
    const data = Float32Array.from({ length: 1_500_000 }, (_, i) => i % 9973);
    await writeFvecs(at("large.fvecs"), { data, dim: 300 });
    const back = await readFvecs(at("large.fvecs"));
    expect(back.dim).toBe(300);
    expect(Buffer.compare(Buffer.from(back.data.buffer), Buffer.from(data.buffer))).toBe(0);
    await writeBvecs(at("b.bvecs"), { data: Uint8Array.of(1, 2, 3, 4), bits: 16 });
    expect(await readBvecs(at("b.bvecs"))).toEqual({ data: Uint8Array.of(1, 2, 3, 4), bits: 16 });
    await writeIvecs(at("i.ivecs"), { data: Int32Array.of(1, 2, 3, -4), dim: 2 });
    expect(await readIvecs(at("i.ivecs"))).toEqual({ data: Int32Array.of(1, 2, 3, -4), dim: 2 });
  });

  it("bad files: empty, torn, uneven, another kind, big-endian", async () => {
    const variant = (hex: string) => {
      writeFileSync(at("bad.fvecs"), Buffer.from(hex, "hex"));
      return complaintOf(readFvecs(at("bad.fvecs")));
    };
    const row = "010000000000803f";
    expect((await variant("")).code).toBe("vecs-empty");
    expect(await variant("0100")).toMatchObject({
      code: "vecs-dimension",
      found: "a file of 2 bytes",
    });
    expect(await variant(`${row}0100`)).toMatchObject({ code: "vecs-size", found: "10 bytes" });
    expect(await variant(`${row}020000000000803f`)).toMatchObject({
      code: "vecs-dimension",
      path: "row 1",
      expected: "1",
      found: "2",
    });
    expect(await variant("000000020000803f")).toMatchObject({
      code: "vecs-dimension",
      path: "row 0",
      found: String(0x02000000),
    });
    expect((await variant("000000000000803f")).found).toBe("0");
    expect((await complaintOf(readFvecs(at("none.fvecs")))).code).toBe("file-unreadable");
  });
});

describe("Arrow", () => {
  it("columns of every kind, with nulls, read back in order", async () => {
    await writeArrow(at("t.arrow"), {
      path: ["a", null, "脉动"],
      score: [1.5, null, -2],
      rank: Int32Array.of(1, 2, 3),
      similarity: Float64Array.of(0.1, 0.2, 0.3),
      flag: Uint8Array.of(0, 1, 255),
      vector: { data: Float32Array.of(1, 2, 3, 4, 5, 6), dim: 2 },
      code: { data: Uint8Array.of(9, 8, 7), bits: 8 },
    });
    const table = await readArrow(at("t.arrow"));
    expect(table.names).toEqual(["path", "score", "rank", "similarity", "flag", "vector", "code"]);
    expect(
      table
        .toArray()
        .map((r: Record<string, unknown>) => [
          r.path,
          r.score,
          r.rank,
          r.similarity,
          r.flag,
          Array.from(r.vector as Float32Array),
          Array.from(r.code as Uint8Array),
        ]),
    ).toEqual([
      ["a", 1.5, 1, 0.1, 0, [1, 2], [9]],
      [null, null, 2, 0.2, 1, [3, 4], [8]],
      ["脉动", -2, 3, 0.3, 255, [5, 6], [7]],
    ]);
    expect(await readArrowRows(at("t.arrow"), "real")).toEqual({
      data: Float32Array.of(1, 2, 3, 4, 5, 6),
      dim: 2,
    });
    expect(await readArrowRows(at("t.arrow"), "binary", "code")).toEqual({
      data: Uint8Array.of(9, 8, 7),
      bits: 8,
    });
  });

  it("any vectors read back (property)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.float({ noNaN: true }), { minLength: 7, maxLength: 40 }),
        async (dim, values) => {
          const data = Float32Array.from(values.slice(0, Math.floor(values.length / dim) * dim));
          await writeArrowRows(
            at("p.arrow"),
            { data, dim },
            { label: Array.from({ length: data.length / dim }, (_, i) => `l${i}`) },
          );
          expect(await readArrowRows(at("p.arrow"), "real")).toEqual({ data, dim });
        },
      ),
      { numRuns: 30, seed: 2 },
    );
  });

  it("reads what others write: a stream, several batches, variable lists, float64", async () => {
    const values = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    for (const type of [fixedSizeList(float32(), 2), list(float64())]) {
      const table = tableFromColumns([["v", columnFromArray(values, type, { maxBatchRows: 2 })]]);
      writeFileSync(at("s.arrow"), tableToIPC(table, { format: "stream" })!);
      expect(await readArrowRows(at("s.arrow"), "real")).toEqual({
        data: Float32Array.of(1, 2, 3, 4, 5, 6),
        dim: 2,
      });
    }
  });

  it("bad files: no such column, two candidates, uneven or null rows, not Arrow", async () => {
    await writeArrow(at("n.arrow"), { label: ["a"] });
    expect(await complaintOf(readArrowRows(at("n.arrow"), "real"))).toMatchObject({
      code: "arrow-column",
      found: "columns label",
    });
    await writeArrow(at("m.arrow"), {
      a: { data: Float32Array.of(1), dim: 1 },
      b: { data: Float32Array.of(1), dim: 1 },
    });
    expect(await complaintOf(readArrowRows(at("m.arrow"), "real"))).toMatchObject({
      code: "arrow-column",
      found: "a or b",
    });
    expect((await complaintOf(readArrowRows(at("m.arrow"), "real", "c"))).message).toContain('"c"');
    const bad = async (rows: unknown[]) => {
      writeFileSync(
        at("u.arrow"),
        tableToIPC(tableFromColumns([["v", columnFromArray(rows, list(uint8()))]]), {
          format: "file",
        })!,
      );
      return complaintOf(readArrowRows(at("u.arrow"), "binary"));
    };
    expect(await bad([[1], [2, 3]])).toMatchObject({
      path: "row 1",
      found: "2 values instead of 1",
    });
    expect(await bad([[1], null])).toMatchObject({ path: "row 1", found: "null" });
    writeFileSync(at("x.arrow"), "not arrow");
    expect((await complaintOf(readArrow(at("x.arrow")))).code).toBe("arrow-format");
    expect((await complaintOf(readArrow(at("none.arrow")))).code).toBe("file-unreadable");
  });
});

describe("by extension", () => {
  const vectors = { data: Float32Array.of(0.5, -1, 2, 3), dim: 2 };
  const codes = { data: Uint8Array.of(1, 2, 3, 4), bits: 16 };
  it.each([".npy", ".fvecs", ".arrow"])("vectors in %s", async (extension) => {
    await writeRows(at(`v${extension}`), vectors);
    expect(await readVectors(at(`v${extension}`))).toEqual(vectors);
  });
  it.each([".npy", ".bvecs", ".arrow"])("codes in %s", async (extension) => {
    await writeRows(at(`c${extension}`), codes);
    expect(await readCodes(at(`c${extension}`))).toEqual(codes);
  });
  it("names the valid extensions", async () => {
    expect(await complaintOf(readVectors("x.csv"))).toMatchObject({
      code: "vector-file-extension",
      found: ".csv",
      expected: ".npy, .fvecs, .arrow or .feather",
    });
    expect((await complaintOf(readCodes("x.fvecs"))).expected).toBe(
      ".npy, .bvecs, .arrow or .feather",
    );
  });
  it("finds the first value that is not finite, and counts them", async () => {
    expect(
      await complaintOf(() => {
        requireFinite({ data: Float32Array.of(1, 2, 3, Infinity, NaN, 6), dim: 3 }, "f.npy");
      }),
    ).toMatchObject({
      code: "vector-not-finite",
      file: "f.npy",
      path: "row 1, column 0",
      found: "Infinity",
      message: "2 of 6 values are not finite numbers",
    });
    requireFinite({ data: Float32Array.of(0, -0, 3e38, -3e38), dim: 2 });
  });
});
