import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { f1ByLabel } from "../../../../src/eval/metrics/end-to-end/f1-labels.js";
import { plainF1At } from "../../../../src/eval/metrics/end-to-end/f1.js";
import { rulesOf } from "../../../../src/pipeline/protocol.js";
import { example, pictures, rules } from "./f1-cases.js";

const rule = { better: "higher", suppressIou: 0.05, rules: rulesOf("standard") } as const;

describe("f1ByLabel", () => {
  it("counts pictures by label, worked by hand on the five pictures", () => {
    // At 0.5: two: cola, tea right, milk too much. astray: tea right (wherever it is). covered:
    // cola in place of milk, which is suppressed. blank: cola missed. distractor: tea too much.
    expect(f1ByLabel(example, rule, 0.5)).toEqual([
      { label: "milk", tp: 0, fp: 1, fn: 1, f1: 0, shown: true },
      { label: "cola", tp: 1, fp: 1, fn: 1, f1: 2 / 4, shown: true },
      { label: "tea", tp: 2, fp: 1, fn: 0, f1: 4 / 5, shown: true },
    ]);
  });

  it("lists a label that no picture shows, and leaves it out of the mean", () => {
    const stray = { image: "x", truth: [], recognitions: [{ ...example[0]!.recognitions[0]! }] };
    expect(f1ByLabel([stray], rule, 0.5)).toEqual([
      { label: "cola", tp: 0, fp: 1, fn: 0, f1: 0, shown: false },
    ]);
  });

  it("has definition D as the mean over the labels that are shown", () => {
    fc.assert(
      fc.property(pictures, rules, fc.integer({ min: 1, max: 12 }), (images, any, threshold) => {
        const shown = f1ByLabel(images, any, threshold).filter((l) => l.shown);
        const mean = shown.reduce((sum, l) => sum + l.f1, 0) / shown.length;
        const macro = plainF1At(images, "D", any, threshold).value;
        if (shown.length === 0) expect(macro).toBeNull();
        else expect(macro).toBeCloseTo(mean, 12);
      }),
    );
  });
});
