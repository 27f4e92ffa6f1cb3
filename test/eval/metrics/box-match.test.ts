import { describe, expect, it } from "vitest";
import { foundObjects, matchGreedily } from "../../../src/eval/metrics/box-match.js";

/** Overlaps by find, then by object. */
function match(overlaps: readonly (readonly number[])[], least = 0.5): number[] {
  const objects = overlaps[0]?.length ?? 0;
  return [...matchGreedily(overlaps.length, objects, (f, o) => overlaps[f]![o]!, least)];
}

describe("greedy matching", () => {
  it("gives each find, in order, the free object that it overlaps most", () => {
    expect(match([[0.6, 0.9, 0.1]])).toEqual([1]);
    // The second find would rather have object 1, which the first took.
    expect(
      match([
        [0.6, 0.9],
        [0.7, 0.95],
      ]),
    ).toEqual([1, 0]);
  });

  it("takes the least overlap itself, and the earlier of equals", () => {
    expect(match([[0.5, 0.5]])).toEqual([0]);
    expect(match([[0.49]])).toEqual([-1]);
  });

  it("never matches what does not overlap at all", () => {
    expect(match([[0]], 0)).toEqual([-1]);
    expect(match([])).toEqual([]);
  });

  it("finds objects at IoU 0.5, each once", () => {
    const box = (x0: number) => ({ x0, y0: 0, x1: x0 + 10, y1: 10 });
    expect([...foundObjects([{ box: box(0) }, { box: box(1) }], [box(0)])]).toEqual([0, -1]);
    // Seven tenths of both, thirteen of either.
    expect([...foundObjects([{ box: box(3) }], [box(0)])]).toEqual([0]);
    expect([...foundObjects([{ box: box(4) }], [box(0)])]).toEqual([-1]);
  });
});
