import type { Measured } from "../../../../src/eval/types.js";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readVectors } from "../../../../datasets/formats/vector-file.js";
import {
  classMeans,
  classScores,
  confusions,
  predictions,
} from "../../../../src/eval/metrics/retrieval/retrieval-classes.js";
import { retrievalScores } from "../../../../src/eval/metrics/retrieval/retrieval-scores.js";
import {
  rankQueries,
  type RankingOptions,
} from "../../../../src/eval/metrics/retrieval/retrieval.js";
import type { RetrievalInput } from "../../../../src/eval/metrics/retrieval/ranking.js";
import { Random } from "../../../../src/eval/stats/random.js";
import { binarise } from "../../../../src/pipeline/index/binarise.js";
import type { Codes, Vectors } from "../../../../src/pipeline/types.js";
import { complaintOf } from "../../../complaint.js";
import { shared, sharedData } from "../../../shared-data.js";

const line = (...x: number[]): Vectors => ({ data: Float32Array.from(x), dim: 1 });
const scoresOf = async (input: RetrievalInput, options: RankingOptions = {}) => {
  const { scores } = retrievalScores(await rankQueries(input, options), { resamples: 0 });
  return Object.fromEntries(scores.map((s) => [s.metric, s.value]));
};

describe("by hand", () => {
  // One query (1) of label a against scores 6 a, 5 b, 4 a, 3 b, 2 b, 1 a: positives at ranks 1, 3,
  // 6.
  const input = {
    queries: line(1),
    queryLabels: ["a"],
    gallery: line(3, 6, 1, 5, 2, 4),
    galleryLabels: ["b", "a", "a", "b", "b", "a"],
  };

  it("every metric of one query", async () => {
    expect(await scoresOf(input, { ks: [1, 2, 3] })).toEqual({
      "recall@1": 1,
      "recall@2": 1,
      "recall@3": 1,
      mAP: (1 + 2 / 3 + 3 / 6) / 3,
      "MAP@R": (1 + 2 / 3) / 3,
      "R-precision": 2 / 3,
      mINP: 3 / 6,
      "precision@1": 1,
      "precision@2": 1 / 2,
      "precision@3": 2 / 3,
    });
  });

  it("the uid rule: same label and same uid leaves the ranking, same uid alone stays", async () => {
    const uids = {
      queryUids: ["cam1"],
      galleryUids: ["cam1", "cam1", "cam2", "cam1", "cam2", "cam2"],
    };
    // Row 1 (a, cam1, rank 1) is junk; rows 0 and 3 (b, cam1) stay. Left: b, a, b, b, a: positives
    // at 2 and 5.
    expect(await scoresOf({ ...input, ...uids }, { ks: [1, 2] })).toMatchObject({
      "recall@1": 0,
      "recall@2": 1,
      mAP: (1 / 2 + 2 / 5) / 2,
      mINP: 2 / 5,
    });
    const evidence = await rankQueries({ ...input, ...uids });
    expect([evidence.positives[0], evidence.junk[0]]).toEqual([2, 1]);
  });

  it("leave one out: each row against the others", async () => {
    // 1 and 1.5 are a, -1 and -2 are b: same signs find each other. c is alone: no positive, not in
    // n.
    const gallery = line(1, 1.5, -1, -2, 0.5);
    const labels = ["a", "a", "b", "b", "c"];
    const evidence = await rankQueries({
      queries: gallery,
      gallery,
      queryLabels: labels,
      galleryLabels: labels,
      leaveOneOut: true,
    });
    const { scores, queries, unanswerable } = retrievalScores(evidence);
    expect([queries, unanswerable, scores[0]!.value]).toEqual([5, 1, 1]);
    expect(scores[0]).toMatchObject({ n: 4, interval: { method: "wilson" } });
    expect(Array.from(evidence.topRows.subarray(0, evidence.top))).toEqual([1, 4, 2, 3, -1]);
  });

  it("ties of codes: bounds and expectation", async () => {
    // Distance 1 to two a and two b. Two positives, two negatives in one group: see
    // tied-ranks.test.ts.
    const codes = (...bytes: number[]): Codes => ({ data: Uint8Array.from(bytes), bits: 8 });
    const evidence = await rankQueries(
      {
        queries: codes(0),
        queryLabels: ["a"],
        gallery: codes(1, 2, 4, 8),
        galleryLabels: ["a", "b", "a", "b"],
      },
      { ks: [1, 2] },
    );
    const byName = new Map(
      retrievalScores(evidence, { resamples: 0 }).scores.map((s) => [s.metric, s]),
    );
    expect(byName.get("recall@1")).toMatchObject({ value: 1 / 2, bounds: [0, 1] });
    expect(byName.get("recall@2")!.value).toBeCloseTo(5 / 6, 15);
    expect(byName.get("R-precision")!.bounds).toEqual([0, 1]);
    expect(evidence.undecidedFirst).toBe(1);
    expect(Array.from(evidence.topScores)).toEqual([-1, -1, -1, -1]);
  });

  it("the CMC curve is recall@k for all k", async () => {
    const evidence = await rankQueries(
      {
        queries: line(1, 1),
        queryLabels: ["b", "x"],
        gallery: input.gallery,
        galleryLabels: input.galleryLabels,
      },
      { cmcLength: 4 },
    );
    expect(retrievalScores(evidence, { resamples: 0 }).cmc).toEqual([0, 1, 1, 1]);
  });

  it("per class, and what is taken for what", async () => {
    const gallery = line(10, 5, -10, -5);
    const evidence = await rankQueries({
      queries: line(1, 1, 2, -1, -1, 1),
      queryLabels: ["a", "b", "b", "b", "z", "a"],
      gallery,
      galleryLabels: ["a", "b", "b", "c"],
    });
    expect(predictions(evidence)).toEqual(["a", "a", "a", "b", "b", "a"]);
    expect(
      classScores(evidence).map(({ label, queries, galleryItems, recallAt1 }) => [
        label,
        queries,
        galleryItems,
        recallAt1.value,
      ]),
    ).toEqual([
      ["a", 2, 1, 1],
      ["b", 3, 2, 1 / 3],
      ["z", 1, 0, null],
    ]);
    // Labels count once each, those without an answer not at all: (1 + 1/3) / 2, where
    // queries give 3/5.
    expect(classMeans(classScores(evidence))).toMatchObject({
      recallAt1: { value: (1 + 1 / 3) / 2, n: 2 },
      meanAveragePrecision: { n: 2 },
    });
    expect(classMeans([]).recallAt1.value).toBeNull();
    expect(confusions(evidence)).toEqual([{ label: "b", predicted: "a", count: 2, queries: 3 }]);
  });
});

