import { describe, expect, it } from "vitest";
import {
  itemsNeeded,
  itemsToTell,
  judgeLoss,
  pairedDifference,
  verdictChances,
} from "../../../src/eval/gate/non-inferiority.js";
import { inAll } from "../../../src/eval/gate/verdict.js";
import { golden } from "./golden.js";

describe("non-inferiority of rights and wrongs on the same items", () => {
  it.each(golden.paired)(
    "equals SciPy: $n items, $lost lost, $gained gained, limit $limit",
    (pair) => {
      const { n, lost, gained, limit } = pair;
      const found = pairedDifference({ n, onlyFirst: gained, onlySecond: lost }, 0.95)!;
      expect(found.difference).toBeCloseTo(pair.difference, 12);
      expect(found.bounds[0]).toBeCloseTo(pair.bounds[0], 12);
      expect(found.bounds[1]).toBeCloseTo(pair.bounds[1], 12);
      expect(found.deviation).toBeCloseTo(pair.deviation, 12);
      expect(found.test.p).toBeCloseTo(pair.p, 12);
      expect(judgeLoss(found, limit)).toBe(pair.verdict);
      expect(itemsToTell(found, limit, { level: 0.95 }).items).toBe(pair.itemsToTell);
    },
  );

  it("holds all three verdicts among the cases above", () => {
    const verdicts = new Set(golden.paired.map((p) => p.verdict));
    expect(verdicts).toEqual(new Set(["pass", "fail", "cannot tell"]));
  });

  it("cannot tell from a small sample without a single flip, and says how many would do", () => {
    const found = pairedDifference({ n: 146, onlyFirst: 0, onlySecond: 0 }, 0.95)!;
    expect(judgeLoss(found, 0.01)).toBe("cannot tell");
    expect(itemsToTell(found, 0.01, { level: 0.95 }).items).toBeGreaterThan(146);
  });

  it("has no number of items for a loss that is the limit", () => {
    const seen = { difference: -0.25, deviation: 0.5 };
    expect(itemsToTell(seen, 0.25, { level: 0.95 })).toEqual({
      items: null,
      why: "the loss seen is the limit itself",
    });
  });

  it("has nothing to say of no items", () => {
    expect(pairedDifference({ n: 0, onlyFirst: 0, onlySecond: 0 }, 0.95)).toBeNull();
  });

  // (1.6449 + 0.8416)^2 x 0.02 / 0.01^2 = 1236.5, by hand.
  it("needs 1,237 items for a limit of 0.01 where 2% flip", () => {
    expect(itemsNeeded(0.01, 0.02)).toBe(1237);
  });
});

describe("the chance of each verdict", () => {
  it.each(golden.chances)("equals SciPy: $difference, n $n", ({ limit, ...seen }) => {
    const found = verdictChances(seen, limit, 0.95);
    expect(found.pass).toBeCloseTo(seen.pass, 12);
    expect(found.fail).toBeCloseTo(seen.fail, 12);
  });

  it("passes a candidate at the limit in 1 - level of the samples, whatever their size", () => {
    for (const n of [50, 5000]) {
      const seen = { difference: -0.02, deviation: 0.3, n };
      expect(verdictChances(seen, 0.02, 0.95).pass).toBeCloseTo(0.05, 12);
    }
  });
});

describe("the verdict in all", () => {
  it("is the worst one, and never a pass without a limit", () => {
    expect(inAll(["pass", "cannot tell", "fail"])).toBe("fail");
    expect(inAll(["pass", "cannot tell"])).toBe("cannot tell");
    expect(inAll(["pass", "pass"])).toBe("pass");
    expect(inAll([])).toBe("cannot tell");
  });
});
