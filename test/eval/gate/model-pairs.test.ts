import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { judgeLoss } from "../../../src/eval/gate/non-inferiority.js";
import { rightsAndWrongs } from "../../../src/eval/gate/paired.js";
import { golden, outcomes } from "./golden.js";
import { modelPairs, outcomesOf } from "./model-pairs.js";

describe("pairs of real models", () => {
  const known = outcomes();
  const answer = (mark: string) => ({ right: mark === "1", said: null, failed: false });

  it.each(Object.keys(known))("are judged as SciPy judges them: %s", (name) => {
    const { baseline, candidate } = known[name]!;
    const items = [...baseline].map((mark, i) => ({
      item: String(i),
      image: null,
      truth: null,
      baseline: answer(mark),
      candidate: answer(candidate[i]!),
    }));
    const found = rightsAndWrongs("recall@1", items, {
      dataset: name,
      level: 0.95,
      clusters: "item",
    });
    for (const pair of golden.models[name]!) {
      expect(found).toMatchObject({ n: pair.n, flips: { lost: pair.lost, gained: pair.gained } });
      expect(found.value).toBeCloseTo(pair.difference, 12);
      expect(found.bounds![0]).toBeCloseTo(pair.bounds[0], 12);
      expect(found.bounds![1]).toBeCloseTo(pair.bounds[1], 12);
      expect(found.test!.p).toBeCloseTo(pair.p, 12);
      expect(judgeLoss({ bounds: found.bounds! }, pair.limit)).toBe(pair.verdict);
    }
  });

  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "shitu-gate-pairs-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  // Rounding of another processor may turn a query or two.
  const turned = (a: string, b: string): number => [...a].filter((mark, i) => mark !== b[i]).length;

  for (const pair of modelPairs) {
    it.skipIf(!pair.ready())(
      `answer as they did when the outcomes were written: ${pair.name}`,
      async () => {
        const found = await outcomesOf(pair, folder);
        expect(found.baseline).toHaveLength(known[pair.name]!.baseline.length);
        expect(turned(found.baseline, known[pair.name]!.baseline)).toBeLessThanOrEqual(2);
        expect(turned(found.candidate, known[pair.name]!.candidate)).toBeLessThanOrEqual(2);
      },
      600_000,
    );
  }
});