/**
 * The definition again, as differently as can be: every similarity in a matrix, one sort, positions
 * by filter. Without ties.
 */
function bruteForce(
  {
    queries,
    gallery,
    queryLabels,
    galleryLabels,
    queryUids,
    galleryUids,
    leaveOneOut,
  }: RetrievalInput,
  ks: readonly number[],
) {
  const [q, g] = [queries as Vectors, gallery as Vectors];
  const sums: Record<string, number[]> = {};
  const add = (name: string, value: number) => (sums[name] ??= []).push(value);
  for (let i = 0; i < queryLabels.length; i++) {
    const ranked = galleryLabels
      .map((label, j) => ({
        label,
        j,
        uid: galleryUids?.[j],
        s: Array.from(
          { length: q.dim },
          (_, d) => q.data[i * q.dim + d]! * g.data[j * g.dim + d]!,
        ).reduce((a, b) => a + b, 0),
      }))
      .filter(
        ({ label, j, uid }) =>
          !(leaveOneOut === true && j === i) &&
          !(queryUids && label === queryLabels[i] && uid === queryUids[i]),
      )
      .sort((a, b) => b.s - a.s);
    const right = ranked.map((r) => r.label === queryLabels[i]);
    const total = right.filter(Boolean).length;
    if (total === 0) continue;
    const precisionAt = (k: number) => right.slice(0, k).filter(Boolean).length / k;
    for (const k of ks) {
      add(`recall@${k}`, Number(right.slice(0, k).includes(true)));
      add(`precision@${k}`, precisionAt(k));
    }
    add("mAP", right.reduce((s, r, place) => s + (r ? precisionAt(place + 1) : 0), 0) / total);
    add(
      "MAP@R",
      right.slice(0, total).reduce((s, r, place) => s + (r ? precisionAt(place + 1) : 0), 0) /
        total,
    );
    add("R-precision", precisionAt(total));
    add("mINP", total / (right.lastIndexOf(true) + 1));
  }
  return Object.fromEntries(
    Object.entries(sums).map(([name, values]) => [
      name,
      values.reduce((a, b) => a + b, 0) / values.length,
    ]),
  );
}

