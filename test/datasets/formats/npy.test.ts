import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  readNpy,
  readNpyCodes,
  readNpyHeader,
  readNpyVectors,
  writeNpy,
  writeNpyRows,
} from "../../../datasets/formats/npy.js";
import { readVectors } from "../../../datasets/formats/vector-file.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { complaintOf } from "../../complaint.js";
import { shared, sharedData } from "../../shared-data.js";

const fixture = (name: string) => join(projectRoot, "test/fixtures/npy", name);
const floats = Float32Array.from({ length: 20 }, (_, i) => i / 4 - 2);
const counts = Array.from({ length: 20 }, (_, i) => i);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "npy-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("reading what NumPy saved", () => {
  const kinds = ["f2", "f4", "f8", "f2-big", "f4-big", "f8-big"].flatMap((k) => [
    k,
    `${k}-fortran`,
  ]);
  it.each(kinds)("%s as vectors", async (name) => {
    const { data, dim } = await readNpyVectors(fixture(`${name}.npy`));
    expect(dim).toBe(5);
    expect(data).toBeInstanceOf(Float32Array);
    expect(Array.from(data)).toEqual(Array.from(floats));
  });

  it.each(["u1", "u1-fortran", "i1", "i2-big", "u2", "i4", "u4-big", "i8", "u8-big"])(
    "%s as an array",
    async (name) => {
      const { data, shape, type } = await readNpy(fixture(`${name}.npy`));
      expect(shape).toEqual([4, 5]);
      expect(type).toBe(name.slice(0, 2));
      expect(Array.from(data)).toEqual(counts);
    },
  );

  it("bool as 0 and 1", async () => {
    expect(Array.from((await readNpy(fixture("b1.npy"))).data)).toEqual(
      counts.map((c) => (c % 2 === 0 ? 1 : 0)),
    );
  });

  it("rank 3 in Fortran order, rank 1, rank 0", async () => {
    expect(Array.from((await readNpy(fixture("cube-fortran.npy"))).data)).toEqual(
      Array.from({ length: 24 }, (_, i) => i),
    );
    expect(await readNpy(fixture("row.npy"))).toMatchObject({ shape: [5] });
    expect(await readNpy(fixture("scalar.npy"))).toMatchObject({
      shape: [],
      data: Float32Array.of(3),
    });
  });

  it.each([2, 3] as const)("format version %i", async (version) => {
    expect((await readNpyHeader(fixture(`version-${version}.npy`))).version).toBe(version);
    expect(Array.from((await readNpyVectors(fixture(`version-${version}.npy`))).data)).toEqual(
      Array.from(floats),
    );
  });

  it("half precision in its corners: subnormals, largest, infinities, NaN", async () => {
    const { data } = await readNpyVectors(fixture("half-corners.npy"));
    const golden = readFileSync(fixture("half-corners.f32"));
    expect(data).toEqual(
      new Float32Array(golden.buffer.slice(golden.byteOffset, golden.byteOffset + golden.length)),
    );
    expect(Object.is(data[1], -0)).toBe(true);
  });

  it("codes", async () => {
    const { data, bits } = await readNpyCodes(fixture("u1.npy"));
    expect(bits).toBe(40);
    expect(Array.from(data)).toEqual(counts);
  });
});

describe("writing", () => {
  it("gives byte for byte what NumPy saves", async () => {
    const file = join(folder, "f4.npy");
    await writeNpy(file, floats, [4, 5]);
    expect(readFileSync(file).equals(readFileSync(fixture("f4.npy")))).toBe(true);
    await writeNpyRows(file, { data: Uint8Array.from(counts), bits: 40 });
    expect(readFileSync(file).equals(readFileSync(fixture("u1.npy")))).toBe(true);
  });

  it("reads back any float32 and any shape", async () => {
    const file = join(folder, "any.npy");
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.float(), { minLength: 1, maxLength: 40 }),
        async (dim, values) => {
          const data = Float32Array.from(
            values.slice(0, Math.max(1, Math.floor(values.length / dim)) * dim),
          );
          const width = data.length % dim === 0 ? dim : data.length;
          await writeNpyRows(file, { data, dim: width });
          expect(await readNpyVectors(file)).toEqual({ data, dim: width });
        },
      ),
      { numRuns: 50, seed: 4 },
    );
  });

  it("refuses a shape that does not fit", async () => {
    await expect(writeNpy(join(folder, "x.npy"), floats, [3, 5])).rejects.toThrow(
      /needs 15 values, got 20/,
    );
  });
});

