import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { innerProduct, rankRowsPlain } from "../../../src/pipeline/index/row-ranks-plain.js";
import { rankRows, ranksAddon, type RowLists } from "../../../src/pipeline/index/row-ranks.js";
import type { Codes, Vectors } from "../../../src/pipeline/types.js";
import { complaintOf } from "../../complaint.js";

const lists = (...rows: number[][]): RowLists => ({
  start: Int32Array.from([0, ...rows.map((_, i) => rows.slice(0, i + 1).flat().length)]),
  rows: Int32Array.from(rows.flat()),
});
const none = (queries: number) => lists(...Array.from({ length: queries }, () => []));

/** The definition, by sorting everything. */
function bySorting(
  queries: Vectors | Codes,
  gallery: Vectors | Codes,
  marked: RowLists,
  excluded: RowLists,
  top: number,
) {
  const width = "bits" in gallery ? gallery.bits / 8 : gallery.dim;
  const row = (rows: Vectors | Codes, i: number) =>
    Array.from(rows.data.subarray(i * width, (i + 1) * width));
  const ones = (n: number) => n.toString(2).replaceAll("0", "").length;
  const score = (a: number[], b: number[]) =>
    "bits" in gallery
      ? 0 - a.reduce((s, v, i) => s + ones(v ^ b[i]!), 0)
      : innerProduct(Float32Array.from(a), 0, Float32Array.from(b), 0, width);
  const n = queries.data.length / width;
  const out = {
    scores: [] as number[],
    above: [] as number[],
    tied: [] as number[],
    tiedBefore: [] as number[],
    topRows: [] as number[],
    topScores: [] as number[],
  };
  for (let q = 0; q < n; q++) {
    const mine = Array.from(marked.rows.subarray(marked.start[q], marked.start[q + 1]));
    const gone = new Set(excluded.rows.subarray(excluded.start[q], excluded.start[q + 1]));
    const all = Array.from({ length: gallery.data.length / width }, (_, g) => ({
      g,
      s: score(row(queries, q), row(gallery, g)),
    })).filter(({ g }) => !gone.has(g));
    const others = all.filter(({ g }) => !mine.includes(g));
    for (const m of mine) {
      const { s } = all.find(({ g }) => g === m)!;
      out.scores.push(s);
      out.above.push(others.filter((o) => o.s > s).length);
      out.tied.push(others.filter((o) => o.s === s).length);
      out.tiedBefore.push(others.filter((o) => o.s === s && o.g < m).length);
    }
    const best = [...all].sort((a, b) => b.s - a.s || a.g - b.g).slice(0, top);
    for (let i = 0; i < top; i++) {
      out.topRows.push(best[i]?.g ?? -1);
      out.topScores.push(best[i]?.s ?? -Infinity);
    }
  }
  return out;
}

const plainly = ({
  scores,
  above,
  tied,
  tiedBefore,
  topRows,
  topScores,
}: ReturnType<typeof rankRowsPlain>) => ({
  scores: Array.from(scores),
  above: Array.from(above),
  tied: Array.from(tied),
  tiedBefore: Array.from(tiedBefore),
  topRows: Array.from(topRows),
  topScores: Array.from(topScores),
});

/**
 * A request over few distinct values, so that much ties; magnitudes where float32 products overflow
 * or vanish; repeated rows.
 */
