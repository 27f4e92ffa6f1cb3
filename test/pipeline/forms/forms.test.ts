import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FormOutput } from "../../../src/pipeline/forms/detector-form.js";
import { explainForm } from "../../../src/pipeline/forms/forms.js";

const out = (name: string, ...shape: (number | string | null)[]): FormOutput => ({ name, shape });
const at320 = { width: 320, height: 320 };
const cells = [1600, 400, 100, 25];
const interleaved = cells.flatMap((n, i) => [out(`s${i}`, 1, n, 80), out(`d${i}`, 1, n, 32)]);
const grouped = [
  ...cells.map((n, i) => out(`s${i}`, 1, n, 80)),
  ...cells.map((n, i) => out(`d${i}`, 1, n, 32)),
];
const levels = [
  { stride: 8, columns: 40, rows: 40, scores: "s0", distances: "d0", bins: 8 },
  { stride: 16, columns: 20, rows: 20, scores: "s1", distances: "d1", bins: 8 },
  { stride: 32, columns: 10, rows: 10, scores: "s2", distances: "d2", bins: 8 },
  { stride: 64, columns: 5, rows: 5, scores: "s3", distances: "d3", bins: 8 },
];

describe("form a, suppression inside", () => {
  it.each<[string, FormOutput[], string | null]>([
    ["rows and a count", [out("b", null, 6), out("n", null)], "n"],
    ["the count first", [out("n", 1), out("b", "rows", 6)], "n"],
    ["a count without a dimension", [out("b", 100, 6), out("n")], "n"],
    ["no count", [out("b", null, 6)], null],
  ])("%s", (_, outputs, count) => {
    expect(explainForm(outputs)).toMatchObject({
      form: "nms-inside",
      roles: { boxes: "b", count },
    });
  });

  it("notes a number of rows that cannot be meant", () => {
    expect(explainForm([out("b", 2125, 6), out("n", null)]).warnings.join()).toMatch(/2125 rows/);
  });
});

describe("form b, decoded", () => {
  it.each<[string, FormOutput[], object]>([
    [
      "PaddleDetection's order",
      [out("b", 1, 2125, 4), out("s", 1, 80, 2125)],
      { boxes: "b", scores: "s", classFirst: true, classes: 80 },
    ],
    [
      "scores first",
      [out("s", 1, 80, 2125), out("b", 1, 2125, 4)],
      { boxes: "b", scores: "s", classFirst: true, classes: 80 },
    ],
    [
      "scores a row an anchor",
      [out("b", 1, 2125, 4), out("s", 1, 2125, 80)],
      { boxes: "b", scores: "s", classFirst: false, classes: 80 },
    ],
    ["one class", [out("b", 1, 2125, 4), out("s", 1, 1, 2125)], { classFirst: true, classes: 1 }],
    [
      "an open batch",
      [out("b", "n", 2125, 4), out("s", "n", 80, 2125)],
      { classFirst: true, classes: 80 },
    ],
    [
      "open anchors",
      [out("b", null, null, 4), out("s", null, 80, null)],
      { classFirst: true, classes: 80 },
    ],
    ["four classes", [out("b", 1, 2125, 4), out("s", 1, 4, 2125)], { boxes: "b", classes: 4 }],
    [
      "four classes a row an anchor: the first is taken for boxes",
      [out("b", 1, 2125, 4), out("s", 1, 2125, 4)],
      { boxes: "b", scores: "s", classFirst: false },
    ],
  ])("%s", (_, outputs, roles) => {
    expect(explainForm(outputs, at320)).toMatchObject({ form: "decoded", roles });
  });

  it("checks the number of anchors against the strides", () => {
    expect(explainForm([out("b", 1, 2125, 4), out("s", 1, 80, 2125)], at320).warnings).toEqual([]);
    expect(
      explainForm([out("b", 1, 2124, 4), out("s", 1, 80, 2124)], at320).warnings.join(),
    ).toMatch(/give 2125/);
  });
});

