import { describe, expect, it } from "vitest";
import { loadIndex, openIndex } from "../../../src/pipeline/index/engine.js";
import type { VectorIndex, Vectors } from "../../../src/pipeline/types.js";
import { complaintOf } from "../../complaint.js";
import { randomVectors } from "./vectors.js";

const dim = 32;
const n = 200;
const k = 5;
const spec = { engine: "two-stage", factory: "Shortlist,BFlat", kind: "real", dim } as const;
const rows = randomVectors(n, dim, 1);
const queries = randomVectors(20, dim, 2);

async function filled(
  metric: "inner-product" | "l2",
  engine: "two-stage" | "exact",
  vectors: Vectors = rows,
): Promise<VectorIndex> {
  const factory = engine === "exact" ? "Flat" : spec.factory;
  const index = await openIndex({ ...spec, engine, factory, metric });
  await index.add(vectors);
  return index;
}

describe("a shortlist of sign codes, ranked by the vectors", () => {
  it.each(["inner-product", "l2"] as const)(
    "of all vectors is the exact search by %s",
    async (metric) => {
      const [index, exact] = [await filled(metric, "two-stage"), await filled(metric, "exact")];
      index.set({ shortlist: n });
      const [found, expected] = [await index.search(queries, k), await exact.search(queries, k)];
      expect(found.rows).toEqual(expected.rows);
      found.scores.forEach((score, i) => expect(score).toBeCloseTo(expected.scores[i]!, 4));
      expect(index.searchSync(queries, k)).toEqual(found);
    },
  );

  it("ranks no other than the nearest codes", async () => {
    // The query's signs are those of row 1; row 0 has the larger inner product.
    const vectors = { data: new Float32Array(2 * dim).fill(0.1), dim };
    vectors.data.fill(-0.01, 0, 4);
    vectors.data.fill(10, 4, dim);
    const query = { data: new Float32Array(dim).fill(1), dim };
    const index = await filled("inner-product", "two-stage", vectors);
    index.set({ shortlist: 1 });
    expect(index.searchSync(query, 1).rows[0]).toBe(1);
    index.set({ shortlist: 2 });
    expect(index.searchSync(query, 1).rows[0]).toBe(0);
  });

  it("never proposes fewer than are asked for", async () => {
    const index = await filled("inner-product", "two-stage");
    index.set({ shortlist: 1 });
    expect(index.searchSync(queries, k).rows.includes(-1)).toBe(false);
  });

  it("removes, and goes on from its saved bytes", async () => {
    const index = await filled("inner-product", "two-stage");
    expect(await index.remove(Float64Array.of(3, 5, 999))).toBe(2);
    index.set({ shortlist: n });
    const bytes = await index.serialize();
    expect(bytes.length).toBe(index.bytes());
    const again = await loadIndex({ ...spec, metric: "inner-product", bytes });
    again.set({ shortlist: n });
    const found = again.searchSync(queries, n - 2);
    expect(found).toEqual(index.searchSync(queries, n - 2));
    expect(found.rows.includes(3)).toBe(false);
    bytes[bytes.length - 1]! ^= 1;
    const damaged = complaintOf(loadIndex({ ...spec, metric: "inner-product", bytes }));
    expect((await damaged).code).toBe("index-corrupt");
  });

  it("refuses another factory, and a dimension that fills no bytes", async () => {
    const open = (more: object) => complaintOf(openIndex({ ...spec, metric: "l2", ...more }));
    expect((await open({ factory: "Flat" })).code).toBe("index-factory");
    expect((await open({ dim: 12 })).code).toBe("index-shape");
  });
});
