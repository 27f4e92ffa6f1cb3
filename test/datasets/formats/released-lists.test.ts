import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFaceTruth } from "../../../datasets/formats/face-boxes.js";
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

describe("VeRI-Wild", () => {
  const list = (pictures: string): string => {
    writeFileSync(
      join(folder, "vehicle_info.txt"),
      "id/image;Camera ID;Time\n00001/000001;165;2018\n00002/000007;9;2018\n",
    );
    return file(pictures);
  };

  it("label = vehicle, uid = the camera of vehicle_info.txt", async () => {
    expect(await readListPart(list("00001/000001\n00002/000007.jpg\n"), "query")).toMatchObject({
      columns: 3,
      rows: [
        { path: "00001/000001.jpg", label: "00001", uid: "165", line: 1 },
        { path: "00002/000007.jpg", label: "00002", uid: "9", line: 2 },
      ],
    });
  });

  it("refuses a torn line and a picture without a camera", async () => {
    expect(await complaintOf(readListPart(list("00001/000001\n3\n"), "query"))).toMatchObject({
      code: "veri-wild-line",
      path: "line 2",
    });
    expect(await complaintOf(readListPart(list("00001/000009\n"), "query"))).toMatchObject({
      code: "veri-wild-camera",
      expected: "a line 00001/000009;CAMERA;…",
    });
  });
});

describe("lists of releases that are csv files", () => {
  it("Products-10k: label = class", async () => {
    const { rows } = await readListPart(file("name,class,group\n1.jpg,7,3\n"), "gallery");
    expect(rows).toEqual([{ path: "1.jpg", label: "7", line: 2 }]);
  });

  it("ImageNet: label = place of the synset, whatever the mapping's order", async () => {
    writeFileSync(join(folder, "LOC_synset_mapping.txt"), "n02 goldfish\nn01 tench, Tinca\n");
    const solution = (synset: string): string =>
      file(`ImageId,PredictionString\nILSVRC2012_val_00000001,${synset} 1 2 3 4 \n`);
    const { rows } = await readListPart(solution("n02"), "gallery");
    expect(rows).toEqual([{ path: "ILSVRC2012_val_00000001.JPEG", label: "1", line: 2 }]);
    expect(await complaintOf(readListPart(solution("n03"), "gallery"))).toMatchObject({
      code: "csv-line",
      found: "n03",
    });
  });
});

describe("iCartoonFace's boxes as a truth", () => {
  it("has one class, pictures in order of names, and of them each so-manieth", async () => {
    const csv = file("b.jpg,1,2,11,22\na.jpg,0,0,5,5\nb.jpg,3,3,4,9\n");
    const all = await readFaceTruth(csv);
    expect(all.images.map((i) => i.fileName)).toEqual(["a.jpg", "b.jpg"]);
    expect([...all.box.slice(0, 4)]).toEqual([1, 2, 10, 20]);
    expect(all.categories).toEqual([{ id: 1, name: "face" }]);
    const some = await readFaceTruth(csv, 2);
    expect(some.images.map((i) => i.fileName)).toEqual(["b.jpg"]);
    expect(some.image).toHaveLength(2);
  });
});
