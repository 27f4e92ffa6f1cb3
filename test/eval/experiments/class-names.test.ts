import { describe, expect, it } from "vitest";
import { mapClasses, type ClassSides } from "../../../src/eval/experiments/class-names.js";
import { complaintOf } from "../../complaint.js";

const sides = (classes: ClassSides["classes"], ...names: (string | [number, string])[]) => ({
  classes,
  categories: names.map((n, i) =>
    typeof n === "string" ? { id: i + 1, name: n } : { id: n[0], name: n[1] },
  ),
  used: new Set(names.map((_, i) => i)),
  file: "set.yaml",
});

describe("mapClasses", () => {
  it("goes by name, whatever the order", () => {
    expect(mapClasses(sides(["red", "blue"], "blue", "red"))).toEqual({
      categories: [1, 0],
      notes: [],
    });
  });

  it("passes a placeholder category that no box has", () => {
    const roboflow = sides(["red", "blue"], [0, "things"], [1, "red"], [2, "blue"]);
    expect(mapClasses({ ...roboflow, used: new Set([1, 2]) })).toEqual({
      categories: [1, 2],
      notes: [],
    });
    expect(mapClasses(roboflow).notes).toEqual([
      '1 classes ("things") of the data set are no class of the model: their objects cannot ' +
        "be found",
    ]);
  });

  it("says which classes of the model are left out", () => {
    const { categories, notes } = mapClasses(sides(["red", "green"], "red"));
    expect(categories).toEqual([0, null]);
    expect(notes[0]).toMatch(/^1 classes \("green"\) of the model are no category/);
  });

  it("takes other Unicode forms and cases for the same name", () => {
    const decomposed = "cafe\u0301";
    expect(mapClasses(sides(["Café", "tea"], "tea", decomposed)).categories).toEqual([1, 0]);
  });

  it("goes by place where a side has no names, and says so", () => {
    const { categories, notes } = mapClasses(sides(2, "red", "blue"));
    expect(categories).toEqual([0, 1]);
    expect(notes[0]).toMatch(/the card names no classes: .* class 0 is "red" \(id 1\), class 1 is/);
    expect(mapClasses(sides(["a", "b"], [7, "7"], [9, "9"])).notes[0]).toMatch(/names no categor/);
    expect(mapClasses(sides(1, "raccoon")).notes).toEqual([]);
  });

  it("refuses names that never meet, and two classes of one name", async () => {
    expect(await complaintOf(() => mapClasses(sides(["a", "b"], "c", "d")))).toMatchObject({
      code: "class-names",
      expected: '"c", "d"',
      found: '"a", "b"',
    });
    expect(await complaintOf(() => mapClasses(sides(["a", "A"], "a")))).toMatchObject({
      code: "class-names",
      found: '"A"',
    });
  });
});
