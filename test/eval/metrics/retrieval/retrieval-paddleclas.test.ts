import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { paddleclasCodes } from "../../../../src/eval/metrics/retrieval/paddleclas-codes.js";
import { quirkEffects } from "../../../../src/eval/metrics/quirk-effects.js";
import { rankQueries } from "../../../../src/eval/metrics/retrieval/retrieval.js";
import { rankingQuirks } from "../../../../src/eval/metrics/retrieval/retrieval-metric.js";
import { retrievalScores } from "../../../../src/eval/metrics/retrieval/retrieval-scores.js";
import { penaltyFromZero } from "../../../../src/eval/metrics/retrieval/scored/mean-inverse-penalty.js";
import { projectRoot } from "../../../../src/pipeline/root.js";
import type { Vectors } from "../../../../src/pipeline/types.js";

interface GoldenCase {
  readonly binarize: "sign" | "round" | null;
  readonly gallery: number[][];
  readonly galleryLabels: number[];
  readonly galleryUids: number[] | null;
  readonly query: number[][] | null;
  readonly queryLabels: number[] | null;
  readonly queryUids: number[] | null;
  readonly expected: Record<string, number | string>;
}

const cases = JSON.parse(
  readFileSync(join(projectRoot, "test/golden/paddleclas-retrieval/cases.json"), "utf8"),
) as GoldenCase[];
const vectors = (rows: number[][], rule: GoldenCase["binarize"]): Vectors => {
  const plain = { data: Float32Array.from(rows.flat()), dim: rows[0]!.length };
  return rule === null ? plain : paddleclasCodes(plain, rule);
};
const texts = (numbers: number[]) => numbers.map(String);

describe("protocol paddleclas against PaddleClas's own code (release/2.3)", () => {
  it.each(cases.map((c, i) => [i, c] as const))("case %i", async (_, c) => {
    const gallery = vectors(c.gallery, c.binarize);
    const evidence = await rankQueries(
      {
        gallery,
        galleryLabels: texts(c.galleryLabels),
        queries: c.query ? vectors(c.query, c.binarize) : gallery,
        queryLabels: texts(c.queryLabels ?? c.galleryLabels),
        ...(c.galleryUids && {
          galleryUids: texts(c.galleryUids),
          queryUids: texts(c.queryUids ?? c.galleryUids),
        }),
      },
      { protocol: "paddleclas", ks: [1, 5, 10] },
    );
    const scores = new Map(
      retrievalScores(evidence, { resamples: 0 }).scores.map((s) => [s.metric, s]),
    );
    for (const [theirs, expected] of Object.entries(c.expected)) {
      const score = scores.get(theirs.replace(/^recall(\d+)$/, "recall@$1"))!;
      if (typeof expected === "number") expect(score.value, theirs).toBeCloseTo(expected, 6);
      else
        expect(score, theirs).toMatchObject({
          value: null,
          why: expect.stringMatching(expected === "inf" ? /infinite/ : /nan/) as unknown,
        });
    }
  });

  it(
    "covers junk, no junk, both binarisations, infinite " + "mINP, and queries without a positive",
    () => {
      expect(cases.filter((c) => c.galleryUids).length).toBeGreaterThan(10);
      expect(cases.filter((c) => !c.galleryUids).length).toBeGreaterThan(10);
      expect(new Set(cases.map((c) => c.binarize))).toEqual(new Set([null, "sign", "round"]));
      expect(
        cases.some((c) => c.expected.mINP === "inf") &&
          cases.some((c) => typeof c.expected.mINP === "number"),
      ).toBe(true);
    },
  );
});

