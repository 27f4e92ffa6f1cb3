import type { AcceptanceRule } from "../../../../src/pipeline/acceptance.js";
import { rulesOf } from "../../../../src/pipeline/protocol.js";
import fc from "fast-check";
import type { Box } from "../../../../src/pipeline/types.js";
import type { ImageEvidence } from "../../../../src/eval/metrics/end-to-end/f1-evidence.js";

/** x, y, width, height in pixels. */
export function at(x: number, y: number, w: number, h: number): Box {
  return { x0: x, y0: y, x1: x + w, y1: y + h };
}

/**
 * Five pictures, worked out by hand in f1.test.ts. Boxes are 100 pixels square unless said
 * otherwise, far apart unless said otherwise.
 */
export const example: readonly ImageEvidence[] = [
  {
    // both objects recognised, and a false answer below them
    image: "two",
    truth: [
      { label: "cola", box: at(0, 0, 100, 100) },
      { label: "tea", box: at(200, 0, 100, 100) },
    ],
    recognitions: [
      { box: at(0, 0, 100, 100), label: "cola", score: 0.9 },
      { box: at(210, 0, 100, 100), label: "tea", score: 0.7 }, // IoU 90 / 110 = 0.818
      { box: at(400, 0, 100, 100), label: "milk", score: 0.6 },
    ],
  },
  {
    // right label in the wrong place
    image: "astray",
    truth: [{ label: "tea", box: at(0, 0, 100, 100) }],
    recognitions: [{ box: at(300, 300, 100, 100), label: "tea", score: 0.8 }],
  },
  {
    // the best answer is wrong, a weaker one of the same place is right but suppressed
    image: "covered",
    truth: [{ label: "milk", box: at(0, 0, 100, 100) }],
    recognitions: [
      { box: at(0, 0, 100, 100), label: "cola", score: 0.75 },
      { box: at(5, 0, 100, 100), label: "milk", score: 0.65 },
    ],
  },
  { image: "blank", truth: [{ label: "cola", box: at(0, 0, 100, 100) }], recognitions: [] },
  {
    image: "distractor",
    truth: [],
    recognitions: [{ box: at(0, 0, 50, 50), label: "tea", score: 0.55 }],
  },
];

const labels = ["a", "b", "c", "d"];
const box: fc.Arbitrary<Box> = fc
  .tuple(fc.nat(6), fc.nat(6), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
  .map(([x, y, w, h]) => at(20 * x, 20 * y, 20 * w, 20 * h));

/**
 * Pictures with many ties in score and many overlaps; some are distractors, some crops found
 * nothing.
 */
export const pictures: fc.Arbitrary<ImageEvidence[]> = fc
  .array(
    fc.record({
      truth: fc.array(fc.record({ label: fc.constantFrom(...labels), box }), { maxLength: 3 }),
      recognitions: fc.array(
        fc.record({
          box,
          label: fc.constantFrom(...labels, "e", null),
          score: fc.integer({ min: 1, max: 12 }),
        }),
        { maxLength: 6 },
      ),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((list) => list.map((evidence, i) => ({ image: `image-${i}`, ...evidence })));

export const rules: fc.Arbitrary<AcceptanceRule> = fc.record({
  better: fc.constantFrom("higher" as const, "lower" as const),
  suppressIou: fc.constantFrom(0.05, 0.3, null),
  rules: fc.constantFrom(rulesOf("standard"), rulesOf("paddleclas")),
});
