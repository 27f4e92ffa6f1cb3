import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  indexEngines,
  loadIndex,
  openIndex,
  type IndexSpec,
} from "../../../src/pipeline/index/engine.js";
import type { Codes, VectorIndex, Vectors } from "../../../src/pipeline/types.js";
import { difference, randomCodes, randomVectors, slice } from "./vectors.js";

/** Every example of an engine, with the engine's name. */
const examples = indexEngines.flatMap((engine) =>
  engine.examples.map((example) => ({ engine: engine.name, ...example })),
);
/** Those that must find exactly what the oracle finds: with parameters that make them so. */
const exhaustive = examples
  .filter(({ engine }) => engine !== "exact")
  .flatMap(({ exhaustive: parameters, ...e }) => (parameters ? [{ ...e, parameters }] : []));
const real = exhaustive.filter(({ kind }) => kind === "real");
const binary = exhaustive.filter(({ kind }) => kind === "binary");

async function build(
  spec: IndexSpec,
  rows: Vectors | Codes,
  parameters: Readonly<Record<string, number>> = {},
  ids?: Float64Array,
): Promise<VectorIndex> {
  const index = await openIndex(spec);
  if (!index.trained) await index.train(rows);
  await index.add(rows, ids);
  index.set(parameters);
  return index;
}

