import { describe, expect, it } from "vitest";
import {
  compareLists,
  listNotes,
  type ComparedRows,
} from "../../../src/eval/experiments/list-notes.js";
import { complaintOf } from "../../complaint.js";

/** Rows as `picture label uid`. */
function rows(...lines: readonly string[]): ComparedRows {
  const parts = lines.map((line) => line.split(" "));
  return {
    rows: parts.map(([, label, uid]) => ({ label: label!, uid: uid ?? null })),
    pictures: parts.map(([picture]) => picture!),
    items: parts.map(([picture]) => `${picture}.jpg`),
  };
}
const hit = (rank: number | null, answerable = true) => ({
  rows: [],
  scores: [],
  rank,
  answerable,
});
const file = "set.yaml";

describe("query and gallery lists", () => {
  it("that share every picture are refused", async () => {
    const query = rows("a x", "b y");
    const gallery = rows("b y", "a x", "c x");
    const refused = () => compareLists({ query, gallery, leaveOneOut: false, file });
    expect(await complaintOf(refused)).toMatchObject({
      code: "query-in-gallery",
      found: "a.jpg and 1 others, by content",
    });
  });

  it("that share some are measured, with recall@1 without those", () => {
    const query = rows("a x", "b y", "d x", "e x");
    const gallery = rows("a x", "c x");
    const lists = compareLists({ query, gallery, leaveOneOut: false, file });
    expect(lists.meetsItself).toEqual([true, false, false, false]);
    const hits = [hit(0), hit(null, false), hit(0), hit(1)];
    expect(listNotes(lists, hits, false)).toEqual([
      "1 of 4 queries have no right answer in the gallery and leave the denominator",
      "1 of 4 query pictures are in the gallery, too (by content): each finds its copy; " +
        "recall@1 without them is 0.500 of 2",
    ]);
  });

  it("of one set left out: a picture listed twice finds its copy", () => {
    const list = rows("a x", "a x", "b x");
    const lists = compareLists({ query: list, gallery: list, leaveOneOut: true, file });
    expect(lists.meetsItself).toEqual([true, true, false]);
    expect(listNotes(lists, [hit(0), hit(0), hit(1)], true)).toEqual([
      "2 of 3 pictures are in the list more than once (by content): each finds its copy; " +
        "recall@1 without them is 0.000 of 1",
    ]);
  });

  it("with a uid keep a picture from itself, and say how many items went", () => {
    const query = rows("a x 1", "b y 1");
    const gallery = rows("a x 1", "b y 1", "c x 2");
    const lists = compareLists({ query, gallery, leaveOneOut: false, file });
    expect(lists).toMatchObject({ meetsItself: [false, false], junk: 2 });
    expect(lists.notes).toEqual(["the junk rule (same label and uid) took 2 gallery items out"]);
  });

  it("whose cameras never meet are told apart from those of which none is junk", () => {
    const query = rows("a x 00", "b y 01");
    const strange = compareLists({ query, gallery: rows("c x 0"), leaveOneOut: false, file });
    expect(strange.notes[0]).toMatch(/do not meet \(queries have 00, 01; the gallery has 0\)$/);
    const other = compareLists({ query, gallery: rows("c y 00"), leaveOneOut: false, file });
    expect(other.notes[0]).toMatch(/took no gallery item out$/);
  });

  it("do not count a left-out query itself as junk", () => {
    const list = rows("a x 1", "b x 1", "c x 2");
    expect(compareLists({ query: list, gallery: list, leaveOneOut: true, file }).junk).toBe(2);
  });
});
