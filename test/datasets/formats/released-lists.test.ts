import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCsv, readIcartoonFaceBoxes, readLandmarks } from "../../../datasets/formats/csv.js";
import { readInshop } from "../../../datasets/formats/inshop.js";
import { readListPart } from "../../../datasets/formats/released-list.js";
import { readSop } from "../../../datasets/formats/sop.js";
import { complaintOf } from "../../complaint.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lists-"));
});
afterAll(() => rm(folder, { recursive: true }));
const file = (content: string) => {
  const path = join(folder, "file.txt");
  writeFileSync(path, content);
  return path;
};

describe("Stanford Online Products", () => {
  const text =
    "image_id class_id super_class_id path\n1 11319 1 bicycle_final/251952414262_0.JPG\n2 " +
    "11319 1 bicycle_final/251952414262_1.JPG\n";
  it("label = class, uid = image", async () => {
    expect(await readSop(file(text))).toEqual([
      { path: "bicycle_final/251952414262_0.JPG", label: "11319", uid: "1", line: 2 },
      { path: "bicycle_final/251952414262_1.JPG", label: "11319", uid: "2", line: 3 },
    ]);
  });
  it("refuses another header and a torn line", async () => {
    expect(await complaintOf(readSop(file("a.jpg 1\n")))).toMatchObject({
      code: "sop-header",
      found: "a.jpg 1",
    });
    expect(await complaintOf(readSop(file(`${text}3 11320 1`)))).toMatchObject({
      code: "sop-line",
      path: "line 4",
      found: "3 11320 1",
    });
  });
});

describe("In-shop", () => {
  const text = [
    "3",
    "image_name item_id evaluation_status",
    "img/WOMEN/Dresses/id_00000002/02_1_front.jpg                       id_00000002 train",
    "img/WOMEN/Tees/id_00000003/02_1_front.jpg                          id_00000003 query",
    "img/WOMEN/Tees/id_00000003/02_2_side.jpg                           id_00000003 gallery",
    "",
  ].join("\r\n");
  it("three lists", async () => {
    const { train, query, gallery } = await readInshop(file(text));
    expect([train.length, query.length, gallery.length]).toEqual([1, 1, 1]);
    expect(query[0]).toEqual({
      path: "img/WOMEN/Tees/id_00000003/02_1_front.jpg",
      label: "id_00000003",
      line: 4,
    });
  });
  it("refuses another header, an unknown status and a wrong count", async () => {
    expect((await complaintOf(readInshop(file("a b c\n")))).code).toBe("inshop-header");
    expect(await complaintOf(readInshop(file(text.replace("gallery", "galery"))))).toMatchObject({
      code: "inshop-line",
      path: "line 5",
    });
    expect(await complaintOf(readInshop(file(text.replace("3\r\n", "4\r\n"))))).toMatchObject({
      code: "inshop-count",
      expected: "4 pictures",
      found: "3",
    });
  });
});

describe("the form is told by the first lines", () => {
  it("SOP with uids, In-shop by part, else PaddleClas's", async () => {
    expect(
      await readListPart(file("image_id class_id super_class_id path\n7 3 1 a.JPG\n"), "query"),
    ).toMatchObject({ columns: 3, rows: [{ path: "a.JPG", label: "3", uid: "7" }] });
    const inshop =
      "2\nimage_name item_id evaluation_status\na.jpg id_1 query\nb.jpg id_1 gallery\n";
    for (const [part, path] of [
      ["query", "a.jpg"],
      ["gallery", "b.jpg"],
    ] as const)
      expect((await readListPart(file(inshop), part)).rows.map((r) => r.path)).toEqual([path]);
    expect((await readListPart(file("image_id 3\n7 4\n"), "gallery")).rows).toHaveLength(2);
  });
});

describe("csv", () => {
  it("picks columns by name; quotes, commas, order", async () => {
    const records = await readCsv(file('a,b,c\n1,"x, ""y""",3\n\n4,,6\n'), ["c", "b"]);
    expect(records).toEqual([
      { line: 2, values: { c: "3", b: 'x, "y"' } },
      { line: 4, values: { c: "6", b: "" } },
    ]);
  });
  it("names a missing column, a line of another length, an unclosed quote", async () => {
    expect(await complaintOf(readCsv(file("a,b\n1,2\n"), ["z"]))).toMatchObject({
      code: "csv-column",
      found: "columns a or b",
    });
    expect(await complaintOf(readCsv(file("a,b\n1,2,3\n"), ["a"]))).toMatchObject({
      code: "csv-line",
      path: "line 2",
      expected: "2 fields",
      found: "3",
    });
    expect((await complaintOf(readCsv(file('a,b\n1,2\n"1,2\n'), ["a"]))).path).toBe("line 3");
    expect((await complaintOf(readCsv(file(""), ["a"]))).found).toBe("an empty file");
  });
  it("iCartoonFace boxes", async () => {
    expect(await readIcartoonFaceBoxes(file("icartoonface_00000.jpg,10,20,30.5,40\n"))).toEqual([
      { path: "icartoonface_00000.jpg", box: { x0: 10, y0: 20, x1: 30.5, y1: 40 }, line: 1 },
    ]);
    for (const bad of ["a.jpg,1,2,3", "a.jpg,1,2,1,4", "a.jpg,x,2,3,4", ",1,2,3,4"]) {
      expect(
        await complaintOf(readIcartoonFaceBoxes(file(`b.jpg,0,0,1,1\n${bad}\n`))),
      ).toMatchObject({ code: "csv-line", path: "line 2" });
    }
  });
  it("Google Landmarks", async () => {
    expect(
      await readLandmarks(file("landmark_id,images\n7,17660ef415d37059 92b6290d571448f6\n")),
    ).toEqual([
      { path: "1/7/6/17660ef415d37059.jpg", label: "7", line: 2 },
      { path: "9/2/b/92b6290d571448f6.jpg", label: "7", line: 2 },
    ]);
    expect((await complaintOf(readLandmarks(file("landmark_id,images\n7,../../etc\n")))).code).toBe(
      "csv-line",
    );
  });
});