const someSet = fc
  .record({
    n: fc.integer({ min: 1, max: 8 }),
    m: fc.integer({ min: 5, max: 30 }),
    classes: fc.integer({ min: 1, max: 6 }),
    dim: fc.integer({ min: 1, max: 6 }),
    mode: fc.constantFrom("plain", "uid", "leave"),
    coarse: fc.boolean(),
    seed: fc.integer(),
  })
  .map(({ n, m, classes, dim, mode, coarse, seed }): RetrievalInput => {
    const random = new Random(seed);
    const rows = (count: number): Vectors => ({
      dim,
      data: Float32Array.from({ length: count * dim }, () =>
        coarse ? random.below(5) - 2 : random.normal(),
      ),
    });
    const labels = (count: number) =>
      Array.from({ length: count }, () => `l${random.below(classes)}`);
    const gallery = { gallery: rows(m), galleryLabels: labels(m) };
    if (mode === "leave")
      return {
        ...gallery,
        queries: gallery.gallery,
        queryLabels: gallery.galleryLabels,
        leaveOneOut: true,
      };
    const query = { queries: rows(n), queryLabels: labels(n) };
    return mode === "plain"
      ? { ...gallery, ...query }
      : {
          ...gallery,
          ...query,
          queryUids: Array.from({ length: n }, () => `c${random.below(3)}`),
          galleryUids: Array.from({ length: m }, () => `c${random.below(3)}`),
        };
  });

const fine = someSet.filter(({ gallery }) =>
  (gallery as Vectors).data.some((v) => !Number.isInteger(v)),
);
const ks = [1, 2, 5];

describe("properties", () => {
  it("equals the brute-force definition", async () => {
    await fc.assert(
      fc.asyncProperty(fine, async (input) => {
        const [mine, other] = [await scoresOf(input, { ks }), bruteForce(input, ks)];
        for (const [name, value] of Object.entries(mine)) {
          if (other[name] === undefined) expect(value, name).toBeNull();
          else expect(value, name).toBeCloseTo(other[name], 12);
        }
      }),
      { numRuns: 200, seed: 11 },
    );
  });

  it("does not depend on the order of gallery or queries, ties or not", async () => {
    await fc.assert(
      fc.asyncProperty(someSet, fc.integer(), async (input, seed) => {
        const order = new Random(seed).shuffled(input.galleryLabels.map((_, i) => i));
        const queryOrder =
          input.leaveOneOut === true
            ? order
            : new Random(seed).shuffled(input.queryLabels.map((_, i) => i));
        const rows = (v: Vectors, o: number[]): Vectors => ({
          dim: v.dim,
          data: Float32Array.from(
            o.flatMap((i) => Array.from(v.data.subarray(i * v.dim, (i + 1) * v.dim))),
          ),
        });
        const pick = (texts: readonly string[], o: number[]) => o.map((i) => texts[i]!);
        const moved: RetrievalInput = {
          ...input,
          gallery: rows(input.gallery as Vectors, order),
          galleryLabels: pick(input.galleryLabels, order),
          queries: rows(input.queries as Vectors, queryOrder),
          queryLabels: pick(input.queryLabels, queryOrder),
          ...(input.queryUids &&
            input.galleryUids && {
              queryUids: pick(input.queryUids, queryOrder),
              galleryUids: pick(input.galleryUids, order),
            }),
        };
        const [before, after] = [await scoresOf(input, { ks }), await scoresOf(moved, { ks })];
        for (const [name, value] of Object.entries(before)) {
          if (value === null) expect(after[name]).toBeNull();
          else expect(after[name]).toBeCloseTo(value, 12);
        }
      }),
      { numRuns: 150, seed: 12 },
    );
  });

  it("stays within 0..1 and its bounds, grows with k, and recall@1 = precision@1", async () => {
    await fc.assert(
      fc.asyncProperty(someSet, async (input) => {
        const { scores, cmc } = retrievalScores(await rankQueries(input, { ks: [1, 2, 3, 4, 5] }), {
          resamples: 0,
        });
        if (scores[0]!.value === null) return;
        for (const s of scores) {
          expect(s.value).toBeGreaterThanOrEqual(0);
          expect(s.value).toBeLessThanOrEqual(1 + 1e-12);
          expect(s.bounds![0]).toBeLessThanOrEqual(s.value! + 1e-12);
          expect(s.value).toBeLessThanOrEqual(s.bounds![1] + 1e-12);
        }
        const value = (name: string) => scores.find((s) => s.metric === name)!.value!;
        for (const k of [1, 2, 3, 4])
          expect(value(`recall@${k + 1}`)).toBeGreaterThanOrEqual(value(`recall@${k}`) - 1e-12);
        expect(value("recall@1")).toBeCloseTo(value("precision@1"), 12);
        expect(value("MAP@R")).toBeLessThanOrEqual(value("R-precision") + 1e-12);
        [1, 2, 3, 4, 5].forEach((k) => {
          expect(cmc[k - 1]).toBeCloseTo(value(`recall@${k}`), 12);
        });
      }),
      { numRuns: 150, seed: 13 },
    );
  });

  it("leave one out is the uid rule with a uid a row", async () => {
    await fc.assert(
      fc.asyncProperty(
        someSet.filter((s) => s.leaveOneOut === true),
        async (input) => {
          const uids = input.galleryLabels.map((_, i) => String(i));
          expect(
            await scoresOf(
              { ...input, leaveOneOut: false, queryUids: uids, galleryUids: uids },
              { ks },
            ),
          ).toEqual(await scoresOf(input, { ks }));
        },
      ),
      { numRuns: 60, seed: 14 },
    );
  });
});