describe("files larger than a block", () => {
  // 2.5 million values: float64 and Fortran order need two or more blocks of 8 MiB.
  const rows = 5000;
  const dim = 500;
  const value = (i: number, j: number) => (i * 7 + j * 13) % 1021;

  it.each([
    ["C", false],
    ["Fortran", true],
  ] as const)("float64 in %s order", async (_, fortran) => {
    const file = join(folder, "large.npy");
    const wide = new Float64Array(rows * dim);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < dim; j++) wide[fortran ? j * rows + i : i * dim + j] = value(i, j);
    await writeNpy(file, wide, [rows, dim]);
    if (fortran) {
      const bytes = readFileSync(file);
      bytes.write(
        bytes
          .toString("latin1", 0, 128)
          .replace("'fortran_order': False", "'fortran_order': True "),
        0,
        128,
        "latin1",
      );
      writeFileSync(file, bytes);
    }
    const { data } = await readNpyVectors(file);
    let wrong = 0;
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < dim; j++) if (data[i * dim + j] !== value(i, j)) wrong++;
    expect(wrong).toBe(0);
  });
});

describe("bad input names file, expected and found", () => {
  it.each([
    ["u1.npy", "npy-dtype", "uint8"],
    ["i8.npy", "npy-dtype", "int64"],
    ["i2-big.npy", "npy-dtype", "int16 (big-endian)"],
    ["complex.npy", "npy-dtype", "<c8"],
    ["objects.npy", "npy-dtype", "|O"],
    ["record.npy", "npy-dtype", "a record dtype"],
    ["row.npy", "npy-shape", "shape 5"],
    ["scalar.npy", "npy-shape", "a single number"],
    ["cube-fortran.npy", "npy-shape", "shape 2 x 3 x 4"],
    ["empty.npy", "npy-shape", "shape 0 x 5"],
    ["archive.npz", "npy-magic", '"PK\\u0003\\u0004'],
  ])("%s -> %s", async (name, code, found) => {
    const complaint = await complaintOf(readNpyVectors(fixture(name)));
    expect(complaint.code).toBe(code);
    expect(complaint.found).toContain(found);
    expect(complaint.fix).toBeTruthy();
  });

  it("codes that are floats, integers beyond 2^53", async () => {
    expect(await complaintOf(readNpyCodes(fixture("f4.npy")))).toMatchObject({
      code: "npy-dtype",
      expected: "uint8",
      found: "float32",
    });
    expect(await complaintOf(readNpy(fixture("huge-integer.npy")))).toMatchObject({
      code: "npy-integer",
      path: "value 1",
      found: String(2n ** 60n),
    });
  });

  it("NaN, and a float64 too large for float32, with row and column", async () => {
    expect(await complaintOf(readVectors(fixture("nan.npy")))).toMatchObject({
      code: "vector-not-finite",
      path: "row 2, column 3",
      found: "NaN",
    });
    expect(await complaintOf(readVectors(fixture("overflow.npy")))).toMatchObject({
      code: "vector-not-finite",
      path: "row 1, column 2",
      found: "Infinity",
    });
  });

  it(
    "truncated, too long, cut header, unknown version, empty, missing, a folder, garbage " +
      "shape",
    async () => {
      const whole = readFileSync(fixture("f4.npy"));
      const variant = async (bytes: Uint8Array) => {
        const file = join(folder, "bad.npy");
        writeFileSync(file, bytes);
        return complaintOf(readNpyVectors(file));
      };
      expect(await variant(whole.subarray(0, whole.length - 4))).toMatchObject({
        code: "npy-size",
        expected: "80 bytes of data for 4 x 5 float32",
        found: "76",
      });
      expect(await variant(Buffer.concat([whole, Buffer.alloc(4)]))).toMatchObject({
        code: "npy-size",
        found: "84",
      });
      expect((await variant(whole.subarray(0, 60))).code).toBe("npy-header");
      expect(
        (await variant(Buffer.concat([whole.subarray(0, 6), Buffer.of(9, 0), whole.subarray(8)])))
          .found,
      ).toBe("9");
      expect(await variant(new Uint8Array(0))).toMatchObject({
        code: "npy-magic",
        found: "an empty file",
      });
      expect(
        (await variant(Buffer.from(whole.toString("latin1").replace("(4, 5)", "(4, x)"), "latin1")))
          .code,
      ).toBe("npy-header");
      expect((await complaintOf(readNpyVectors(join(folder, "none.npy")))).code).toBe(
        "file-unreadable",
      );
      expect((await complaintOf(readNpyVectors(folder))).code).toBe("file-unreadable");
    },
  );
});

describe.skipIf(!sharedData)("third-party data", () => {
  it("reads the drink features: 1,069 unit vectors of 512 floats", async () => {
    const { data, dim } = await readVectors(shared("drink/v1/embeddings_1069x512_f32.npy"));
    expect([data.length / dim, dim]).toEqual([1069, 512]);
    let norm = 0;
    for (let j = 0; j < dim; j++) norm += data[j]! ** 2;
    expect(norm).toBeCloseTo(1, 5);
  });
});
