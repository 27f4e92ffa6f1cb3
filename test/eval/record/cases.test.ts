import { tableFromIPC, Type, type DataType } from "@uwdata/flechette";
import * as aq from "arquero";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Case } from "../../../src/eval/record/case.js";
import { casesFromArrow, casesToArrow } from "../../../src/eval/record/cases.js";

const empty: Case = {
  cell: "c",
  item: "b",
  image: null,
  outcome: "error",
  truth: null,
  prediction: null,
  score: null,
  rank: null,
  neighbours: null,
  boxes: null,
  width: null,
  height: null,
  lostAt: null,
  stageMs: null,
};
const near = { label: "é", score: Math.fround(0.1), picture: "g/1.jpg" };
const odd = { label: "\t", score: 0.1, picture: "a\t\\t\\\\b\\.jpg" };
const full: Case = {
  ...empty,
  item: "<script>",
  image: "b.jpg",
  outcome: "hit",
  truth: "\u0000",
  prediction: "",
  score: 0.1,
  rank: 3,
  neighbours: [near, { label: "b\t\\t", score: -1, picture: null }],
  boxes: {
    truth: [{ x0: 0.1, y0: 1, x1: 2, y1: 3, label: null, stage: "embedding" }],
    found: [
      { x0: 0.5, y0: 1, x1: 2, y1: 3, score: 1, label: "a", fate: "kept", neighbours: [odd] },
      { x0: 0, y0: 0, x1: 1, y1: 1, score: 0.25, label: null, fate: "unused", neighbours: null },
    ],
  },
  width: 640,
  height: 40_000,
  lostAt: "index",
  stageMs: { decode: 0.1, "server 10/s": 7 },
};

describe("cases", () => {
  it("survive Arrow to the last bit, nulls, empty lists and hostile text included", () => {
    const rows = [
      full,
      empty,
      { ...full, neighbours: [], boxes: { truth: [], found: [] }, stageMs: { decode: 2 } },
    ];
    expect(casesFromArrow(casesToArrow(rows))).toEqual(rows);
    const own = { ...full, image: full.item };
    expect(casesFromArrow(casesToArrow([own]))).toEqual([own]);
    expect(casesFromArrow(casesToArrow([empty]))).toEqual([empty]);
    expect(casesFromArrow(casesToArrow([]))).toEqual([]);
  });

  it("survive whatever numbers and texts there are", () => {
    const corners = { x0: fc.double(), y0: fc.float(), x1: fc.integer(), y1: fc.constant(0) };
    const label = fc.option(fc.string());
    const found = fc.record({
      ...corners,
      score: fc.double(),
      label,
      fate: fc.string(),
      neighbours: fc.constant(null),
    });
    const row = fc.record({
      score: fc.option(fc.double()),
      rank: fc.option(fc.nat()),
      width: fc.option(fc.double()),
      truth: label,
      boxes: fc.option(fc.record({ truth: fc.constant([]), found: fc.array(found) })),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 8 }), (some) => {
        const rows = some.map((r): Case => ({ ...empty, ...r }));
        expect(casesFromArrow(casesToArrow(rows))).toEqual(rows);
      }),
      { numRuns: 30 },
    );
  });

  it("take no more bytes a value than it needs", () => {
    const rows = Array.from({ length: 200 }, (_, i): Case => ({ ...full, item: String(i) }));
    const { fields } = tableFromIPC(casesToArrow(rows)).schema;
    const type = (name: string): DataType => fields.find((f) => f.name === name)!.type;
    const width = (name: string): number => {
      const of = type(name);
      return of.typeId === Type.Dictionary ? of.indices.bitWidth : (of as { bitWidth: 8 }).bitWidth;
    };
    expect(["cell", "item", "rank", "width", "height"].map(width)).toEqual([8, 16, 8, 16, 32]);
    expect(tableFromIPC(casesToArrow([empty])).schema.fields[2]!.type.typeId).toBe(Type.Null);
  });
});

/** The columns as records once held them: neighbours, boxes and times as JSON texts. */
const texts = {
  neighbours: JSON.stringify([
    ["é", near.score, "g/1.jpg"],
    ["b", -1, null],
    ["c", -2, null],
    ["d", -3, null],
  ]),
  boxes: JSON.stringify({
    truth: [
      [0, 0, 1, 1, null],
      [0, 0, 2, 2, "a", "correct"],
    ],
    found: [
      [0, 0, 1, 1, 0.5, null, "hit"],
      [0, 0, 1, 1, 0.5, "a", "kept", [["a", 1, "g/0.jpg"]]],
    ],
  }),
  stageMs: '{"decode":2.595214999979362}',
};
function olderArrow(change: Partial<Record<keyof Case, unknown>> = {}): Uint8Array {
  const row = { ...full, ...texts, ...change };
  return aq
    .table(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, [value]])))
    .toArrowIPC({ format: "file" })!;
}

describe("cases of older records", () => {
  it("become typed on reading, with as many neighbours as are kept today", () => {
    const box = { x0: 0, y0: 0, x1: 1, y1: 1 };
    expect(casesFromArrow(olderArrow())).toEqual([
      {
        ...full,
        neighbours: [near, { label: "b", score: -1, picture: null }, { ...third }],
        boxes: {
          truth: [
            { ...box, label: null, stage: null },
            { ...box, x1: 2, y1: 2, label: "a", stage: "correct" },
          ],
          found: [
            { ...box, score: 0.5, label: null, fate: "hit", neighbours: null },
            {
              ...{ ...box, score: 0.5, label: "a", fate: "kept" },
              neighbours: [{ label: "a", score: 1, picture: "g/0.jpg" }],
            },
          ],
        },
        stageMs: { decode: 2.595214999979362 },
      },
    ]);
  });

  it("read the same once they are written again", () => {
    const read = casesFromArrow(olderArrow({ stageMs: null }));
    expect(casesFromArrow(casesToArrow(read))).toEqual(read);
  });

  it("name the item whose text is no such JSON, and the column that cases do not have", () => {
    expect(() => casesFromArrow(olderArrow({ boxes: "{" }))).toThrow(/"boxes" of "<script>"/);
    expect(() => casesFromArrow(olderArrow({ neighbours: "[[1]]" }))).toThrow(/"neighbours"/);
    expect(() => casesFromArrow(olderArrow({ rank: "first" }))).toThrow(
      /"rank" is not of the type/,
    );
    const nothing = aq.table({ cell: ["c"] }).toArrowIPC({ format: "file" })!;
    expect(() => casesFromArrow(nothing)).toThrow(/no column "item"/);
    const wrong = aq.table({ ...columnsOf(empty), boxes: [3] }).toArrowIPC({ format: "file" })!;
    expect(() => casesFromArrow(wrong)).toThrow(/"boxes" is not of the type/);
  });
});

const third = { label: "c", score: -2, picture: null };

function columnsOf(row: Case): Record<string, unknown[]> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, [value]]));
}