const request = fc
  .record({
    codes: fc.boolean(),
    dim: fc.integer({ min: 1, max: 9 }),
    queries: fc.integer({ min: 1, max: 4 }),
    gallery: fc.integer({ min: 1, max: 40 }),
    scale: fc.constantFrom(1, 1, 1, 1e30, 1e-25),
    coarse: fc.boolean(),
    seed: fc.integer({ min: 1, max: 2 ** 30 }),
    top: fc.integer({ min: 0, max: 6 }),
    threads: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ codes, dim, queries, gallery, scale, coarse, seed, top, threads }) => {
    let state = seed;
    const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const rows = (n: number): Vectors | Codes =>
      codes
        ? {
            data: Uint8Array.from({ length: n * dim }, () => Math.floor(next() * 4)),
            bits: dim * 8,
          }
        : {
            data: Float32Array.from(
              { length: n * dim },
              () => (coarse ? Math.round(next() * 4 - 2) : next() * 2 - 1) * scale,
            ),
            dim,
          };
    const pick: { m: number[]; x: number[] }[] = Array.from({ length: queries }, () => {
      const kind = Array.from({ length: gallery }, () => next());
      return {
        m: kind.flatMap((u, g) => (u < 0.25 ? [g] : [])),
        x: kind.flatMap((u, g) => (u > 0.9 ? [g] : [])),
      };
    });
    const held = rows(gallery);
    if (gallery > 2) held.data.copyWithin(dim, 0, dim); // row 1 repeats row 0
    return {
      queries: rows(queries),
      gallery: held,
      marked: lists(...pick.map((p) => p.m)),
      excluded: lists(...pick.map((p) => p.x)),
      top: Math.min(top, gallery),
      threads,
    };
  });

const width = (rows: Vectors | Codes) => ("bits" in rows ? rows.bits / 8 : rows.dim);

describe("rankRowsPlain", () => {
  it("by hand: four rows against one query", () => {
    // Scores 3, 1, 3, 2. Row 0 is marked: row 2 ties with it and comes after it. Row 3 is marked:
    // rows 2 and, were it not excluded, 1 surround it.
    const queries = { data: Float32Array.of(1, 0), dim: 2 };
    const gallery = { data: Float32Array.of(3, 9, 1, 9, 3, 9, 2, 9), dim: 2 };
    const { start, rows } = lists([0, 3]);
    const result = rankRowsPlain({
      queries: queries.data,
      gallery: gallery.data,
      dim: 2,
      markedStart: start,
      marked: rows,
      excludedStart: Int32Array.of(0, 1),
      excluded: Int32Array.of(1),
      top: 4,
    });
    expect(plainly(result)).toEqual({
      scores: [3, 2],
      above: [0, 1],
      tied: [1, 0],
      tiedBefore: [0, 0],
      topRows: [0, 2, 3, -1],
      topScores: [3, 3, 2, -Infinity],
    });
  });

  it("equals sorting everything (property)", () => {
    fc.assert(
      fc.property(request, ({ queries, gallery, marked, excluded, top }) => {
        const result = rankRowsPlain({
          queries: queries.data,
          gallery: gallery.data,
          dim: width(gallery),
          markedStart: marked.start,
          marked: marked.rows,
          excludedStart: excluded.start,
          excluded: excluded.rows,
          top,
        });
        expect(plainly(result)).toEqual(bySorting(queries, gallery, marked, excluded, top));
      }),
      { numRuns: 300, seed: 3 },
    );
  });
});

