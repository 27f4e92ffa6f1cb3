import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build, encoded } from "../../../src/eval/choose/building/built.js";
import { measurePoint } from "../../../src/eval/choose/measure.js";
import type { Setting } from "../../../src/eval/choose/point.js";
import { findTruth, type Truth } from "../../../src/eval/choose/truth.js";
import { faissBuildDetails, setFaissThreads } from "../../../src/pipeline/index/engine.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import type { Vectors } from "../../../src/pipeline/types.js";

interface Case extends Pick<Setting, "factory" | "codes" | "build"> {
  readonly parameters: Readonly<Record<string, number>>;
  readonly recall: number;
  /** Scores of the first queries' neighbours. */
  readonly distances: readonly (readonly number[])[];
}

const file = join(projectRoot, "test", "golden", "faiss", "expected.json");
const golden = JSON.parse(readFileSync(file, "utf8")) as {
  faiss: string;
  k: number;
  cases: readonly Case[];
};
const dim = 32;

/** As `numbers` of test/golden/faiss/make.py. */
function numbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

const rows: Vectors = { data: numbers(4000 * dim, 1), dim };
const queries: Vectors = { data: numbers(200 * dim, 2), dim };
const effort = { leastSamples: 1, mostSamples: 1, timingMs: 0, batchRounds: 1 };

/** Another Faiss may draw other levels and centroids: the goldens are one version's. */
const sameFaiss = faissBuildDetails()?.version === golden.faiss;

describe.skipIf(!sameFaiss)("an index measured here is Faiss's own", () => {
  let truth: Truth;
  beforeAll(async () => {
    // With more, HNSW's graph depends on which thread came first.
    setFaissThreads(1);
    const size = 4000;
    const labels = null;
    const gallery = { rows, labels };
    const asked = { rows: queries, labels };
    truth = await findTruth({
      gallery,
      queries: asked,
      metric: "inner-product",
      size,
      k: golden.k,
    });
  });
  afterAll(() => setFaissThreads(2));

  it.each(golden.cases)(
    "$factory $build $parameters",
    async (expected) => {
      const { factory, codes, parameters } = expected;
      setFaissThreads(1);
      const more = { family: "Flat", engine: "faiss", knob: null, leastSize: 1 } as const;
      const setting: Setting = { ...more, factory, codes, build: expected.build };
      const built = await build(setting, rows, "inner-product");
      try {
        const { figures } = await measurePoint(built, { truth, parameters, effort });
        expect(Math.abs(figures.neighbourRecall!.value! - expected.recall)).toBeLessThan(0.002);
        const { scores } = await built.index.search(encoded(queries, setting), golden.k);
        expected.distances.flat().forEach((distance, i) => {
          expect(Math.abs(scores[i]! - distance)).toBeLessThan(1e-6 * Math.max(1, distance));
        });
      } finally {
        built.index.close();
      }
    },
    120_000,
  );
});
