import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { definitionOf, definitionTargets } from "../../reports/analysis/definitions.js";
import { methodologyPage, methodologyPages } from "../../reports/build/methodology.js";
import { projectRoot } from "../../src/pipeline/root.js";

const read = (file: string): string => readFileSync(join(projectRoot, file), "utf8");
const markdown = (folder: string): string[] =>
  readdirSync(join(projectRoot, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
const methodology = markdown("docs/methodology");
const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "ARCHITECTURE.md",
  ...markdown("docs"),
  ...methodology,
  ...markdown("docs/guide"),
];

/** Without what is inside fences, where `#` is a comment. */
const prose = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, "");
const headings = (text: string): string[] =>
  [...prose(text).matchAll(/^#{1,4} (.+)$/gm)].map(([, heading]) => heading!);
/** The anchor that code hosts give a heading of plain words. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");
const anchors = (file: string): string[] => headings(read(file)).map(anchorOf);

describe("pages of docs/methodology", () => {
  it.each(methodology)("%s has under 120 lines of at most 100 columns", (file) => {
    const lines = read(file).trimEnd().split("\n");
    expect(lines.length).toBeLessThan(120);
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(100);
  });

  it.each([...methodology, "docs/measured.md"])(
    "%s is plain Markdown for the site, too",
    (file) => {
      // Framework would run these.
      expect(read(file)).not.toMatch(/\$\{|^```(js|ts|jsx|tsx|html|sql|dot|tex)/m);
      // Code hosts and the site make the same anchors of words that are lower case within.
      for (const word of headings(read(file)).flatMap((heading) => heading.split(/[ -]/)))
        expect(word).toMatch(/^([A-Z]?[a-z]+[0-9]*|[A-Z]?[0-9]+|[A-Z]+)$/);
    },
  );

  it("are listed in its README, once each", () => {
    const listed = methodologyPages().map(({ path }) => path.replace("/methodology/", ""));
    const there = methodology
      .map((file) => file.slice("docs/methodology/".length, -".md".length))
      .filter((name) => name !== "README");
    expect([...listed].sort()).toEqual(["index", "measured", ...there].sort());
  });
});

describe("links between documents", () => {
  it.each(documents)("%s leads to files and anchors that exist", (file) => {
    for (const [, target] of prose(read(file)).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path = "", anchor] = target!.split("#");
      const leads = path === "" ? file : normalize(join(dirname(file), path));
      expect(existsSync(join(projectRoot, leads)), `${file}: ${target!}`).toBe(true);
      if (anchor !== undefined) expect(anchors(leads), `${file}: ${target!}`).toContain(anchor);
    }
  });

  it("become links of the site", () => {
    expect(methodologyPage("[a](retrieval.md#ties), [b](../measured.md), [c](README.md)")).toBe(
      "[a](./retrieval.html#ties), [b](./measured.html), [c](./index.html)",
    );
    expect(methodologyPage("[d](methodology/latency.md), [e](../../models/README.md)")).toBe(
      "[d](./latency.html), e (`models/README.md`)",
    );
    expect(methodologyPage("x\n\n| a |\n| - |\n| b |\n\ny")).toMatch(
      /<div class="table-scroll"[^>]*>\n\n\| a \|\n\| - \|\n\| b \|\n\n<\/div>\n\ny/,
    );
  });
});

describe("definitions of numbers", () => {
  it.each(definitionTargets)("%s exists", (target) => {
    const [page, anchor] = target.split("#");
    const file = `docs/methodology/${page!}.md`;
    expect(methodology).toContain(file);
    if (anchor !== undefined) expect(anchors(file)).toContain(anchor);
  });

  it("are there for every metric of the reference records", () => {
    const folder = join(projectRoot, "runs/reference");
    const records = readdirSync(folder).filter((name) =>
      existsSync(join(folder, name, "run.json")),
    );
    expect(records.length).toBeGreaterThan(3);
    const undefinedOnes = new Set<string>();
    for (const record of records) {
      const { cells } = JSON.parse(read(`runs/reference/${record}/run.json`)) as {
        cells: { kind: string; scores?: { metric: string }[] }[];
      };
      for (const { kind, scores = [] } of cells)
        for (const { metric } of scores)
          if (definitionOf(metric, kind) === null) undefinedOnes.add(`${kind} ${metric}`);
    }
    expect([...undefinedOnes]).toEqual([]);
  });

  it("are looked up for any k, and not for what is no number of ours", () => {
    expect(definitionOf("recall@50")).toBe("retrieval#recall-at-k");
    expect(definitionOf("label recall@1")).toBe("index-quality#label-recall-at-k");
    expect(definitionOf("top-5", "classification")).toBe("classification#top-k");
    expect(definitionOf("latency", "detection")).toBe("models#model-latency");
    expect(definitionOf("Model")).toBeNull();
  });
});
