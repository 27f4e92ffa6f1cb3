import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  annBenchmarksEpsilon,
  float32Rounding,
  neighbourRecall,
  rescore,
} from "../../../../src/eval/metrics/index/neighbour-recall.js";
import { Random } from "../../../../src/eval/stats/random.js";
import type { Neighbours, Vectors } from "../../../../src/pipeline/types.js";

const lists = (k: number, rows: number[], scores: number[]): Neighbours => ({
  k,
  rows: Float64Array.from(rows),
  scores: Float32Array.from(scores),
});

describe("by hand", () => {
  const exact = lists(3, [10, 11, 12, 20, 21, 22], [9, 8, 7, 6, 5, 4]);

  it("counts what is as near as the k-th true neighbour", () => {
    // First query: 10 and another item that scores 8 found, 3 is too far. Second: only one row came
    // back.
    const found = lists(3, [10, 99, 50, 20, -1, -1], [9, 8, 3, 6, -Infinity, -Infinity]);
    const { recall, perQuery } = neighbourRecall(found, exact, { k: 3, metric: "inner-product" });
    expect(Array.from(perQuery)).toEqual([2 / 3, 1 / 3]);
    expect(recall.value).toBeCloseTo(1 / 2, 15);
    expect(neighbourRecall(found, exact, { k: 1, metric: "inner-product" }).recall.value).toBe(1);
  });

  it("an equal item in the place of another counts: ties are no lost recall", () => {
    const tied = lists(2, [1, 2], [3, 3]); // rows 1, 2 and 7 all at Hamming distance 3
    expect(
      neighbourRecall(lists(2, [7, 2], [3, 3]), tied, { k: 2, metric: "hamming" }).perQuery[0],
    ).toBe(1);
    expect(
      neighbourRecall(lists(2, [7, 2], [3, 4]), tied, { k: 2, metric: "hamming" }).perQuery[0],
    ).toBe(1 / 2);
    expect(
      neighbourRecall(lists(2, [2, 2], [3, 3]), tied, { k: 2, metric: "hamming" }).perQuery[0],
    ).toBe(1 / 2); // one row twice is one row
  });

  it("epsilon widens the bound, in the metric's own direction", () => {
    const near = lists(1, [5], [0.9995]);
    const best = lists(1, [1], [1]);
    expect(neighbourRecall(near, best, { k: 1, metric: "inner-product" }).recall.value).toBe(0);
    expect(
      neighbourRecall(near, best, { k: 1, metric: "inner-product", epsilon: annBenchmarksEpsilon })
        .recall.value,
    ).toBe(1);
    expect(
      neighbourRecall(lists(1, [5], [1.0005]), best, { k: 1, metric: "l2" }).recall.value,
    ).toBe(0);
    expect(
      neighbourRecall(lists(1, [5], [1.0005]), best, {
        k: 1,
        metric: "l2",
        epsilon: annBenchmarksEpsilon,
      }).recall.value,
    ).toBe(1);
  });

  it("a gallery smaller than k: what it has is the target", () => {
    const small = lists(3, [0, 1, -1], [2, 1, -Infinity]);
    expect(
      neighbourRecall(lists(3, [1, 0, -1], [1, 2, -Infinity]), small, {
        k: 3,
        metric: "inner-product",
      }).recall.value,
    ).toBe(1);
    expect(() =>
      neighbourRecall(small, lists(1, [0], [2]), { k: 3, metric: "inner-product" }),
    ).toThrow(/kept 1 neighbours, 3 needed/);
    expect(() => neighbourRecall(small, exact, { k: 3, metric: "inner-product" })).toThrow(
      /1 and 2 queries/,
    );
    expect(
      neighbourRecall(lists(1, [], []), lists(1, [], []), { k: 1, metric: "l2" }).recall,
    ).toMatchObject({ value: null, why: "no queries" });
  });

  it("rescore gives each row its exact score", () => {
    const gallery = { data: Float32Array.of(1, 2, 3, 4), dim: 2 };
    const queries = { data: Float32Array.of(1, -1), dim: 2 };
    const rough = lists(3, [1, 0, -1], [0, 0, 0]);
    expect(Array.from(rescore(rough, queries, gallery, "inner-product").scores)).toEqual([
      -1,
      -1,
      -Infinity,
    ]);
    expect(Array.from(rescore(rough, queries, gallery, "l2").scores)).toEqual([
      4 + 25,
      9,
      Infinity,
    ]);
    expect(
      Array.from(
        rescore(
          lists(2, [0, 1], [0, 0]),
          { data: Uint8Array.of(0b11), bits: 8 },
          { data: Uint8Array.of(0b1, 0b11100), bits: 8 },
          "hamming",
        ).scores,
      ),
    ).toEqual([1, 5]);
  });
});

