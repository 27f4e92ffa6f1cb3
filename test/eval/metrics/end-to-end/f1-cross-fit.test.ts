import { rulesOf } from "../../../../src/pipeline/protocol.js";
import { describe, expect, it } from "vitest";
import { crossFitF1, splitOf } from "../../../../src/eval/metrics/end-to-end/f1-cross-fit.js";
import type { ImageEvidence } from "../../../../src/eval/metrics/end-to-end/f1-evidence.js";
import { bestPoint, sweepF1 } from "../../../../src/eval/metrics/end-to-end/f1-sweep.js";
import { f1At } from "../../../../src/eval/metrics/end-to-end/f1.js";
import { studentQuantile } from "../../../../src/eval/stats/clusters.js";
import { Random } from "../../../../src/eval/stats/random.js";

const rule = { better: "higher" as const, suppressIou: 0.05, rules: rulesOf("standard") };
const box = { x0: 0, y0: 0, x1: 10, y1: 10 };

/** A picture of one object, its answer right or wrong, surer where it is right. */
function scene(random: Random, image: string): ImageEvidence {
  const right = random.next() < 0.7;
  const label = right ? "a" : "b";
  const score = (right ? 0.55 : 0.42) + 0.12 * random.normal();
  return {
    image,
    truth: [{ label: "a", box }],
    unknown: [],
    recognitions: [{ box, label, score }],
  };
}

const scenes = (random: Random, n: number): ImageEvidence[] =>
  Array.from({ length: n }, (_, i) => scene(random, `${i}.jpg`));

describe("splits", () => {
  it("halve the pictures, distractors apart, whatever the order", () => {
    const images = scenes(new Random("split"), 11).map((s, i) => (i < 4 ? { ...s, truth: [] } : s));
    const sides = splitOf(images, "x");
    expect(sides.subarray(0, 4).reduce((a, b) => a + b)).toBe(2);
    expect(sides.subarray(4).reduce((a, b) => a + b)).toBe(3);
    const turned = [...splitOf([...images].reverse(), "x")].reverse();
    expect(turned).toEqual([...sides]);
    expect([...splitOf(images, "y")]).not.toEqual([...sides]);
  });
});

describe("cross-fitted F1", () => {
  it("is the pooled F1 of two halves that judge each other: by hand", () => {
    const images = scenes(new Random("hand"), 12);
    const sides = splitOf(images, "0/split 0");
    let [tp, wrong] = [0, 0];
    for (const side of [0, 1]) {
      const [own, others] = [side, 1 - side].map((s) => images.filter((_, i) => sides[i] === s));
      const { threshold } = bestPoint(sweepF1(own!, "B", rule))!;
      const { point } = f1At(others!, "B", rule, threshold);
      tp += point.tp;
      wrong += point.fp + point.fn;
    }
    const found = crossFitF1(images, "B", rule, { splits: 1, resamples: 20 })!;
    expect(found.value).toBeCloseTo((2 * tp) / (2 * tp + wrong), 12);
    expect(found.splits).toBe(1);
  });

  it("takes the same splits for every definition, and the same figure each time", () => {
    const images = scenes(new Random("same"), 30);
    const once = crossFitF1(images, "A", rule, { splits: 3, resamples: 20, seed: 5 });
    expect(crossFitF1(images, "A", rule, { splits: 3, resamples: 20, seed: 5 })).toEqual(once);
    // One object and one answer a picture: A and B count alike, so they can differ by splits alone.
    expect(crossFitF1(images, "B", rule, { splits: 3, resamples: 20, seed: 5 })).toEqual(once);
  });

  it("has none where no half gives a threshold", () => {
    const images = scenes(new Random("none"), 8).map((s) => ({ ...s, recognitions: [] }));
    expect(crossFitF1(images, "B", rule)).toBeNull();
  });

  it("holds the figure of a threshold from half as many pictures, in 93% at least", () => {
    const random = new Random("cover");
    const population = scenes(random, 4000);
    const figures = Array.from({ length: 200 }, () => {
      const { threshold } = bestPoint(sweepF1(scenes(random, 20), "B", rule))!;
      return f1At(population, "B", rule, threshold, { resamples: 2 }).point.f1!;
    });
    const truth = figures.reduce((s, f) => s + f, 0) / figures.length;
    let held = 0;
    for (let d = 0; d < 150; d++) {
      const found = crossFitF1(scenes(random, 40), "B", rule, {
        splits: 5,
        resamples: 60,
        seed: d,
      })!;
      const half = studentQuantile(0.975, 39) * found.standardError;
      if (Math.abs(found.value - truth) <= half) held++;
    }
    expect(held / 150).toBeGreaterThan(0.93);
  });
});