describe("few labels in a large set", () => {
  it("blocks shrink where queries have many positives, and nothing changes", async () => {
    const n = 700;
    const labels = Array.from({ length: n }, (_, i) => String(i % 2));
    const codes: Codes = { data: new Uint8Array(n), bits: 8 };
    const input = {
      queries: codes,
      gallery: codes,
      queryLabels: labels,
      galleryLabels: labels,
      leaveOneOut: true,
    };
    const { scores } = retrievalScores(await rankQueries(input, { heldPositives: 1000 }), {
      resamples: 0,
    });
    // Everything ties: 349 of the other 699 are right.
    expect(scores[0]!.value).toBeCloseTo(349 / 699, 12);
    expect(scores[0]!.bounds).toEqual([0, 1]);
    expect(scores.find((s) => s.metric === "precision@5")!.value).toBeCloseTo(349 / 699, 12);
    expect(retrievalScores(await rankQueries(input), { resamples: 0 }).scores).toEqual(scores);
  });
});

describe("without a value there is a reason", () => {
  it("no query has a positive; k larger than the gallery", async () => {
    const lost = retrievalScores(
      await rankQueries({
        queries: line(1),
        queryLabels: ["z"],
        gallery: line(1, 2),
        galleryLabels: ["a", "b"],
      }),
    );
    expect(lost.unanswerable).toBe(1);
    for (const s of lost.scores)
      expect(s).toMatchObject({
        value: null,
        why: "none of the 1 queries has a valid positive in the gallery",
      });
    const wide = retrievalScores(
      await rankQueries(
        { queries: line(1), queryLabels: ["a"], gallery: line(1, 2), galleryLabels: ["a", "b"] },
        { ks: [2, 3] },
      ),
    );
    expect(wide.scores.map((s) => [s.metric, s.value === null])).toContainEqual(["recall@3", true]);
    expect(wide.scores[0]!.value).toBe(1);
  });
});

