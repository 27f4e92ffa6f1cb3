import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allowance,
  judgeNeighbours,
  type LabelledRow,
} from "../../../../src/eval/metrics/index/neighbour-hits.js";
import type { Neighbours } from "../../../../src/pipeline/types.js";

const row = (label: string, uid: string | null = null): LabelledRow => ({ label, uid });
const neighbours = (k: number, rows: number[][]): Neighbours => ({
  k,
  rows: Float64Array.from(rows.flat()),
  scores: Float32Array.from(rows.flatMap((r) => r.map((_, i) => 1 - i / 10))),
});

describe("judging neighbours", () => {
  it("leaves the query itself out, by hand", () => {
    // Gallery a b a c; query 0 (a) finds itself, then b, then the other a: rank 1. Query 3 (c) has
    // no right answer.
    const gallery = [row("a"), row("b"), row("a"), row("c")];
    const hits = judgeNeighbours(
      neighbours(3, [
        [0, 1, 2],
        [1, 0, 2],
        [0, 2, 1],
        [3, 1, 0],
      ]),
      gallery,
      gallery,
      { k: 2, leaveOneOut: true },
    );
    expect(hits.map((h) => h.rank)).toEqual([1, null, 0, null]);
    expect(hits.map((h) => h.answerable)).toEqual([true, false, true, false]);
    expect(hits[0]!.rows).toEqual([1, 2]);
    expect(hits[0]!.scores.map((s) => Number(s.toFixed(1)))).toEqual([0.9, 0.8]);
  });

  it(
    "applies the junk rule: same label and same camera is not valid, the same camera alone " + "is",
    () => {
      const gallery = [row("a", "cam1"), row("a", "cam2"), row("b", "cam1")];
      const [hit] = judgeNeighbours(neighbours(3, [[0, 2, 1]]), [row("a", "cam1")], gallery, {
        k: 2,
        leaveOneOut: false,
      });
      expect(hit).toMatchObject({ rows: [2, 1], rank: 1, answerable: true });
      const [lost] = judgeNeighbours(neighbours(3, [[0, 2, 1]]), [row("b", "cam1")], gallery, {
        k: 2,
        leaveOneOut: false,
      });
      expect(lost).toMatchObject({ rank: null, answerable: false });
      expect(allowance([row("a", "cam1")], gallery, false)).toBe(1);
      expect(allowance([row("a", "cam9")], gallery, false)).toBe(0);
      expect(
        allowance(
          gallery.map((g) => ({ ...g, uid: null })),
          gallery,
          true,
        ),
      ).toBe(1);
    },
  );

  it("skips places where the index returned nothing", () => {
    const [hit] = judgeNeighbours(neighbours(4, [[0, -1, -1, -1]]), [row("a")], [row("a")], {
      k: 3,
      leaveOneOut: false,
    });
    expect(hit).toMatchObject({ rows: [0], rank: 0 });
  });

  it("equals a direct definition on random rankings", () => {
    const label = fc.constantFrom("a", "b", "c");
    const uid = fc.option(fc.constantFrom("1", "2"), { nil: null });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(label, uid), { minLength: 2, maxLength: 8 }),
        fc.integer(),
        fc.boolean(),
        fc.integer({ min: 1, max: 4 }),
        (spec, seed, leaveOneOut, k) => {
          const withUid = spec.some(([, u]) => u !== null);
          const gallery = spec.map(([l, u]) => row(l, withUid ? (u ?? "0") : null));
          const order = (q: number): number[] =>
            gallery
              .map((_, i) => i)
              .sort((x, y) => Math.sin(seed + q * 31 + x * 7) - Math.sin(seed + q * 31 + y * 7));
          const hits = judgeNeighbours(
            neighbours(
              gallery.length,
              gallery.map((_, q) => order(q)),
            ),
            gallery,
            gallery,
            { k, leaveOneOut },
          );
          hits.forEach((hit, q) => {
            const valid = order(q).filter(
              (i) =>
                !(leaveOneOut && i === q) &&
                !(
                  gallery[q]!.uid !== null &&
                  gallery[i]!.uid === gallery[q]!.uid &&
                  gallery[i]!.label === gallery[q]!.label
                ),
            );
            const rank = valid
              .slice(0, k)
              .findIndex((i) => gallery[i]!.label === gallery[q]!.label);
            expect(hit.rank).toBe(rank < 0 ? null : rank);
            expect(hit.answerable).toBe(valid.some((i) => gallery[i]!.label === gallery[q]!.label));
          });
        },
      ),
    );
  });
});