describe("properties", () => {
  const search = fc
    .record({
      n: fc.integer({ min: 1, max: 5 }),
      m: fc.integer({ min: 5, max: 25 }),
      coarse: fc.boolean(),
      seed: fc.integer(),
    })
    .map(({ n, m, coarse, seed }) => {
      const random = new Random(seed);
      const rows = (count: number): Vectors => ({
        dim: 3,
        data: Float32Array.from({ length: count * 3 }, () =>
          coarse ? random.below(3) : random.normal(),
        ),
      });
      return { queries: rows(n), gallery: rows(m), n, m, random };
    });
  const exactSearch = (
    { queries, gallery, n, m }: { queries: Vectors; gallery: Vectors; n: number; m: number },
    k: number,
    order: (row: number) => number,
  ): Neighbours => {
    const rows: number[] = [];
    for (let q = 0; q < n; q++) {
      const s = (g: number) =>
        [0, 1, 2].reduce((sum, d) => sum + queries.data[q * 3 + d]! * gallery.data[g * 3 + d]!, 0);
      rows.push(
        ...Array.from({ length: m }, (_, g) => g)
          .sort((a, b) => s(b) - s(a) || order(a) - order(b))
          .slice(0, k),
      );
    }
    return rescore(
      lists(
        k,
        rows,
        rows.map(() => 0),
      ),
      queries,
      gallery,
      "inner-product",
    );
  };

  it("another exact search has recall 1, however it breaks its ties", () => {
    fc.assert(
      fc.property(search, fc.integer({ min: 1, max: 5 }), (set, k) => {
        const forward = exactSearch(set, k, (row) => row);
        const backward = exactSearch(set, k, (row) => -row);
        expect(
          neighbourRecall(backward, forward, { k, metric: "inner-product" }).recall.value,
        ).toBe(1);
      }),
      { seed: 3 },
    );
  });

  it(
    "lies within 0..1, does not depend on the order of what was found, and never falls as " +
      "more is found",
    () => {
      fc.assert(
        fc.property(search, (set) => {
          const exact = exactSearch(set, 5, (row) => row);
          const rows = Array.from({ length: set.n }, () =>
            set.random.shuffled(Array.from({ length: set.m }, (_, g) => g)).slice(0, 5),
          ).flat();
          const found = rescore(
            lists(
              5,
              rows,
              rows.map(() => 0),
            ),
            set.queries,
            set.gallery,
            "inner-product",
          );
          const reversed = rescore(
            lists(
              5,
              Array.from({ length: set.n }, (_, q) =>
                rows.slice(q * 5, q * 5 + 5).reverse(),
              ).flat(),
              rows.map(() => 0),
            ),
            set.queries,
            set.gallery,
            "inner-product",
          );
          const all = neighbourRecall(found, exact, { k: 5, metric: "inner-product" });
          expect(
            neighbourRecall(reversed, exact, { k: 5, metric: "inner-product" }).perQuery,
          ).toEqual(all.perQuery);
          const less = { ...found, rows: found.rows.map((r, i) => (i % 5 < 3 ? r : -1)) };
          neighbourRecall(less, exact, { k: 5, metric: "inner-product" }).perQuery.forEach(
            (r, q) => {
              expect(r).toBeGreaterThanOrEqual(0);
              expect(r).toBeLessThanOrEqual(all.perQuery[q]!);
              expect(all.perQuery[q]).toBeLessThanOrEqual(1);
            },
          );
        }),
        { seed: 4 },
      );
    },
  );
});

describe("what float32 leaves uncertain", () => {
  /** 200 rows in 16 dimensions; the first ten are the queries. Found: half of what was exact. */
  function recallAt(scale: number, metric: "inner-product" | "l2"): number | null {
    const random = new Random("scale");
    const data = Float32Array.from({ length: 200 * 16 }, () => scale * random.normal());
    const gallery: Vectors = { data, dim: 16 };
    const queries: Vectors = { data: data.subarray(0, 160), dim: 16 };
    const all = lists(
      200,
      Array.from({ length: 10 * 200 }, (_, i) => i % 200),
      Array.from({ length: 10 * 200 }, () => 0),
    );
    const scored = rescore(all, queries, gallery, metric);
    const sign = metric === "l2" ? -1 : 1;
    const best = (skip: (place: number) => boolean): Neighbours => {
      const rows: number[] = [];
      for (let q = 0; q < 10; q++)
        rows.push(
          ...Array.from({ length: 200 }, (_, g) => g)
            .sort((a, b) => sign * (scored.scores[q * 200 + b]! - scored.scores[q * 200 + a]!))
            .filter((_, place) => !skip(place))
            .slice(0, 10),
        );
      return rescore(
        lists(
          10,
          rows,
          rows.map(() => 0),
        ),
        queries,
        gallery,
        metric,
      );
    };
    return neighbourRecall(
      best((place) => place % 2 === 1),
      best(() => false),
      { k: 10, metric, rounding: float32Rounding(queries, gallery, metric) },
    ).recall.value;
  }

  it.each(["inner-product", "l2"] as const)("is relative to the lengths: %s", (metric) => {
    for (const scale of [1e-6, 1e-3, 1, 1e3, 1e6]) expect(recallAt(scale, metric)).toBe(0.5);
  });

  it("lets equal scores be equal in spite of it, at any length", () => {
    const random = new Random("rounded");
    for (const scale of [1e-6, 1, 1e6]) {
      const row = Float32Array.from({ length: 256 }, () => scale * random.normal());
      // The same products in another order: sums in float32 differ, the scores do not.
      const gallery = { data: Float32Array.of(...row, ...row), dim: 256 };
      const sum = (order: (i: number) => number): number => {
        let s = 0;
        for (let i = 0; i < 256; i++)
          s = Math.fround(s + Math.fround(row[order(i)]! * row[order(i)]!));
        return s;
      };
      const [forward, backward] = [sum((i) => i), sum((i) => 255 - i)];
      const recall = (rounding?: ReturnType<typeof float32Rounding>) =>
        neighbourRecall(
          lists(1, [0], [Math.min(forward, backward)]),
          lists(1, [1], [Math.max(forward, backward)]),
          { k: 1, metric: "inner-product", ...(rounding && { rounding }) },
        ).recall.value;
      expect(forward).not.toBe(backward);
      expect(recall()).toBe(0);
      expect(recall(float32Rounding({ data: row, dim: 256 }, gallery, "inner-product"))).toBe(1);
    }
  });
});