describe("bad input", () => {
  const good: RetrievalInput = {
    queries: line(1),
    queryLabels: ["a"],
    gallery: line(1, 2),
    galleryLabels: ["a", "b"],
  };
  it.each<[string, Partial<RetrievalInput>, object, string]>([
    ["no query", { queries: line(), queryLabels: [] }, {}, "retrieval-empty"],
    ["an empty gallery", { gallery: line(), galleryLabels: [] }, {}, "retrieval-empty"],
    ["labels that do not fit", { galleryLabels: ["a"] }, {}, "retrieval-length"],
    ["uids that do not fit", { queryUids: ["1"], galleryUids: ["1"] }, {}, "retrieval-length"],
    ["uids on one side", { galleryUids: ["1", "2"] }, {}, "retrieval-uids"],
    ["leave one out of another set", { leaveOneOut: true }, {}, "retrieval-leave-one-out"],
    ["NaN in a query", { queries: line(NaN) }, {}, "vector-not-finite"],
    ["an infinite gallery value", { gallery: line(1, Infinity) }, {}, "vector-not-finite"],
    ["k = 0", {}, { ks: [0] }, "retrieval-k"],
    ["k = 1.5", {}, { ks: [1.5] }, "retrieval-k"],
    [
      "another dimension",
      { queries: { data: new Float32Array(2), dim: 2 } },
      {},
      "dimension-mismatch",
    ],
    [
      "vectors against codes",
      { queries: { data: new Uint8Array(1), bits: 8 } },
      {},
      "dimension-mismatch",
    ],
  ])("%s", async (_, change, options, code) => {
    const complaint = await complaintOf(rankQueries({ ...good, ...change }, options));
    expect(complaint.code).toBe(code);
    expect(complaint.expected && complaint.found && complaint.fix).toBeTruthy();
  });
});

