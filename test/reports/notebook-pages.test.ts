import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/pipeline/root.js";

/** Lines that a cell has at most: what is longer is logic, and belongs into a module. */
const longest = 12;

interface Cell {
  readonly line: number;
  readonly lines: readonly string[];
  /** The last line of text before it. */
  readonly before: string;
}

/** The code cells of a page. */
function cellsOf(page: string): Cell[] {
  const cells: Cell[] = [];
  let before = "";
  let open: string[] | null = null;
  for (const [i, line] of page.split("\n").entries()) {
    if (open === null && line.startsWith("```js")) open = [];
    else if (open !== null && line === "```") {
      cells.push({ line: i + 1 - open.length, lines: open, before });
      [open, before] = [null, ""];
    } else if (open !== null) open.push(line);
    else if (line.trim() !== "") before = line;
  }
  return cells;
}

const isSentence = (text: string): boolean => /[.:]$|<\/p>$/.test(text.trim());
/** Imports, data and inputs stand for themselves, and so does what appears only where it is. */
const shows = ({ lines }: Cell): boolean =>
  lines.some((line) => line.startsWith("display(") || line.startsWith("if (cells.length > 0)"));

const pages = readdirSync(join(projectRoot, "reports"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => name.slice(0, -3));
const read = (page: string): Cell[] =>
  cellsOf(readFileSync(join(projectRoot, "reports", `${page}.md`), "utf8"));

describe("the cells of pages", () => {
  it("are found", () => {
    const page = "text.\n\n```js\na;\nb;\n```\n\n# Head\n\n```js\nc;\n```\n";
    expect(cellsOf(page)).toEqual([
      { line: 4, lines: ["a;", "b;"], before: "text." },
      { line: 11, lines: ["c;"], before: "# Head" },
    ]);
  });

  it.each(pages)("%s: are short", (page) => {
    const cells = read(page);
    expect(cells.length).toBeGreaterThan(1);
    for (const { line, lines } of cells)
      expect(lines.length, `lines of the cell at ${page}.md:${line}`).toBeLessThanOrEqual(longest);
  });

  it.each(pages)("%s: what a section shows follows a sentence that says it", (page) => {
    const shown = read(page).filter((cell) => cell.before !== "" && shows(cell));
    for (const { line, before } of shown)
      expect(isSentence(before), `before the cell at ${page}.md:${line}: ${before}`).toBe(true);
  });
});
