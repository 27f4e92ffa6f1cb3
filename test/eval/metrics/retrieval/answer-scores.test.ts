import { describe, expect, it } from "vitest";
import { blocksOf } from "../../../../src/eval/metrics/retrieval/ranking.js";
import { answerScores } from "../../../../src/eval/metrics/retrieval/retrieval-scores.js";

describe("scores of an index's answers", () => {
  // Four queries: right at 1 and 3; right at 2; nothing right; no right answer in the gallery.
  const answers = { ranks: [[1, 3], [2], [], []], positives: Int32Array.of(2, 1, 3, 0) };
  const valueOf = (name: string) =>
    answerScores(answers, [1, 3], {}).find((s) => s.metric === name)?.value;

  it("are those that k answers tell, over the answerable queries", () => {
    expect(answerScores(answers, [1, 3], {}).map((s) => s.metric)).toEqual([
      "recall@1",
      "recall@3",
      "precision@1",
      "precision@3",
    ]);
    expect(valueOf("recall@1")).toBe(1 / 3);
    expect(valueOf("recall@3")).toBe(2 / 3);
    expect(valueOf("precision@1")).toBe(1 / 3);
    expect(valueOf("precision@3")).toBeCloseTo((2 / 3 + 1 / 3) / 3, 15);
  });

  it("have n and intervals by cluster", () => {
    const [first] = answerScores(answers, [1], { clusters: Int32Array.of(0, 0, 1, 1) });
    expect(first).toMatchObject({ n: 3, interval: { units: 2, method: "wilson-effective-size" } });
  });

  it("say why there is none", () => {
    const none = { ranks: [[]], positives: Int32Array.of(0) };
    expect(answerScores(none, [1], {})[0]).toMatchObject({
      value: null,
      why: expect.stringContaining("no items"),
    });
  });
});

describe("blocks of queries", () => {
  const blocks = (held: number[], most: number) => [
    ...blocksOf(held.length, (query) => held[query]!, most),
  ];

  it("end where the next query's marks would be too many; one query always goes", () => {
    expect(blocks([2, 2, 2, 9, 1], 5)).toEqual([
      { begin: 0, end: 2 },
      { begin: 2, end: 3 },
      { begin: 3, end: 4 },
      { begin: 4, end: 5 },
    ]);
    expect(blocks([], 5)).toEqual([]);
  });
});