describe.skipIf(!ranksAddon())("the addon", () => {
  it("gives the same to the last bit, on any number of threads (property)", async () => {
    await fc.assert(
      fc.asyncProperty(request, async ({ queries, gallery, marked, excluded, top, threads }) => {
        const plain = rankRowsPlain({
          queries: queries.data,
          gallery: gallery.data,
          dim: width(gallery),
          markedStart: marked.start,
          marked: marked.rows,
          excludedStart: excluded.start,
          excluded: excluded.rows,
          top,
        });
        const native = await rankRows({ queries, gallery, marked, excluded, top, threads });
        expect(plainly(native)).toEqual(plainly(plain));
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  it(
    "crosses its block sizes: 300 queries against " + "5,000 rows, many of them nearly equal",
    async () => {
      const [n, size, dim] = [300, 5000, 24];
      let state = 7;
      const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5;
      const gallery = { dim, data: Float32Array.from({ length: size * dim }, next) };
      // Each third row is its neighbour plus the least change that float32 knows, so that float32
      // products cannot order them.
      for (let g = 0; g + 1 < size; g += 3) {
        gallery.data.copyWithin((g + 1) * dim, g * dim, (g + 1) * dim);
        if (g % 2) gallery.data[(g + 1) * dim]! *= 1 + 2 ** -22;
      }
      const queries = { dim, data: gallery.data.slice(0, n * dim) };
      const marked = lists(...Array.from({ length: n }, (_, q) => [q + 1, 2000 + q, 4000 + q]));
      const excluded = lists(...Array.from({ length: n }, (_, q) => [q]));
      const plain = rankRowsPlain({
        queries: queries.data,
        gallery: gallery.data,
        dim,
        markedStart: marked.start,
        marked: marked.rows,
        excludedStart: excluded.start,
        excluded: excluded.rows,
        top: 7,
      });
      const native = await rankRows({ queries, gallery, marked, excluded, top: 7, threads: 2 });
      expect(plainly(native)).toEqual(plainly(plain));
      expect(plain.tied.some((t) => t > 0)).toBe(true);
    },
  );

  it("refuses arguments that do not fit, before any work", () => {
    const good = {
      queries: new Float32Array(4),
      gallery: new Float32Array(8),
      dim: 2,
      markedStart: Int32Array.of(0, 1, 1),
      marked: Int32Array.of(3),
      excludedStart: new Int32Array(3),
      excluded: new Int32Array(0),
      top: 2,
      galleryNorm: 1,
      threads: 1,
    };
    const refused = (change: object, why: RegExp) => {
      expect(() => ranksAddon()!.rankRows({ ...good, ...change })).toThrow(why);
    };
    refused({ marked: Int32Array.of(4) }, /marked must hold ascending row numbers/);
    refused({ marked: Int32Array.of(-1) }, /marked must hold/);
    refused({ markedStart: Int32Array.of(0, 2, 2), marked: Int32Array.of(3, 3) }, /ascending/);
    refused({ markedStart: Int32Array.of(0, 1) }, /markedStart does not fit/);
    refused({ markedStart: Int32Array.of(0, 2, 1) }, /markedStart must not fall/);
    refused({ excludedStart: Int32Array.of(0, 0, 1) }, /excludedStart does not fit/);
    refused({ queries: new Uint8Array(4) }, /gallery has the wrong type/);
    refused({ queries: new Float32Array(5) }, /no whole number of rows/);
    refused({ top: 5 }, /top is more/);
    refused({ top: 0.5 }, /top must be an integer/);
    refused({ dim: 0 }, /dim must be/);
    refused({ threads: 0 }, /threads must be/);
    refused({ galleryNorm: NaN }, /galleryNorm/);
  });
});

describe.skipIf(!ranksAddon())("values that are not finite", () => {
  it("are refused, not sorted", async () => {
    const { start, rows } = lists([0, 1]);
    const args = {
      gallery: Float32Array.of(1, 2),
      dim: 1,
      markedStart: start,
      marked: rows,
      excludedStart: new Int32Array(2),
      excluded: new Int32Array(0),
      top: 1,
      galleryNorm: 2,
      threads: 1,
    };
    await expect(
      ranksAddon()!.rankRows({ ...args, queries: Float32Array.of(NaN) }),
    ).rejects.toThrow(/not finite/);
    await expect(
      ranksAddon()!.rankRows({ ...args, queries: Float32Array.of(Infinity) }),
    ).rejects.toThrow(/not finite/);
  });
});

describe("rankRows", () => {
  it("refuses to compare vectors with codes, or other dimensions", async () => {
    const vectors = { data: new Float32Array(4), dim: 2 };
    const request = { marked: none(1), excluded: none(1), top: 1, gallery: vectors };
    expect(
      await complaintOf(rankRows({ ...request, queries: { data: new Uint8Array(1), bits: 8 } })),
    ).toMatchObject({
      code: "dimension-mismatch",
      found: "codes of 8 bits",
      expected: "queries like the gallery: vectors of 2 floats",
    });
    expect(
      (await complaintOf(rankRows({ ...request, queries: { data: new Float32Array(3), dim: 3 } })))
        .code,
    ).toBe("dimension-mismatch");
  });
});
