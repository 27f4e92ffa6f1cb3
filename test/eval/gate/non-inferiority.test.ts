import { describe, expect, it } from "vitest";
import {
  itemsNeeded,
  itemsToTell,
  judgeLoss,
  verdictChances,
} from "../../../src/eval/gate/non-inferiority.js";
import { rightsAndWrongs } from "../../../src/eval/gate/paired.js";
import { inAll } from "../../../src/eval/gate/verdict.js";
import { golden } from "./golden.js";

/** What a gate finds of so many items, each alone. */
function found(n: number, lost: number, gained: number) {
  const answer = (right: boolean) => ({ right, said: null, failed: false });
  const items = Array.from({ length: n }, (_, i) => ({
    item: String(i),
    image: null,
    truth: null,
    baseline: answer(i < lost || i >= lost + gained),
    candidate: answer(i >= lost),
  }));
  return rightsAndWrongs("recall@1", items, { dataset: "d", level: 0.95, clusters: "label" });
}
const seen = ({ value, deviation }: ReturnType<typeof found>) => ({
  difference: value!,
  deviation: deviation!,
});

describe("non-inferiority of rights and wrongs on the same items", () => {
  it.each(golden.paired)(
    "equals SciPy: $n items, $lost lost, $gained gained, limit $limit",
    (pair) => {
      const { n, lost, gained, limit } = pair;
      const finding = found(n, lost, gained);
      expect(finding.value).toBeCloseTo(pair.difference, 12);
      expect(finding.bounds![0]).toBeCloseTo(pair.bounds[0], 12);
      expect(finding.bounds![1]).toBeCloseTo(pair.bounds[1], 12);
      expect(finding.deviation).toBeCloseTo(pair.deviation, 12);
      expect(finding.test!.p).toBeCloseTo(pair.p, 12);
      expect(judgeLoss({ bounds: finding.bounds! }, limit)).toBe(pair.verdict);
      expect(itemsToTell(seen(finding), limit, { level: 0.95 }).items).toBe(pair.itemsToTell);
    },
  );

  it("holds all three verdicts among the cases above", () => {
    const verdicts = new Set(golden.paired.map((p) => p.verdict));
    expect(verdicts).toEqual(new Set(["pass", "fail", "cannot tell"]));
  });

  it("cannot tell from a small sample without a single flip, and says how many would do", () => {
    const finding = found(146, 0, 0);
    expect(judgeLoss({ bounds: finding.bounds! }, 0.01)).toBe("cannot tell");
    expect(itemsToTell(seen(finding), 0.01, { level: 0.95 }).items).toBeGreaterThan(146);
  });

  it("has no number of items for a loss that is the limit", () => {
    const limit = { difference: -0.25, deviation: 0.5 };
    expect(itemsToTell(limit, 0.25, { level: 0.95 })).toEqual({
      items: null,
      why: "the loss seen is the limit itself",
    });
  });

  it("has nothing to say of no items", () => {
    expect(found(0, 0, 0)).toMatchObject({ value: null, why: "no item has a right answer" });
  });

  // (1.6449 + 0.8416)^2 x 0.02 / 0.01^2 = 1236.5, by hand.
  it("needs 1,237 items for a limit of 0.01 where 2% flip", () => {
    expect(itemsNeeded(0.01, 0.02)).toBe(1237);
  });
});

describe("the chance of each verdict", () => {
  it.each(golden.chances)("equals SciPy: $difference, n $n", ({ limit, ...truth }) => {
    const chances = verdictChances(truth, limit, 0.95);
    expect(chances.pass).toBeCloseTo(truth.pass, 12);
    expect(chances.fail).toBeCloseTo(truth.fail, 12);
  });

  it("passes a candidate at the limit in 1 - level of the samples, whatever their size", () => {
    for (const n of [50, 5000]) {
      const truth = { difference: -0.02, deviation: 0.3, n };
      expect(verdictChances(truth, 0.02, 0.95).pass).toBeCloseTo(0.05, 12);
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
