import { describe, expect, it } from "vitest";
import { readBoxDetections, readBoxTruth } from "../../../datasets/formats/box-files.js";
import { truthFromRecords } from "../../../datasets/formats/coco-records.js";
import {
  categoryShifts,
  translationOf,
  type IdMatch,
} from "../../../datasets/formats/detection-ids.js";
import { PictureNames } from "../../../datasets/formats/picture-names.js";
import { categoryHint } from "../../../src/eval/metrics/coco/coco-category-hint.js";
import { evaluateCoco } from "../../../src/eval/metrics/coco/coco.js";
import { complaintOf } from "../../complaint.js";
import { shared, sharedData } from "../../shared-data.js";

describe("PictureNames", () => {
  const names = new PictureNames([
    "train/a.jpg",
    "train/b.JPG",
    "val/b.jpg",
    null,
    "cafe\u0301.png",
  ]);
  it.each([
    ["as it is", "train/a.jpg", 0],
    ["without ending", "train/a", 0],
    ["without folder", "a.png", 0],
    ["with another folder", "/data/x/a.jpg", 0],
    ["with backslashes", "train\\a.jpg", 0],
    ["as an address", "https://host/train/a.jpg", 0],
    ["from here", "./train/a.jpg", 0],
    ["in another Unicode form", "caf\u00e9.jpg", 4],
    ["one of two of a name, by its folder", "val/b.jpg", 2],
    ["one of two of a name, without", "b.jpg", -1],
    ["unknown", "c.jpg", -1],
  ])("finds a picture %s", (_, name, place) => {
    expect(names.indexOf(name)).toBe(place);
  });
});

const truth = truthFromRecords({
  images: [
    { id: 10, file_name: "a.jpg" },
    { id: 20, file_name: "b.jpg" },
  ],
  categories: [
    { id: 1, name: "Car" },
    { id: 3, name: "tree" },
  ],
  annotations: [],
});

describe("translationOf", () => {
  const ids = (...matches: IdMatch[]) => translationOf(truth, matches);
  it("finds pictures by file name, categories by name, numbers in text", () => {
    expect(ids("file-name").image("dir/b.png")).toBe(20);
    expect(ids("text").image("10")).toBe(10);
    expect(ids("category-name").category("car")).toBe(1);
    expect(ids("text").category("3")).toBe(3);
  });
  it("leaves what it was not asked for, and what it does not find", () => {
    expect(ids("category-name").image("10")).toBe("10");
    expect(ids("file-name").image("c.jpg")).toBe("c.jpg");
    expect(ids("file-name").category("car")).toBeNaN();
    expect(ids("text").category(" ")).toBeNaN();
    expect(ids().category(7)).toBe(7);
  });
});

describe("categoryShifts", () => {
  const effects = (...ids: number[]) =>
    categoryShifts({ categories: ids.map((id) => ({ id, name: "" })) }).map((s) => s.name);
  it("are one where they come to the same: places among 1, 2, 3 are the ids or one less", () => {
    expect(effects(1, 2, 3)).toEqual(["category + 1", "category - 1"]);
  });
  it("tell places apart where ids have gaps, as COCO's 80 classes in 91 ids", () => {
    expect(effects(1, 3)).toHaveLength(4);
    const [, , fromZero, fromOne] = categoryShifts(truth);
    expect([0, 1].map(fromZero!.category)).toEqual([1, 3]);
    expect([1, 2].map(fromOne!.category)).toEqual([1, 3]);
  });
});

describe.skipIf(!sharedData)("ids that do not fit", () => {
  const read = () => readBoxTruth(shared("cases", "ids-truth.json"));
  const apOf = async (name: string, ...match: IdMatch[]) => {
    const t = await read();
    const detections = await readBoxDetections(shared("cases", name), t, { match });
    return evaluateCoco(t, detections).summary[0]!.value!;
  };

  it("as text: refused with the remedy, or matched", async () => {
    const refused = await complaintOf(apOf("ids-as-text.json"));
    expect(refused).toMatchObject({
      code: "unknown-image",
      fix: expect.stringContaining("--match text"),
    });
    expect(await apOf("ids-as-text.json", "text")).toBe(await apOf("ids-right.json"));
  });

  it("of an object's own: matched by file name and category name", async () => {
    expect(await apOf("ids-object-with-own-ids.json")).toBe(await apOf("ids-right.json"));
  });

  it("counted from zero: said with the AP that category + 1 gives", async () => {
    const t = await read();
    const file = shared("cases", "ids-category-from-zero.json");
    const detections = await readBoxDetections(file, t);
    const hints = await categoryHint(t, detections, ({ category }) => {
      const { image } = translationOf(t, []);
      const translation = { image, category: (id: number | string) => category(Number(id)) };
      return readBoxDetections(file, t, { translation });
    });
    const right = await apOf("ids-right.json");
    expect(hints[0]!.message).toContain(
      `with category + 1 AP would be ${right.toFixed(4)} instead`,
    );
    expect(evaluateCoco(t, detections).summary[0]!.value).toBeLessThan(right);
  });

  it("right ones get no hint, and nothing is read again", async () => {
    const t = await read();
    const detections = await readBoxDetections(shared("cases", "ids-right.json"), t);
    const again = (): never => {
      throw new Error("read again");
    };
    expect(await categoryHint(t, detections, again)).toEqual([]);
  });
});
