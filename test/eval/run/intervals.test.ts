import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RecordedScore } from "../../../src/eval/record/record.js";
import { WorkedSet, type Ran } from "../worked-set.js";

const set = new WorkedSet();
const runs = new Map<number, Ran>();
const levels = [0.95, 0.9];

beforeAll(async () => {
  const rows = { gallery: [] as string[], query: [] as string[] };
  for (let c = 0; c < 10; c++) {
    await set.square(`g${c}.png`, c);
    await set.square(`q${c}.png`, c < 7 ? c : 12, 200);
    rows.gallery.push(`g${c}.png\tlabel ${c}\n`);
    rows.query.push(`q${c}.png\tlabel ${c}\n`);
  }
  set.write("gallery.txt", rows.gallery.join(""));
  set.write("query.txt", rows.query.join(""));
  set.manifest(
    "squares",
    "recognition",
    `evaluation: query-gallery
identity: none
gallery: { list: gallery.txt, delimiter: tab }
query: { list: query.txt, delimiter: tab }
`,
  );
  const measure =
    'measure:\n  - { kind: retrieval, models: ["${baselines}/pixels-32.yaml"], ' +
    "datasets: [squares.yaml], k: [1, 5], indexes: [{ factory: Flat }, { factory: HNSW8 }] }\n" +
    "  - { kind: index, vectors: { rows: 200, dim: 8, queries: 50, labels: 20 }, " +
    "indexes: [{ factory: HNSW8, efSearch: 4 }] }\n";
  for (const level of levels)
    runs.set(level, await set.run(`intervals: { level: ${level} }\n${measure}`));
}, 240_000);
afterAll(() => {
  set.remove();
});

const scoresOf = (level: number): RecordedScore[] =>
  runs.get(level)!.record.cells.flatMap((c) => (c.state === "completed" ? c.scores : []));
const intervalsOf = (level: number) =>
  scoresOf(level).flatMap((s) => (s.value === null ? [] : (s.interval ?? [])));

describe("intervals of a config", () => {
  it.each(levels)("at %d are so in every score, and in the record", (level) => {
    expect(runs.get(level)!.record.experiment.intervals.level).toBe(level);
    const found = intervalsOf(level);
    expect(found.length).toBeGreaterThan(10);
    expect(new Set(found.map((i) => i.level))).toEqual(new Set([level]));
    // Which other methods there are depends on the times of this run.
    expect(found.map((i) => i.method.replace(/-effective-size$/, ""))).toContain("wilson");
  });

  it("are narrower at a lower level, around the same values", () => {
    const [high, low] = levels.map((level) =>
      scoresOf(level).filter((s) => s.unit === "ratio" && s.value !== null && s.interval),
    );
    expect(low!.map((s) => s.value)).toEqual(high!.map((s) => s.value));
    const width = (s: RecordedScore): number =>
      s.value === null ? NaN : s.interval!.high - s.interval!.low;
    low!.forEach((s, i) => {
      expect(width(s), s.metric).toBeLessThanOrEqual(width(high![i]!));
    });
  });
});
