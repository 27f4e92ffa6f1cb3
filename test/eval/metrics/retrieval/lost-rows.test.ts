import { describe, expect, it } from "vitest";
import {
  listedPositives,
  withLostQueries,
} from "../../../../src/eval/metrics/retrieval/lost-rows.js";
import { rankQueries } from "../../../../src/eval/metrics/retrieval/retrieval.js";
import { retrievalScores } from "../../../../src/eval/metrics/retrieval/retrieval-scores.js";
import { Random } from "../../../../src/eval/stats/random.js";

const row = (label: string, uid: string | null = null) => ({ label, uid });

describe("right answers by the lists", () => {
  it("are rows of the label, less the own row and what the junk rule takes", () => {
    const rows = [row("a"), row("a"), row("b")];
    expect([...listedPositives(rows, rows, true)]).toEqual([1, 1, 0]);
    expect([...listedPositives(rows, rows, false)]).toEqual([2, 2, 1]);
    const seen = [row("a", "1"), row("a", "1"), row("a", "2"), row("b", "1")];
    expect([...listedPositives(seen, seen, true)]).toEqual([1, 1, 2, 0]);
    expect([...listedPositives([row("c", "1")], seen, false)]).toEqual([0]);
  });
});

/**
 * A lost gallery row is like one that stands behind all others and is never found: the metrics of a
 * set with rows taken out equal those of the whole set in which these rows are pushed out of the
 * ranking, worked out here anew.
 */
describe("metrics where rows are lost", () => {
  it.each(["standard", "paddleclas"] as const)("under %s equal a plain loop", async (protocol) => {
    const random = new Random(`lost ${protocol}`);
    const labels = (n: number) => Array.from({ length: n }, () => String(random.below(5)));
    const [galleryLabels, queryLabels] = [labels(40), labels(25)];
    const vectors = (n: number) => Float32Array.from({ length: n * 4 }, () => random.normal());
    const [gallery, queries] = [vectors(40), vectors(25)];
    const kept = (n: number) => Array.from({ length: n }, (_, i) => i).filter((i) => i % 4 !== 1);
    const [rows, places] = [kept(40), kept(25)];
    const take = (data: Float32Array, of: readonly number[]) => ({
      data: Float32Array.from(of.flatMap((i) => [...data.subarray(4 * i, 4 * i + 4)])),
      dim: 4,
    });
    const positives = listedPositives(
      queryLabels.map((l) => row(l)),
      galleryLabels.map((l) => row(l)),
      false,
    );
    const evidence = withLostQueries(
      await rankQueries(
        {
          queries: take(queries, places),
          gallery: take(gallery, rows),
          queryLabels: places.map((i) => queryLabels[i]!),
          galleryLabels: rows.map((i) => galleryLabels[i]!),
          listedPositives: Int32Array.from(places, (i) => positives[i]!),
        },
        { protocol, ks: [1, 3] },
      ),
      { labels: queryLabels, positives, places },
    );
    const sums = { hit: 0, ap: 0, atR: 0, rp: 0 };
    for (const q of places) {
      const dot = (i: number) =>
        [0, 1, 2, 3].reduce((s, d) => s + queries[4 * q + d]! * gallery[4 * i + d]!, 0);
      const ranked = [...rows].sort((a, b) => dot(b) - dot(a));
      const right = ranked.map((i) => galleryLabels[i] === queryLabels[q]);
      const all = galleryLabels.filter((l) => l === queryLabels[q]).length;
      right.forEach((is, at) => {
        if (!is) return;
        const precision = right.slice(0, at + 1).filter(Boolean).length / (at + 1);
        sums.ap += precision / all / 25;
        if (at < all) {
          sums.atR += precision / all / 25;
          sums.rp += 1 / all / 25;
        }
      });
      if (right[0]) sums.hit += 1 / 25;
    }
    const { scores } = retrievalScores(evidence, { resamples: 0 });
    const value = (name: string) => scores.find((s) => s.metric === name)!.value;
    expect(value("recall@1")).toBeCloseTo(sums.hit, 12);
    expect(value("mAP")).toBeCloseTo(sums.ap, 12);
    expect(value("MAP@R")).toBeCloseTo(sums.atR, 12);
    expect(value("R-precision")).toBeCloseTo(sums.rp, 12);
    expect(scores.find((s) => s.metric === "recall@1")).toHaveProperty("n", 25);
  });

  it("leave a query whose last positive was lost without an inverse penalty", async () => {
    const evidence = await rankQueries(
      {
        queries: { data: Float32Array.of(1, 0), dim: 2 },
        gallery: { data: Float32Array.of(1, 0, 0, 1), dim: 2 },
        queryLabels: ["a"],
        galleryLabels: ["a", "b"],
        listedPositives: Int32Array.of(2),
      },
      { ks: [1] },
    );
    const of = (name: string) =>
      retrievalScores(evidence, { resamples: 0 }).scores.find((s) => s.metric === name)!.value;
    expect([of("recall@1"), of("mAP"), of("mINP")]).toEqual([1, 0.5, 0]);
  });
});