describe("form c, raw heads", () => {
  it("grouped and interleaved outputs are the same", () => {
    expect(explainForm(grouped, at320)).toMatchObject({
      form: "raw",
      roles: { levels, classes: 80 },
      warnings: [],
    });
    expect(explainForm(interleaved, at320).roles).toEqual(explainForm(grouped, at320).roles);
  });

  it("any order and any names give the same", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(interleaved, { minLength: 8 }), (outputs) => {
        expect(explainForm(outputs, at320).roles).toMatchObject({ levels });
      }),
    );
    // Names that say the opposite of the shapes.
    const lying = grouped.map(({ shape, name }) => ({
      name: name.replace(/[sd]/, (c) => (c === "s" ? "boxes" : "scores")),
      shape,
    }));
    expect(explainForm(lying, at320).roles).toMatchObject({
      levels: [{ scores: "boxes0", distances: "scores0" }, {}, {}, {}],
    });
  });

  it("knows the levels of sizes that the strides do not divide, and of oblong ones", () => {
    const at416 = [2704, 676, 169, 49].flatMap((n, i) => [
      out(`s${i}`, 1, n, 80),
      out(`d${i}`, 1, n, 32),
    ]);
    expect(explainForm(at416, { width: 416, height: 416 }).roles).toMatchObject({
      levels: [
        { columns: 52 },
        { columns: 26 },
        { columns: 13 },
        { stride: 64, columns: 7, rows: 7 },
      ],
    });
    const oblong = [800, 200, 50, 15].flatMap((n, i) => [
      out(`s${i}`, 1, n, 2),
      out(`d${i}`, 1, n, 32),
    ]);
    expect(explainForm(oblong, { width: 320, height: 160 }).roles).toMatchObject({
      levels: [{ columns: 40, rows: 20 }, {}, {}, { columns: 5, rows: 3 }],
    });
  });

  it("one class, and other numbers of levels", () => {
    const two = [1600, 400].flatMap((n, i) => [out(`s${i}`, 1, n, 1), out(`d${i}`, 1, n, 32)]);
    expect(explainForm(two, { ...at320, strides: [8, 16] })).toMatchObject({
      form: "raw",
      roles: { classes: 1, levels: [{ stride: 8 }, { stride: 16 }] },
    });
    expect(explainForm(two.slice(0, 2), { ...at320, strides: [8] })).toMatchObject({
      form: "raw",
      roles: { levels: [{ stride: 8 }] },
    });
  });

  it(
    "as many classes as distance logits: takes the first of each pair for scores, and says " + "so",
    () => {
      const ambiguous = grouped.map(({ name, shape }) => out(name, 1, shape![1]!, 32));
      const { roles, warnings } = explainForm(ambiguous, at320);
      expect(roles).toMatchObject({ levels });
      expect(warnings.join()).toMatch(/as many classes as distance logits/);
    },
  );

  it(
    "a number of classes that could be distances does not mislead where the usual 32 is " + "there",
    () => {
      const sixteen = cells.flatMap((n, i) => [out(`d${i}`, 1, n, 32), out(`s${i}`, 1, n, 16)]);
      expect(explainForm(sixteen, at320).roles).toMatchObject({ classes: 16, levels });
    },
  );
});

describe("none of the three", () => {
  it.each<[string, FormOutput[], RegExp]>([
    ["an embedding", [out("e", 1, 512)], /not one output \[N, 6\]/],
    ["an odd number of heads", interleaved.slice(1), /odd number/],
    ["levels that do not pair up", [out("a", 1, 1600, 80), out("b", 1, 400, 32)], /pair up/],
    ["cells of another size", [out("a", 1, 1601, 80), out("b", 1, 1601, 32)], /1601 cells/],
    [
      "three widths",
      [out("a", 1, 1600, 80), out("b", 1, 1600, 32), out("c", 1, 400, 80), out("d", 1, 400, 48)],
      /more than two widths/,
    ],
    [
      "no distances",
      [out("a", 1, 1600, 80), out("b", 1, 1600, 7), out("c", 1, 400, 80), out("d", 1, 400, 7)].map(
        (o) => out(o.name, ...o.shape!.map((d) => (d === 80 ? 81 : d))),
      ),
      /neither width/,
    ],
    ["two times six", [out("a", null, 6), out("b", null, 6)], /not one output/],
    ["six columns beside something large", [out("a", null, 6), out("b", 1, 3, 80, 80)], /no place/],
    ["no outputs", [], /not one output/],
  ])("%s", (_, outputs, why) => {
    const explained = explainForm(outputs, at320);
    expect(explained).toMatchObject({ form: null, roles: null });
    expect(explained.why.join()).toMatch(why);
  });
});
