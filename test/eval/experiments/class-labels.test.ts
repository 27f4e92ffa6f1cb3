import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  labelDoubts,
  mapLabels,
  type LabelSides,
} from "../../../src/eval/experiments/class-labels.js";
import { complaintOf } from "../../complaint.js";
import { cellOf, scoreOf, WorkedSet } from "../worked-set.js";

const sides = (labels: readonly string[], more: Partial<LabelSides>): LabelSides => ({
  rows: labels.map((label, i) => ({ label, line: i + 1 })),
  classes: 3,
  file: "list.txt",
  ...more,
});

describe("mapLabels", () => {
  it("goes by name where list and card have names, whatever form or case", () => {
    const { truth, labelOf, notes } = mapLabels(
      sides(["tea", "Cafe\u0301"], { classes: ["café", "tea", "milk"] }),
    );
    expect([truth, labelOf(2), notes]).toEqual([[1, 0], "milk", []]);
  });

  it("goes by the data set's names where the list has numbers and the card names", () => {
    const names = ["tea", "milk", "café"];
    const mapped = mapLabels(sides(["0", "2"], { classes: ["café", "tea", "milk"], names }));
    expect([mapped.truth, mapped.labelOf(0), mapped.labelOf(1)]).toEqual([[1, 0], "2", "0"]);
  });

  it("takes numbers as they are, silently where they are all classes of the model", () => {
    const { truth, labelOf, notes } = mapLabels(sides(["0", "2", "1"], {}));
    expect([truth, labelOf(2), notes]).toEqual([[0, 2, 1], "2", []]);
  });

  it("says what was taken for what where numbers do not fill the outputs or have names", () => {
    expect(mapLabels(sides(["0", "1"], {})).notes).toEqual([
      "labels were taken as class numbers: 0 to 1 of the list are outputs 0 to 1 of 3",
    ]);
    expect(mapLabels(sides(["0", "1"], { classes: ["tea", "milk"] })).notes[0]).toMatch(
      /0 to 1 of the list are outputs 0 \("tea"\) to 1 of 2$/,
    );
  });

  it("steps over a background class, and counts from one", () => {
    const { truth, labelOf } = mapLabels(sides(["0", "1"], { background: true }));
    expect([truth, labelOf(0), labelOf(1)]).toEqual([[1, 2], null, "0"]);
    const fromOne = mapLabels(sides(["1", "3"], { firstClass: 1 }));
    expect([fromOne.truth, fromOne.labelOf(0)]).toEqual([[0, 2], "1"]);
    expect(mapLabels(sides(["1"], { firstClass: 1, background: true })).truth).toEqual([1]);
  });

  it.each<[string, string, Partial<LabelSides>, string]>([
    ["a number too high", "3", {}, "a whole number from 0 to 2"],
    ["none left for the last", "2", { background: true }, "a whole number from 0 to 1"],
    ["0 where labels count from 1", "0", { firstClass: 1 }, "a whole number from 1 to 3"],
    ["a fraction", "1.5", {}, "a whole number from 0 to 2"],
    ["a strange name", "gin", { classes: ["tea", "milk"] }, 'one of "tea", "milk"'],
  ])("refuses %s", async (_, label, more, expected) => {
    expect(await complaintOf(() => mapLabels(sides([label], more)))).toMatchObject({
      code: "class-unknown",
      path: "line 1",
      expected,
      found: label,
    });
  });
});

describe("labelDoubts", () => {
  it("tells labels that are one off, either way", () => {
    expect(labelDoubts([0, 1, 2, 3], [1, 2, 3, 4], 5)).toEqual([
      expect.stringMatching(
        /^with label \+ 1 top-1 would be 1\.000 instead of 0\.000: has the .* 5/,
      ),
    ]);
    expect(labelDoubts([1, 2, 3, 3], [0, 1, 2, 3], 4)[0]).toMatch(
      /^with label - 1 top-1 would be 0\.750 instead of 0\.250: do the labels count from 1/,
    );
  });

  it("tells the same classes in another order", () => {
    // Three pictures each of 0, 1, 2, answered as 2, 0, 1 but for one.
    const truth = [0, 0, 0, 1, 1, 1, 2, 2, 2];
    const [note] = labelDoubts(truth, [2, 2, 2, 0, 0, 0, 1, 1, 0], 3);
    expect(note).toMatch(
      /^in another order .* 0\.889 instead of 0\.000 \(pictures of class 0 .* 2\)/,
    );
  });

  it("is silent about a model that is right, wrong at random, or failed", () => {
    expect(labelDoubts([0, 1, 2], [0, 1, 1], 3)).toEqual([]);
    expect(labelDoubts([0, 0, 0, 1, 1, 1], [2, 0, 1, 2, 0, 1], 3)).toEqual([]);
    expect(labelDoubts([0, 1], [null, null], 3)).toEqual([]);
  });
});

describe("a classifier with a background class, through the runner", () => {
  const set = new WorkedSet();
  const top1 = async (model: string, manifest: string) => {
    const cell = cellOf(
      await set.run(
        `measure:\n  - { kind: classification, models: [${model}.yaml], ` +
          `datasets: [${manifest}.yaml] }\n`,
      ),
    );
    return { value: scoreOf(cell, "top-1").value, notes: cell.notes };
  };
  beforeAll(async () => {
    for (const c of [0, 1, 2, 3]) await set.square(`${c}.png`, c);
    set.write("numbers.txt", [0, 1, 2, 3].map((c) => `${c}.png ${c}\n`).join(""));
    set.write("names.txt", "0.png red\n1.png green\n2.png blue\n3.png grey\n");
    set.manifest("numbers", "classification", "validation: { list: numbers.txt }\n");
    set.manifest("names", "classification", "validation: { list: names.txt }\n");
    // A square at place p is output p + 1 of five; the names are those of places 3 to 0.
    await set.classifier("shifted", [1, 2, 3, 4], 5, "classes: 5");
    await set.classifier("background", [1, 2, 3, 4], 5, "classes: 5\n  background: true");
    await set.classifier("named", [3, 2, 1, 0], 4, "classes: [grey, blue, green, red]");
  });
  afterAll(() => {
    set.remove();
  });

  it("is told from its answers, and right once the card says so", async () => {
    const blind = await top1("shifted", "numbers");
    expect(blind.value).toBe(0);
    expect(blind.notes.join("\n")).toMatch(/0 to 3 of the list are outputs 0 to 3 of 5/);
    expect(blind.notes.join("\n")).toMatch(/with label \+ 1 top-1 would be 1\.000/);
    expect((await top1("background", "numbers")).value).toBe(1);
  });

  it("is right by name, in whatever order the card has them", async () => {
    expect(await top1("named", "names")).toEqual({ value: 1, notes: [] });
  });
});
