import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNpy } from "../../../datasets/formats/npy.js";
import { neighbourRecallOf } from "../../../reports/analysis/index-choice.js";
import { cellOf, scoreOf, WorkedSet, type Ran } from "../worked-set.js";

/**
 * Codes by sign of sixteen numbers, of which the last eight are never negative. The first query,
 * (1, .1, …), lies nearest to (1, -.1, …) with an inner product of .93 and to (.1, 1, …) with .8,
 * and its signs are those of the second. The other query is its opposite, and both ways of
 * searching agree on what is nearest.
 */
const set = new WorkedSet();
let ran: Ran;
const row = (first: number, rest: number): number[] => [
  ...[first, ...Array<number>(7).fill(rest)],
  ...Array<number>(8).fill(0.01),
];

beforeAll(async () => {
  const save = (name: string, rows: number[][]): Promise<void> =>
    writeNpy(join(set.folder, name), Float32Array.from(rows.flat()), [rows.length, 16]);
  await save("gallery.npy", [row(1, -0.1), row(0.1, 1), row(-1, -0.1)]);
  await save("query.npy", [row(1, 0.1), row(-1, -0.1)]);
  set.write("gallery.txt", "a.png\ta\nb.png\tb\nc.png\tc\n");
  set.write("query.txt", "x.png\ta\ny.png\tc\n");
  const features =
    "gallery: gallery.npy, galleryList: gallery.txt, query: query.npy, queryList: query.txt";
  ran = await set.run(
    `measure:\n  - { kind: index, features: { ${features} }, codes: [real, sign], k: [1], ` +
      `indexes: [{ factory: Flat }] }\n`,
  );
}, 120_000);
afterAll(() => {
  set.remove();
});

describe("neighbour recall of codes", () => {
  it("is told against the real neighbours and against the codes' own, both named", () => {
    const codes = cellOf(ran, { codes: "binary" });
    const recall = (neighbours: string) => scoreOf(codes, "neighbour-recall@1", { neighbours });
    expect(recall("of the real vectors")).toMatchObject({ value: 0.5, n: 2 });
    expect(recall("of the codes")).toMatchObject({ value: 1, n: 2 });
    expect(scoreOf(cellOf(ran, { codes: "real" }), "neighbour-recall@1")).toMatchObject({
      value: 1,
      n: 2,
    });
  });

  it("stands on the page beside real indexes by the real neighbours alone", () => {
    const [codes, real] = [cellOf(ran, { codes: "binary" }), cellOf(ran, { codes: "real" })];
    expect(neighbourRecallOf(codes, [codes, real])).toBe(0.5);
    expect(neighbourRecallOf(real, [codes, real])).toBe(1);
    // Of a record from before, only what compares is shown.
    const plain = codes.scores.map(({ of: _, ...score }) => score);
    const earlier = { ...codes, scores: plain.slice(1) };
    expect(neighbourRecallOf(earlier, [earlier, real])).toBeNull();
    expect(neighbourRecallOf(earlier, [earlier])).toBe(1);
  });

  it("comes with what the bits do not tell: half of them are never off", () => {
    expect(cellOf(ran, { codes: "binary" }).notes).toContainEqual(
      expect.stringMatching(/^8 of 16 bits \(50%\) are the same in all rows .* never negative\?$/),
    );
    expect(cellOf(ran, { codes: "real" }).notes.join()).not.toContain("bits");
  });
});