describe.skipIf(!sharedData)("the drink photos' real features", () => {
  const load = async (file: string) => {
    const vectors = await readVectors(shared(`drink/${file}`));
    const rows = JSON.parse(
      readFileSync(shared(`drink/${file.slice(0, 2)}/rows.json`), "utf8"),
    ) as { path: string; label: string }[];
    return { vectors, rows };
  };
  const leaveOneOut = (
    vectors: Vectors | Codes,
    rows: readonly { label: string }[],
  ): RetrievalInput => {
    const labels = rows.map((r) => r.label);
    return {
      queries: vectors,
      gallery: vectors,
      queryLabels: labels,
      galleryLabels: labels,
      leaveOneOut: true,
    };
  };
  const v1 = "v1/embeddings_1069x512_f32.npy";
  const v2 = "v2/embeddings_987x512_f32.npy";

  it("v1: the stated reference numbers to 1e-6", async () => {
    const { vectors, rows } = await load(v1);
    const { scores, queries, unanswerable } = retrievalScores(
      await rankQueries(leaveOneOut(vectors, rows)),
    );
    expect([queries, unanswerable]).toEqual([1069, 4]);
    const value = (name: string) => scores.find((s) => s.metric === name)!.value!;
    for (const [name, reference] of [
      ["recall@1", 0.967136],
      ["recall@5", 0.993427],
      ["mAP", 0.880536],
      ["MAP@R", 0.833315],
    ] as const)
      expect(Math.abs(value(name) - reference)).toBeLessThan(1e-6);
    const recall = scores[0]! as Measured;
    expect(recall.interval!.low).toBeGreaterThan(0.95);
    expect(recall.interval!.high).toBeLessThan(0.98);
  });

  it("v2, and v1 on the rows of v2", async () => {
    const [first, second] = [await load(v1), await load(v2)];
    const two = await scoresOf(leaveOneOut(second.vectors, second.rows));
    expect(Math.abs(two["recall@1"]! - 0.960406)).toBeLessThan(1e-6);
    expect(Math.abs(two.mAP! - 0.883812)).toBeLessThan(1e-6);
    const place = new Map(first.rows.map((r, i) => [r.path, i]));
    const common = second.rows.map((r) => place.get(r.path)!);
    const data = new Float32Array(common.length * 512);
    common.forEach((row, i) => {
      data.set(first.vectors.data.subarray(row * 512, (row + 1) * 512), i * 512);
    });
    const one = await scoresOf(leaveOneOut({ data, dim: 512 }, second.rows));
    expect(Math.abs(one["recall@1"]! - 0.964467)).toBeLessThan(1e-6);
    expect(Math.abs(one.mAP! - 0.873084)).toBeLessThan(1e-6);
  });

  it(
    "sign codes: 100 random breakings of ties lie within the bounds, and their mean is the " +
      "expected value",
    async () => {
      const { vectors, rows } = await load(v1);
      const input = leaveOneOut(binarise(vectors.data, 512, "sign") as Codes, rows);
      const byName = new Map(
        retrievalScores(await rankQueries(input), { resamples: 0 }).scores.map((s) => [
          s.metric,
          s,
        ]),
      );
      expect((await rankQueries(input)).undecidedFirst).toBeGreaterThan(0);
      const names = ["recall@1", "recall@5", "mAP", "MAP@R", "R-precision", "mINP", "precision@5"];
      const draws = simulateTies(input.gallery as Codes, input.galleryLabels, 100, 5);
      for (const name of names) {
        const { value, bounds } = byName.get(name)!;
        const sample = draws.map((d) => d[name]!);
        const mean = sample.reduce((a, b) => a + b, 0) / sample.length;
        const deviation = Math.sqrt(
          sample.reduce((s, x) => s + (x - mean) ** 2, 0) / (sample.length - 1),
        );
        expect(Math.min(...sample)).toBeGreaterThanOrEqual(bounds![0] - 1e-12);
        expect(Math.max(...sample)).toBeLessThanOrEqual(bounds![1] + 1e-12);
        expect(bounds![1]).toBeGreaterThan(bounds![0]);
        expect(deviation).toBeGreaterThan(0);
        // 1 in 16,000 by chance; the seed is fixed
        expect(Math.abs(mean - value!)).toBeLessThan((4 * deviation) / Math.sqrt(sample.length));
      }
    },
    120_000,
  );

  /**
   * Leave one out with tied items in random order, once a draw: distances byte by byte, places by
   * sorting.
   */
  function simulateTies(
    codes: Codes,
    labels: readonly string[],
    draws: number,
    seed: number,
  ): Record<string, number>[] {
    const n = labels.length;
    const ones = Array.from(
      { length: 256 },
      (_, byte) => byte.toString(2).replaceAll("0", "").length,
    );
    const random = new Random(seed);
    const totals = Array.from(
      { length: draws },
      () =>
        ({
          "recall@1": 0,
          "recall@5": 0,
          mAP: 0,
          "MAP@R": 0,
          "R-precision": 0,
          mINP: 0,
          "precision@5": 0,
        }) as Record<string, number>,
    );
    let counted = 0;
    for (let q = 0; q < n; q++) {
      const others = labels
        .map((label, j) => {
          let distance = 0;
          for (let b = 0; b < 64; b++)
            distance += ones[codes.data[q * 64 + b]! ^ codes.data[j * 64 + b]!]!;
          return { right: label === labels[q], distance, j };
        })
        .filter((o) => o.j !== q);
      const total = others.filter((o) => o.right).length;
      if (total === 0) continue;
      counted++;
      // Items farther than the last positive do not matter.
      const last = Math.max(...others.filter((o) => o.right).map((o) => o.distance));
      const near = others.filter((o) => o.distance <= last).sort((a, b) => a.distance - b.distance);
      const groups: boolean[][] = [];
      near.forEach((o, i) => {
        if (i === 0 || o.distance !== near[i - 1]!.distance) groups.push([]);
        groups.at(-1)!.push(o.right);
      });
      const open = groups.some((g) => g.includes(true) && g.includes(false));
      let drawn: Record<string, number> | null = null;
      for (let d = 0; d < draws; d++) {
        if (open || !drawn) {
          const ranked = groups.flatMap((g) =>
            g.includes(true) && g.includes(false) ? random.shuffled(g) : g,
          );
          let seen = 0;
          drawn = {
            "recall@1": Number(ranked[0]),
            "recall@5": Number(ranked.slice(0, 5).includes(true)),
            mAP: 0,
            "MAP@R": 0,
            "R-precision": 0,
            mINP: total / (ranked.lastIndexOf(true) + 1),
            "precision@5": ranked.slice(0, 5).filter(Boolean).length / 5,
          };
          for (let i = 0; i < ranked.length; i++) {
            if (!ranked[i]) continue;
            seen++;
            drawn.mAP! += seen / (i + 1) / total;
            if (i < total) {
              drawn["MAP@R"]! += seen / (i + 1) / total;
              drawn["R-precision"]! += 1 / total;
            }
          }
        }
        for (const name of Object.keys(drawn)) totals[d]![name]! += drawn[name]!;
      }
    }
    return totals.map((t) =>
      Object.fromEntries(Object.entries(t).map(([name, sum]) => [name, sum / counted])),
    );
  }
});
