import type { Measured } from "../../../src/eval/types.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cellOf, scoreOf, WorkedSet, type Ran } from "../worked-set.js";

/**
 * Ten labels with one gallery picture and two queries each; each query finds its label's picture
 * where that can be read. Four gallery pictures are no pictures, and one query of another label.
 */
const set = new WorkedSet();
const broken = [1, 3, 5, 7];
let whole: Ran;
let lossy: Ran;

beforeAll(async () => {
  const gallery: string[] = [];
  const queries: string[] = [];
  for (let c = 0; c < 10; c++) {
    await set.square(`whole/g${c}.png`, c);
    await set.square(`whole/q${c}a.png`, c, 200);
    await set.square(`whole/q${c}b.png`, c, 150);
    gallery.push(`g${c}.png\tlabel ${c}\n`);
    queries.push(`q${c}a.png\tlabel ${c}\n`, `q${c}b.png\tlabel ${c}\n`);
    for (const name of [`g${c}.png`, `q${c}a.png`, `q${c}b.png`])
      if (!(name.startsWith("g") && broken.includes(c)) && name !== "q9b.png")
        await set.square(`lossy/${name}`, c, name.endsWith("a.png") ? 200 : 255);
      else set.write(`lossy/${name}`, "no picture");
  }
  set.write("gallery.txt", gallery.join(""));
  set.write("query.txt", queries.join(""));
  for (const name of ["whole", "lossy"])
    set.manifest(
      name,
      "recognition",
      `evaluation: query-gallery\nidentity: none\n` +
        `gallery: { list: gallery.txt, delimiter: tab, images: ${name} }\n` +
        `query: { list: query.txt, delimiter: tab, images: ${name} }\n`,
    );
  const measure = (dataset: string): string =>
    `measure:\n  - { kind: retrieval, models: ["\${baselines}/pixels-32.yaml"], ` +
    `datasets: [${dataset}.yaml], k: [1, 5], ` +
    `indexes: [{ factory: Flat }, { factory: HNSW8 }] }\n`;
  whole = await set.run(measure("whole"));
  lossy = await set.run(measure("lossy"));
}, 240_000);
afterAll(() => {
  set.remove();
});

describe.each(["Flat", "HNSW8"])("retrieval through the runner, %s", (index) => {
  it("finds everything where every picture can be read", () => {
    const cell = cellOf(whole, { index });
    expect(scoreOf(cell, "recall@1")).toMatchObject({ value: 1, n: 20 });
    expect(cell.notes).toEqual([]);
  });

  it("counts what unreadable pictures cost, in gallery and queries, as missed", () => {
    const cell = cellOf(lossy, { index });
    // 12 queries whose gallery picture is there, less the one that cannot be read itself.
    // Two queries a label, which nearly always agree. By label 2, 1 or 0 of them are right, 1.1 on
    // average: 5 * 0.81 + 0.01 + 4 * 1.21 = 8.9, times 10 / 9 / 400, over 0.55 * 0.45 / 20.
    for (const metric of ["recall@1", "recall@5"])
      expect(scoreOf(cell, metric)).toMatchObject({
        value: expect.closeTo(11 / 20, 12) as number,
        n: 20,
        interval: {
          units: 10,
          designEffect: expect.closeTo((8.9 * 10) / 9 / 400 / (0.2475 / 20), 10) as number,
        },
      });
  });

  it("says what was lost and what it cost", () => {
    const cell = cellOf(lossy, { index });
    expect(cell.errors.map((e) => e.item).sort()).toEqual([
      "g1.png",
      "g3.png",
      "g5.png",
      "g7.png",
      "q9b.png",
    ]);
    expect(cell.notes.join("\n")).toMatch(
      /4 of 10 gallery pictures .*; 8 queries lost their only right answers[^]*1 of 20 queries/,
    );
  });

  it("keeps a case for each listed query, as it counts", () => {
    const cell = cellOf(lossy, { index });
    const outcomes = lossy.cases.filter((c) => c.cell === cell.id).map((c) => c.outcome);
    expect(outcomes.filter((o) => o === "hit")).toHaveLength(11);
    expect(outcomes.filter((o) => o === "miss")).toHaveLength(8);
    expect(outcomes.filter((o) => o === "error")).toHaveLength(1);
  });
});

describe("means over the whole ranking", () => {
  it("hold a lost right answer as one that is never found", () => {
    const cell = cellOf(lossy, { index: "Flat" });
    for (const metric of ["mAP", "MAP@R", "R-precision", "mINP"]) {
      const score = scoreOf(cell, metric);
      expect(score, metric).toMatchObject({ value: expect.closeTo(11 / 20, 12), n: 20 });
      // The interval is that of all 20, not of those that were left.
      const { interval } = score as Measured;
      expect(interval!.low, metric).toBeGreaterThan(0.2);
      expect(interval!.high, metric).toBeLessThan(0.85);
    }
  });
});
