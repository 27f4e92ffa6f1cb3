import type { Measured } from "../../../src/eval/types.js";
import { describe, expect, it } from "vitest";
import { exactScores } from "../../../src/eval/experiments/retrieval.js";
import { rankQueries } from "../../../src/eval/metrics/retrieval/retrieval.js";
import { retrievalScores } from "../../../src/eval/metrics/retrieval/retrieval-scores.js";
import type { Protocol } from "../../../src/pipeline/types.js";

/**
 * 100 queries beside a gallery of two labels on a line; every fifth query lies on the wrong side.
 */
async function scores(protocol: Protocol) {
  const queries = Float32Array.from({ length: 200 }, (_, i) =>
    i % 2 === (Math.floor(i / 2) % 5 === 0 ? 1 : 0) ? 1 : 0.2,
  );
  const labels = Array.from({ length: 100 }, () => "first");
  const evidence = await rankQueries(
    {
      queries: { data: queries, dim: 2 },
      gallery: { data: Float32Array.of(1, 0, 0, 1), dim: 2 },
      queryLabels: labels,
      galleryLabels: ["first", "second"],
    },
    { protocol, ks: [1] },
  );
  return exactScores(retrievalScores(evidence));
}

describe("the interval of a retrieval score is named as what it is", () => {
  it("Wilson for a plain proportion, a bootstrap where blocks weigh", async () => {
    const method = async (protocol: Protocol, metric: string) =>
      (await scores(protocol)).find((s) => s.metric === metric) as Measured;
    expect((await method("standard", "recall@1")).interval?.method).toBe("wilson");
    expect((await method("paddleclas", "recall@1")).interval?.method).toBe("bootstrap-percentile");
    expect((await method("standard", "mAP")).interval?.method).toBe("wilson-effective-size");
  });
});
