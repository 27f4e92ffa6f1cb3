import { readFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { describe, expect, it } from "vitest";
import { quirksPage } from "../../docs/quirks-page.js";
import {
  quirkNames,
  quirks,
  rulesOf,
  standardWith,
  type QuirkName,
} from "../../src/pipeline/protocol.js";
import { projectRoot } from "../../src/pipeline/root.js";

/** The rules in which two ways of counting differ. */
function differing(name: QuirkName): QuirkName[] {
  const [one, other] = [rulesOf("standard"), standardWith(name)];
  return quirkNames.filter((q) => one[q] !== other[q]);
}

describe("the table of quirks", () => {
  it("gives each protocol its rules", () => {
    expect(rulesOf("standard")).toMatchObject({ junk: "removed", block: null, labels: "whole" });
    expect(rulesOf("paddleclas")).toMatchObject({ junk: "zeroed", block: 64, equalScores: "last" });
  });

  it("sets one quirk alone, or with what it goes with", () => {
    for (const name of quirkNames)
      expect(differing(name)).toEqual(name === "penalty" ? ["ties", "penalty"] : [name]);
  });

  it("names each once", () => {
    expect(new Set(quirkNames.map((name) => quirks[name].title)).size).toBe(quirkNames.length);
  });
});

describe("docs/methodology/quirks.md", () => {
  it("is what the table says (npm run docs writes it)", async () => {
    const file = join(projectRoot, "docs/methodology/quirks.md");
    const page = await format(quirksPage(), { ...(await resolveConfig(file)), filepath: file });
    expect(readFileSync(file, "utf8")).toBe(page);
  });
});