describe("the quirks by hand", () => {
  // Query (1, 0) of label a against: junk a/1 (3), negative b (2), positive a/2 (-1), negative c
  // (-2).
  const one = {
    queries: { data: Float32Array.of(1, 0), dim: 2 },
    queryLabels: ["a"],
    queryUids: ["1"],
    gallery: { data: Float32Array.of(3, 0, 2, 0, -1, 0, -2, 0), dim: 2 },
    galleryLabels: ["a", "b", "a", "c"],
    galleryUids: ["1", "1", "2", "2"],
  };
  const value = async (input: Parameters<typeof rankQueries>[0], rules: object, name: string) =>
    retrievalScores(await rankQueries(input, { rules, ks: [1, 2, 3] }), {
      resamples: 0,
    }).scores.find((s) => s.metric === name)!;

  it("junk leaves the ranking, or stays in it with similarity 0", async () => {
    expect((await value(one, {}, "mAP")).value).toBe(1 / 2); // b, a, c
    // b (2), junk (0), a (-1), c (-2)
    expect((await value(one, { junk: "zeroed" }, "mAP")).value).toBe(1 / 3);
    const { topRows, topScores } = await rankQueries(one, { rules: { junk: "zeroed" } });
    expect([Array.from(topRows), Array.from(topScores)]).toEqual([
      [1, 0, 2, 3],
      [2, 0, -1, -2],
    ]);
    expect(Array.from((await rankQueries(one)).topRows)).toEqual([1, 2, 3, -1]);
  });

  it("zeroed junk that ties with a positive: half before it, half after", async () => {
    // positive at 0, like the junk
    const tied = { ...one, gallery: { data: Float32Array.of(3, 0, 2, 0, 0, 5, -2, 0), dim: 2 } };
    const scores = await value(tied, { junk: "zeroed" }, "mAP");
    expect([scores.value, scores.bounds]).toEqual([(1 / 2 + 1 / 3) / 2, [1 / 3, 1 / 2]]);
    // the junk is row 0
    expect((await value(tied, { junk: "zeroed", ties: "stable" }, "mAP")).value).toBe(1 / 3);
    expect(Array.from((await rankQueries(tied, { rules: { junk: "zeroed" } })).topRows)).toEqual([
      1, 0, 2, 3,
    ]);
    const turned = {
      ...tied,
      gallery: { data: Float32Array.of(0, 5, 2, 0, 3, 0, -2, 0), dim: 2 },
      galleryUids: ["2", "1", "1", "2"],
    }; // the positive is row 0 now
    expect((await value(turned, { junk: "zeroed", ties: "stable" }, "mAP")).value).toBe(1 / 2);
    expect(Array.from((await rankQueries(turned, { rules: { junk: "zeroed" } })).topRows)).toEqual([
      1, 0, 2, 3,
    ]);
  });

  it("for codes similarity 0 is half of the bits", async () => {
    const codes = (...bytes: number[]) => ({ data: Uint8Array.from(bytes), bits: 8 });
    // Distances from 0: junk 0, negative 3, positive 5: between the last two lies 4, where the junk
    // goes.
    const input = {
      queries: codes(0),
      queryLabels: ["a"],
      queryUids: ["1"],
      gallery: codes(0, 0b111, 0b11111),
      galleryLabels: ["a", "b", "a"],
      galleryUids: ["1", "1", "2"],
    };
    expect((await value(input, {}, "mAP")).value).toBe(1 / 2);
    expect((await value(input, { junk: "zeroed" }, "mAP")).value).toBe(1 / 3);
    expect(Array.from((await rankQueries(input, { rules: { junk: "zeroed" } })).topScores)).toEqual(
      [-3, -4, -5],
    );
  });

  it("a block counts by all of its queries, its mean by the answerable ones", async () => {
    // Blocks of 2: {hit, unanswerable}, {miss, hit}: 1 * 1/2 + 1/2 * 1/2, where plain counting says
    // 2 of 3.
    const line = (...x: number[]) => ({ data: Float32Array.from(x), dim: 1 });
    const input = {
      queries: line(1, 1, -1, 1),
      queryLabels: ["a", "z", "a", "a"],
      gallery: line(1, -1),
      galleryLabels: ["a", "b"],
    };
    expect((await value(input, {}, "recall@1")).value).toBeCloseTo(2 / 3, 15);
    expect((await value(input, { block: 2 }, "recall@1")).value).toBeCloseTo(3 / 4, 15);
    expect((await value(input, { precision: "all" }, "precision@1")).value).toBe(1 / 2);
    expect((await value(input, {}, "precision@1")).value).toBeCloseTo(2 / 3, 15);
    const lost = { ...input, queryLabels: ["z", "z", "a", "a"] };
    expect(await value(lost, { block: 2 }, "recall@1")).toMatchObject({
      value: null,
      why: expect.stringContaining("nan") as unknown,
    });
  });

  it("mINP counts the last place from 0, in float32", () => {
    expect(penaltyFromZero([1])).toBe(Infinity);
    expect(penaltyFromZero([1, 5])).toBe(2 / 4);
    // 1 - 1/(i + 2) in float32: places 30,000 and 30,001 give the same value, and argmax takes the
    // first.
    expect(Math.fround(1 - Math.fround(1 / 30002))).toBe(Math.fround(1 - Math.fround(1 / 30003)));
    expect(penaltyFromZero([30001, 30002])).toBe(2 / 30000);
  });

  it("the effects of the quirks add what each is worth", async () => {
    const effects = await quirkEffects(rankingQuirks, async (rules) => {
      const evidence = await rankQueries(one, { rules, ks: [1] });
      return retrievalScores(evidence, { resamples: 0 }).scores;
    });
    const map = effects.find((e) => e.metric === "mAP")!;
    expect(map.standard).toBe(1 / 2);
    expect(map.deltas.find((d) => d.quirk === "junk keeps its place")!.delta).toBeCloseTo(
      1 / 3 - 1 / 2,
      15,
    );
    expect(map.deltas.find((d) => d.quirk === "all of them")!.delta).toBeCloseTo(1 / 3 - 1 / 2, 15);
    expect(map.deltas.find((d) => d.quirk === "blocks of 64")!.delta).toBe(0);
  });
});
