import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  alphaOf,
  defaultIntervals,
  familyLevel,
  seedFor,
  twoSidedLevel,
} from "../../../src/eval/stats/interval-plan.js";
import { projectRoot } from "../../../src/pipeline/root.js";

describe("the level of intervals", () => {
  it("gives its alpha without the noise of binary", () => {
    expect(alphaOf(0.95)).toBe(0.05);
    expect(alphaOf(0.9)).toBe(0.1);
  });

  it("is raised after Bonferroni for several that are to hold at once", () => {
    expect(familyLevel(0.95, 3)).toBe(1 - 0.05 / 3);
    expect(familyLevel(0.95, 0)).toBe(0.95);
    expect(twoSidedLevel(0.95)).toBeCloseTo(0.9, 15);
  });

  it("is said once in the tree", () => {
    const defaults = readdirSync(join(projectRoot, "src"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .filter((name) =>
        /level\b[^;=\n]*(=|:|default\()\s*0?\.95/.test(
          readFileSync(join(projectRoot, "src", name), "utf8"),
        ),
      );
    expect(defaults).toEqual([join("eval", "stats", "interval-plan.ts")]);
  });
});

describe("the seed of a plan", () => {
  it("of 0 leaves each purpose its own, another moves them all", () => {
    expect(seedFor(defaultIntervals, "F1 A")).toBe("F1 A");
    expect(seedFor({ seed: 7 }, "F1 A")).toBe("7/F1 A");
  });
});