describe.each(real)("$engine $factory against the oracle", ({ engine, factory, parameters }) => {
  for (const metric of ["inner-product", "l2"] as const) {
    it(`finds the same by ${metric}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 4, max: 120 }),
          fc.integer({ min: 1, max: 48 }),
          fc.integer({ min: 1, max: 30 }),
          fc.integer({ min: 1, max: 25 }),
          fc.nat(),
          async (n, dim, queries, k, seed) => {
            const rows = randomVectors(n, dim, seed);
            const asked = randomVectors(queries, dim, seed + 1);
            const shape = { kind: "real", metric, dim } as const;
            const oracle = await build({ ...shape, engine: "exact", factory: "Flat" }, rows);
            const index = await build({ ...shape, engine, factory }, rows, parameters);
            const expected = oracle.searchSync(asked, k);
            // Float32 sums of up to 48 products of numbers below 1, in any order; IVF and BLAS go
            // by |a|^2 - 2ab + |b|^2 for L2.
            expect(difference(expected, await index.search(asked, k), 2e-5)).toBeNull();
            expect(difference(expected, index.searchSync(asked, k), 2e-5)).toBeNull();
            index.close();
            oracle.close();
          },
        ),
        { numRuns: 15 },
      );
    });
  }
});

describe.each(binary)("$engine $factory against the oracle", ({ engine, factory, parameters }) => {
  it("finds the same distances, ties in any order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 4, max: 120 }),
        fc.constantFrom(8, 16, 64, 104, 512),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 25 }),
        fc.nat(),
        async (n, bits, queries, k, seed) => {
          const rows = randomCodes(n, bits, seed);
          const asked = randomCodes(queries, bits, seed + 1);
          const shape = { kind: "binary", metric: "hamming", dim: bits } as const;
          const oracle = await build({ ...shape, engine: "exact", factory: "BFlat" }, rows);
          const index = await build({ ...shape, engine, factory }, rows, parameters);
          const expected = oracle.searchSync(asked, k);
          expect(difference(expected, await index.search(asked, k), 0)).toBeNull();
          expect(difference(expected, index.searchSync(asked, k), 0)).toBeNull();
          index.close();
          oracle.close();
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("the oracle itself", () => {
  it("orders equal scores by row", async () => {
    const index = await build(
      { engine: "exact", factory: "Flat", kind: "real", metric: "inner-product", dim: 2 },
      { data: Float32Array.of(1, 0, 2, 0, 1, 0, 2, 0), dim: 2 },
    );
    expect([...index.searchSync({ data: Float32Array.of(1, 0), dim: 2 }, 4).rows]).toEqual([
      1, 3, 0, 2,
    ]);
  });

  it("adds in float64: a sum that float32 loses", async () => {
    const big = 2 ** 13;
    const rows = { data: Float32Array.of(big, 1, -big), dim: 3 };
    const index = await build(
      { engine: "exact", factory: "Flat", kind: "real", metric: "inner-product", dim: 3 },
      rows,
    );
    expect(
      index.searchSync({ data: Float32Array.of(big, 2 ** -10, big), dim: 3 }, 1).scores[0],
    ).toBe(2 ** -10);
  });

  it("counts bits", async () => {
    const index = await build(
      { engine: "exact", factory: "BFlat", kind: "binary", metric: "hamming", dim: 16 },
      { data: Uint8Array.of(0xff, 0x0f, 0x00, 0x01), bits: 16 },
    );
    const { rows, scores } = index.searchSync({ data: Uint8Array.of(0x00, 0x00), bits: 16 }, 2);
    expect([[...rows], [...scores]]).toEqual([
      [1, 0],
      [1, 12],
    ]);
  });
});

const dim = 64;
const specOf = ({ engine, factory, kind }: (typeof examples)[number]): IndexSpec => ({
  engine,
  factory,
  kind,
  metric: kind === "real" ? "inner-product" : "hamming",
  dim,
});
const rowsOf = (kind: "real" | "binary", n: number): Vectors | Codes =>
  kind === "real" ? randomVectors(n, dim, 5) : randomCodes(n, dim, 5);
const own = (kind: "real" | "binary", rows: Vectors | Codes, n: number): Vectors | Codes =>
  kind === "real" ? slice(rows as Vectors, 0, n) : slice(rows as Codes, 0, n);

describe.each(examples)("$engine $factory", (which) => {
  const spec = specOf(which);
  const engine = indexEngines.find(({ name }) => name === which.engine)!;
  const canRemove = engine.removes(which.factory);

  it("comes back from its bytes with the same results and size", async () => {
    const rows = rowsOf(which.kind, 200);
    const index = await build(
      spec,
      rows,
      {},
      Float64Array.from({ length: 200 }, (_, i) => 1000 + 3 * i),
    );
    const bytes = await index.serialize();
    expect(bytes.length).toBe(index.bytes());
    const again = await loadIndex({ ...spec, bytes });
    expect([again.size, again.trained, again.bytes()]).toEqual([200, true, bytes.length]);
    const asked = own(which.kind, rows, 20);
    expect(difference(index.searchSync(asked, 5), again.searchSync(asked, 5), 0)).toBeNull();
    // What is added after loading goes on from the largest id.
    await again.add(own(which.kind, rows, 1));
    expect(again.size).toBe(201);
    const ids = new Set(again.searchSync(own(which.kind, rows, 1), 201).rows);
    // An approximate index need not reach everything, but what it finds are ids that were given.
    if (/Flat$/.test(which.factory) && !/IVF/.test(which.factory))
      expect(ids.has(1000 + 3 * 199 + 1)).toBe(true);
    expect(
      [...ids].every(
        (id) => id === -1 || id === 1598 || (id >= 1000 && (id - 1000) % 3 === 0 && id <= 1597),
      ),
    ).toBe(true);
  });

  it("gives -1 for k beyond its size, and for an empty gallery", async () => {
    const rows = rowsOf(which.kind, 40);
    const none = which.kind === "real" ? -Infinity : Infinity;
    const empty = await openIndex(spec);
    if (!empty.trained) await empty.train(rows);
    const nothing = await empty.search(own(which.kind, rows, 2), 3);
    expect([[...nothing.rows], [...nothing.scores]]).toEqual([
      Array(6).fill(-1),
      Array(6).fill(none),
    ]);
    const index = await build(spec, own(which.kind, rows, 40));
    index.set(which.exhaustive ?? {});
    for (const found of [
      await index.search(own(which.kind, rows, 2), 50),
      index.searchSync(own(which.kind, rows, 2), 50),
    ]) {
      expect(found.rows.length).toBe(100);
      for (const q of [0, 1]) {
        const got = [...found.rows.subarray(q * 50, q * 50 + 50)].filter((row) => row !== -1);
        expect(got[0]).toBe(q);
        expect(got.length).toBeLessThanOrEqual(40);
        if (/Flat$/.test(which.factory) && which.engine !== "faiss-node")
          expect(got.length).toBe(40);
        expect(
          [...found.rows.subarray(q * 50 + got.length, q * 50 + 50)].every((row) => row === -1),
        ).toBe(true);
        expect(
          [...found.scores.subarray(q * 50 + got.length, q * 50 + 50)].every(
            (score) => score === none,
          ),
        ).toBe(true);
      }
    }
  });

  it("takes rows and queries from the middle of a larger array", async () => {
    const rows = rowsOf(which.kind, 60);
    const middle = (from: number, to: number): Vectors | Codes =>
      which.kind === "real" ? slice(rows as Vectors, from, to) : slice(rows as Codes, from, to);
    const index = await openIndex(spec);
    if (!index.trained) await index.train(middle(10, 60));
    index.set(which.exhaustive ?? {});
    await index.add(middle(10, 60));
    for (const row of [11, 30, 59]) {
      expect(index.searchSync(middle(row, row + 1), 1).rows[0]).toBe(row - 10);
      expect((await index.search(middle(row, row + 1), 1)).rows[0]).toBe(row - 10);
    }
  });

  it.runIf(canRemove)("removes by id, and keeps the other ids", async () => {
    const rows = rowsOf(which.kind, 100);
    const index = await build(spec, rows);
    expect(await index.remove(Float64Array.of(0, 7, 7, 50, 99, 12345))).toBe(4);
    expect(index.size).toBe(96);
    index.set(which.exhaustive ?? {});
    const found = index.searchSync(rows, 1);
    for (const gone of [0, 7, 50, 99]) expect(found.rows[gone]).not.toBe(gone);
    for (const kept of [1, 8, 51, 98]) expect(found.rows[kept]).toBe(kept);
    // New rows never get an id again, not even of a row that went.
    await index.add(own(which.kind, rows, 1));
    expect(index.searchSync(own(which.kind, rows, 1), 1).rows[0]).toBe(100);
    const again = await loadIndex({ ...spec, bytes: await index.serialize() });
    again.set(which.exhaustive ?? {});
    expect(difference(index.searchSync(rows, 3), again.searchSync(rows, 3), 0)).toBeNull();
  });
});
