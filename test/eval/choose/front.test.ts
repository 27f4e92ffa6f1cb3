import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paretoFront, ruledOut } from "../../../src/eval/choose/front.js";

interface Spot {
  readonly recall: number;
  readonly cost: number;
}
const axes = { recall: (p: Spot) => p.recall, cost: (p: Spot) => p.cost };
const spots = fc.array(
  fc.record({ recall: fc.integer({ min: 0, max: 8 }), cost: fc.integer({ min: 1, max: 8 }) }),
  { maxLength: 20 },
);

describe("paretoFront", () => {
  it("keeps what nothing beats in both, in rising order", () => {
    const points = [
      { recall: 0.9, cost: 2 },
      { recall: 0.8, cost: 3 }, // beaten by the first
      { recall: 0.5, cost: 1 },
      { recall: 1, cost: 10 },
      { recall: 0.9, cost: 4 }, // as good, slower
    ];
    expect(paretoFront(points, axes)).toEqual([points[2], points[0], points[3]]);
  });

  it("of equal costs keeps the higher recall, and drops a recall of 0", () => {
    const points = [
      { recall: 0.5, cost: 1 },
      { recall: 0.7, cost: 1 },
      { recall: 0, cost: 0.1 },
    ];
    expect(paretoFront(points, axes)).toEqual([points[1]]);
  });

  it("is, for all points, exactly the set that no other dominates", () => {
    fc.assert(
      fc.property(spots, (points) => {
        const dominated = (p: Spot): boolean =>
          points.some(
            (o) =>
              o.recall >= p.recall && o.cost <= p.cost && (o.recall > p.recall || o.cost < p.cost),
          );
        const places = (list: readonly Spot[]) => new Set(list.map((p) => `${p.recall} ${p.cost}`));
        const expected = points.filter((p) => p.recall > 0 && !dominated(p));
        expect(places(paretoFront(points, axes))).toEqual(places(expected));
      }),
    );
  });
});

describe("ruledOut", () => {
  // efSearch 16 and 64 measured: 32 lies between them in recall and cost.
  const measured = [
    { value: 16, recall: 0.7, cost: 1 },
    { value: 64, recall: 0.9, cost: 3 },
  ];

  it("spares a value that another index beats at its best", () => {
    expect(ruledOut(32, measured, [...measured, { recall: 0.9, cost: 1 }])).toBe(true);
  });

  it("measures one that may still be better", () => {
    expect(ruledOut(32, measured, measured)).toBe(false);
    expect(ruledOut(32, measured, [...measured, { recall: 0.89, cost: 0.5 }])).toBe(false);
    expect(ruledOut(32, measured, [...measured, { recall: 0.95, cost: 1.1 }])).toBe(false);
  });

  it("beyond the largest value only a recall of 1 rules out", () => {
    expect(ruledOut(128, measured, [...measured, { recall: 0.99, cost: 0.1 }])).toBe(false);
    expect(ruledOut(128, measured, [...measured, { recall: 1, cost: 3 }])).toBe(true);
  });
});
