import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keptNeighbours } from "../../../src/eval/record/case.js";
import { casesFromArrow } from "../../../src/eval/record/cases.js";
import { listRecords } from "../../../src/eval/record/record.js";
import { projectRoot } from "../../../src/pipeline/root.js";

const reference = join(projectRoot, "runs", "reference");

describe("the reference records", () => {
  it("take at most 12 MB", () => {
    const files = readdirSync(reference, { recursive: true, encoding: "utf8" })
      .map((name) => statSync(join(reference, name)))
      .filter((entry) => entry.isFile());
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    expect(bytes).toBeLessThanOrEqual(12e6);
    expect(bytes).toBeGreaterThan(1e6);
  });

  it("are read whole, a case at most with the neighbours that are shown", async () => {
    const records = await listRecords(reference);
    expect(records.length).toBeGreaterThan(5);
    for (const entry of records) {
      if (!("record" in entry)) throw new Error(`${entry.folder}: ${entry.problem}`);
      const cells = new Set(entry.record.cells.map(({ id }) => id));
      const cases = casesFromArrow(readFileSync(join(entry.folder, "cases.arrow")));
      expect(cases.filter(({ cell }) => !cells.has(cell))).toEqual([]);
      const most = cases.reduce((max, c) => Math.max(max, c.neighbours?.length ?? 0), 0);
      expect(most).toBeLessThanOrEqual(keptNeighbours);
    }
  });
});
