import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { supportTable } from "../../src/import/paddle/operators/support.js";
import { projectRoot } from "../../src/pipeline/root.js";

/** Cells without the blanks that the formatter lines them up with. */
const cells = (table: string): string[] =>
  table.split("\n").map((line) => line.replace(/\s*\|\s*/g, "|").replace(/-{3,}/g, "---"));

it("docs/import.md lists the operators that the code has", () => {
  const text = readFileSync(join(projectRoot, "docs", "import.md"), "utf8");
  const [, table = ""] = text.split(/<!-- generated:.*-->\n+/);
  expect(cells(table.trim())).toEqual(cells(supportTable()));
});
