import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { textSource } from "../../../datasets/formats/byte-source.js";
import {
  readCocoDetections,
  readCocoTruth,
  scanCocoDetections,
  scanCocoTruth,
} from "../../../datasets/formats/coco-json.js";
import { detectionsFromRecords, truthFromRecords } from "../../../datasets/formats/coco-records.js";
import type { CocoDetections, CocoTruth, Leniency } from "../../../datasets/formats/coco-set.js";
import { complaintOf } from "../../complaint.js";

const folder = mkdtempSync(join(tmpdir(), "coco-json-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const truthOf = (set: unknown, leniency: Leniency = {}): CocoTruth =>
  scanCocoTruth(
    "gt.json",
    textSource(typeof set === "string" ? set : JSON.stringify(set)),
    leniency,
  );
const detectionsOf = (list: unknown, truth: CocoTruth, leniency: Leniency = {}): CocoDetections =>
  scanCocoDetections(
    "dt.json",
    textSource(typeof list === "string" ? list : JSON.stringify(list)),
    truth,
    leniency,
  );

const image = { id: 7, width: 640, height: 480, file_name: "seven.jpg" };
const category = { id: 3, name: "bottle" };
const annotation = {
  id: 1,
  image_id: 7,
  category_id: 3,
  bbox: [1, 2, 30, 40],
  area: 1000,
  iscrowd: 0,
};
const detection = { image_id: 7, category_id: 3, bbox: [1, 2, 3, 4], score: 0.5 };
const set = { images: [image], categories: [category], annotations: [annotation] };

describe("readCocoTruth", () => {
  it("reads any order of keys and sections, and passes over what it does not know", () => {
    const text = `
      { "info" : {"a": [1, {"b": null}], "annotations": [1]}, "annotations":[
        { "segmentation" : [[1.5,2],{"counts":"x\\"y","size":[1,2]}] ,
          "bbox":[ 1 ,2,30.25, 4e1 ], "iscrowd":true, "category_id":3,
          "\\u0069d":12, "image_id":7, "keypoints": null, "area":1e3,"ignore":1},
        {"id":11,"image_id":5,"category_id":1,"bbox":[0,0,0,0],"area":0}
      ], "categories" : [ {"id":3,"name":"b\\u00f6ttle", "supercategory":"x"}, {"id":1} ],
      "images": [ {"file_name":"seven.jpg","id":7,"height":480,"width":640,"license":null},
        {"id":5,"width":null} ] }`;
    const truth = truthOf(text);
    expect(truth).toMatchObject({
      images: [
        { id: 5, width: 0, height: 0, fileName: null },
        { id: 7, width: 640, height: 480, fileName: "seven.jpg" },
      ],
      categories: [
        { id: 1, name: "1" },
        { id: 3, name: "böttle" },
      ],
    });
    expect([
      [...truth.image],
      [...truth.category],
      [...truth.box],
      [...truth.area],
      [...truth.crowd],
      [...truth.ignore],
      [...truth.id],
    ]).toEqual([
      [1, 0],
      [1, 0],
      [1, 2, 30.25, 40, 0, 0, 0, 0],
      [1000, 0],
      [1, 0],
      [1, 0],
      [12, 11],
    ]);
  });

  it("takes the last of equal keys, as JSON does", () => {
    expect([
      ...truthOf(JSON.stringify(set).replace('"area":1000', '"area":1000,"area":900')).area,
    ]).toEqual([900]);
  });

  it("counts what it lets pass", () => {
    const truth = truthOf(
      {
        ...set,
        annotations: [
          { ...annotation, id: 0, ignore: 1 },
          { ...annotation, id: 2, area: undefined },
          { ...annotation, id: 3, bbox: [700, 2, 3, 4] },
          { ...annotation, id: 4, image_id: 99 },
          { ...annotation, id: 5, category_id: 99 },
          { ...annotation, id: 6, bbox: [10, 2, -3, 4] },
        ],
      },
      { skipUnknown: true, allowNegative: true },
    );
    expect(truth.notes.map((n) => [n.code, n.count, n.first])).toEqual([
      ["id-zero", 1, "annotations[0]"],
      ["ignore-flag", 1, "annotations[0]"],
      ["area-missing", 1, "annotations[1]"],
      ["negative-size", 1, "annotations[5]"],
      ["outside-image", 1, "annotations[2]"],
      ["unknown-image", 1, "annotations[3].image_id"],
      ["unknown-category", 1, "annotations[4].category_id"],
      ["area-exceeds-box", 1, "annotations[2]"],
    ]);
    expect([[...truth.id], [...truth.area], [...truth.box].slice(-4)]).toEqual([
      [0, 2, 3, 6],
      [1000, 1200, 1000, 1000],
      [10, 2, -3, 4],
    ]);
  });

  const broken: [string, unknown, object][] = [
    [
      "a list",
      [detection],
      {
        code: "coco-file",
        expected: "an object with images, annotations and categories",
        found: "a list",
      },
    ],
    [
      "no annotations",
      { images: [], categories: [] },
      { code: "coco-section", message: 'no "annotations"' },
    ],
    [
      "a section that is no list",
      { ...set, images: {} },
      { code: "coco-section", path: "images", found: "an object" },
    ],
    [
      "a section twice",
      JSON.stringify(set).replace("{", '{"images":[],'),
      { code: "coco-section", message: 'a second "images"' },
    ],
    [
      "an image that is no object",
      { ...set, images: [image, 5] },
      { path: "images[1]", expected: "an object", found: "5" },
    ],
    [
      "an image without id",
      { ...set, images: [{ width: 1 }] },
      { path: "images[0]", message: 'lacks "id"' },
    ],
    [
      "an image id of a fraction",
      { ...set, images: [{ id: 1.5 }] },
      { path: "images[0].id", found: "1.5" },
    ],
    ["an image id of a half", { ...set, images: [{ id: 1.5 }] }, { path: "images[0].id" }],
    [
      "image ids of two kinds",
      { ...set, images: [image, { id: "8" }] },
      {
        code: "coco-image-id",
        path: "images[1].id",
        expected: "a number as the first image has",
        found: '"8"',
      },
    ],
    [
      "an image twice",
      { ...set, images: [image, { id: 8 }, image] },
      { code: "duplicate-id", path: "images[2].id", found: "the first at images[0]" },
    ],
    [
      "a category twice",
      { ...set, categories: [category, category] },
      { code: "duplicate-id", path: "categories[1].id" },
    ],
    [
      "a category id of text",
      { ...set, categories: [{ id: "3" }] },
      { path: "categories[0].id", expected: "a number", found: '"3"' },
    ],
    [
      "an annotation twice",
      { ...set, annotations: [annotation, { ...annotation, id: 9 }, { ...annotation, id: 1 }] },
      { code: "duplicate-id", path: "annotations[2].id", found: "the first at annotations[0]" },
    ],
    [
      "a box of three",
      { ...set, annotations: [{ ...annotation, bbox: [1, 2, 3] }] },
      { code: "coco-box", path: "annotations[0].bbox", found: "3 numbers" },
    ],
    [
      "a box of text",
      { ...set, annotations: [{ ...annotation, bbox: "1,2,3,4" }] },
      { code: "coco-box", path: "annotations[0].bbox", found: '"1,2,3,4"' },
    ],
    [
      "a box with null",
      { ...set, annotations: [{ ...annotation, bbox: [1, null, 3, 4] }] },
      { code: "coco-box", path: "annotations[0].bbox[1]", found: "null" },
    ],
    [
      "a box with NaN",
      JSON.stringify(set).replace("[1,2,", "[1,NaN,"),
      { code: "coco-box", path: "annotations[0].bbox[1]", found: "NaN" },
    ],
    [
      "a negative size",
      { ...set, annotations: [{ ...annotation, bbox: [1, 2, -3, 4] }] },
      { code: "coco-box", path: "annotations[0].bbox", found: "-3 x 4" },
    ],
    [
      "no box",
      { ...set, annotations: [{ ...annotation, bbox: undefined }] },
      { path: "annotations[0]", message: 'lacks "bbox"' },
    ],
    [
      "neither id nor category",
      { ...set, annotations: [{ image_id: 7, bbox: [0, 0, 1, 1] }] },
      { message: 'lacks "id" and "category_id"' },
    ],
    [
      "an area below 0",
      { ...set, annotations: [{ ...annotation, area: -1 }] },
      { code: "coco-area", path: "annotations[0].area", found: "-1" },
    ],
    [
      "an area without end",
      JSON.stringify(set).replace('"area":1000', '"area":1e999'),
      { code: "coco-area", path: "annotations[0].area", found: "Infinity" },
    ],
    [
      "an area of text",
      { ...set, annotations: [{ ...annotation, area: "1" }] },
      { path: "annotations[0].area", expected: "a number of px²" },
    ],
    [
      "a crowd flag of text",
      { ...set, annotations: [{ ...annotation, iscrowd: "no" }] },
      { path: "annotations[0].iscrowd", expected: "0 or 1", found: '"no"' },
    ],
    [
      "a box on an unknown image",
      { ...set, annotations: [annotation, { ...annotation, id: 2, image_id: 99 }] },
      { code: "unknown-image", path: "annotations[1].image_id" },
    ],
    [
      "a box of an unknown category",
      { ...set, annotations: [{ ...annotation, category_id: 99 }] },
      { code: "unknown-category", path: "annotations[0].category_id" },
    ],
    ["a text that is cut off", JSON.stringify(set).slice(0, -10), { code: "json-syntax" }],
    ["nothing", "", { code: "json-syntax", path: "byte 0" }],
  ];
  it.each(broken)("refuses %s, by file and record", async (_, given, complaint) => {
    expect(await complaintOf(() => truthOf(given))).toMatchObject({
      file: "gt.json",
      ...complaint,
    });
  });

  it("refuses a missing file and a folder", async () => {
    expect(await complaintOf(() => readCocoTruth(join(folder, "none.json")))).toMatchObject({
      code: "file-unreadable",
      message: "no such file",
    });
    expect(await complaintOf(() => readCocoTruth(folder))).toMatchObject({
      code: "file-unreadable",
      message: "is a folder, not a file",
    });
  });
});

describe("readCocoDetections", () => {
  const truth = truthOf(set);

  it("reads a list from a file", () => {
    const file = join(folder, "dt.json");
    writeFileSync(
      file,
      JSON.stringify([
        detection,
        { ...detection, id: 5, segmentation: { counts: "" }, score: 1e-9 },
      ]),
    );
    const { image: images, score, box, notes } = readCocoDetections(file, truth);
    expect([[...images], [...score], [...box], notes]).toEqual([
      [0, 0],
      [0.5, 1e-9],
      [1, 2, 3, 4, 1, 2, 3, 4],
      [],
    ]);
  });

  it("grows with the list", () => {
    const many = detectionsOf(
      Array.from({ length: 5000 }, (_, i) => ({
        ...detection,
        bbox: [i, 2, 3, 4],
        score: i / 5000,
      })),
      truthOf({ ...set, images: [{ id: 7 }] }),
    );
    expect([many.score.length, many.score[4999], many.box[4 * 4999], many.box.length]).toEqual([
      5000,
      4999 / 5000,
      4999,
      20000,
    ]);
  });

  it("takes an empty list", () => {
    expect(detectionsOf("[]", truth).score.length).toBe(0);
  });

  it(
    "leaves out and counts what may be: unknown categories always, unknown images when told " +
      "to",
    () => {
      const list = [
        detection,
        { ...detection, category_id: 99 },
        { ...detection, image_id: 99 },
        { ...detection, image_id: "7" },
        { ...detection, bbox: [900, 2, 3, 4] },
        { ...detection, bbox: [10, 2, -3, 4] },
      ];
      const { score, notes } = detectionsOf(list, truth, {
        skipUnknown: true,
        allowNegative: true,
      });
      expect(score.length).toBe(3);
      expect(notes.map((n) => [n.code, n.count, n.first])).toEqual([
        ["unknown-category", 1, "[1].category_id"],
        ["unknown-image", 2, "[2].image_id"],
        ["outside-image", 1, "[4]"],
        ["negative-size", 1, "[5]"],
      ]);
    },
  );

  it("knows image ids far apart, below 0 and of text", () => {
    for (const ids of [[5, 9e12], [-3, 0, 4], ["b", "a", "10"], [0]]) {
      const many = truthOf({
        images: ids.map((id) => ({ id })),
        categories: [category],
        annotations: [],
      });
      const { image: images } = detectionsOf(
        ids.map((image_id) => ({ ...detection, image_id })),
        many,
      );
      expect([...images].map((i) => many.images[i]!.id)).toEqual(ids);
    }
    expect(
      truthOf({
        images: ["b", "a", "10", "é", "𝒳", "ﬀ"].map((id) => ({ id })),
        categories: [],
        annotations: [],
      }).images.map((i) => i.id),
    ).toEqual(["10", "a", "b", "é", "ﬀ", "𝒳"]);
  });

  const broken: [string, unknown, object][] = [
    [
      "an object",
      set,
      {
        code: "coco-file",
        expected: "a list of { image_id, category_id, bbox, score }",
        found: "an object",
      },
    ],
    ["a list of lists", [[1]], { path: "[0]", expected: "an object", found: "a list" }],
    [
      "no score",
      [detection, { ...detection, score: undefined }],
      { path: "[1]", message: 'lacks "score"' },
    ],
    [
      "a score of null",
      [{ ...detection, score: null }],
      { path: "[0].score", expected: "a number", found: "null" },
    ],
    ["a score of text", [{ ...detection, score: "0.5" }], { path: "[0].score", found: '"0.5"' }],
    [
      "a score of NaN",
      JSON.stringify([detection, detection]).replace("0.5}]", "NaN}]"),
      { code: "coco-score", path: "[1].score", found: "NaN" },
    ],
    [
      "an infinite score",
      JSON.stringify([detection]).replace("0.5", "-Infinity"),
      { code: "coco-score", path: "[0].score", found: "-Infinity" },
    ],
    [
      "a score beyond all doubles",
      JSON.stringify([detection]).replace("0.5", "1e999"),
      { code: "coco-score", path: "[0].score", found: "Infinity" },
    ],
    [
      "an infinite box",
      JSON.stringify([detection]).replace("[1,", "[Infinity,"),
      { code: "coco-box", path: "[0].bbox[0]", found: "Infinity" },
    ],
    [
      "a negative size",
      [{ ...detection, bbox: [1, 2, 3, -4] }],
      { code: "coco-box", path: "[0].bbox", found: "3 x -4" },
    ],
    [
      "an unknown image",
      [detection, { ...detection, image_id: 8 }],
      { code: "unknown-image", path: "[1].image_id", found: "8" },
    ],
    [
      "an image id of text where they are numbers",
      [{ ...detection, image_id: "7" }],
      {
        code: "unknown-image",
        path: "[0].image_id",
        expected: "the truth's image ids are numbers",
        found: '"7"',
      },
    ],
    [
      "a segmentation only",
      [{ image_id: 7, category_id: 3, segmentation: [], score: 1 }],
      { path: "[0]", message: 'lacks "bbox"' },
    ],
    [
      "what follows the list",
      `${JSON.stringify([detection])}]`,
      { code: "json-syntax", expected: "the end of the file" },
    ],
  ];
  it.each(broken)("refuses %s, by file and record", async (_, given, complaint) => {
    expect(await complaintOf(() => detectionsOf(given, truth))).toMatchObject({
      file: "dt.json",
      ...complaint,
    });
  });
});

describe("sets from records", () => {
  it("are checked as files are", async () => {
    const truth = truthFromRecords({
      images: [{ id: 1 }],
      categories: [{ id: 1 }],
      annotations: [],
    });
    expect(
      await complaintOf(() =>
        detectionsFromRecords(truth, [{ image_id: 1, category_id: 1, bbox: [0, 0, 1], score: 1 }]),
      ),
    ).toMatchObject({ code: "coco-box", file: "detections", path: "[0].bbox" });
    expect(
      await complaintOf(() =>
        detectionsFromRecords(truth, [
          { image_id: 1, category_id: 1, bbox: [0, 0, 1, NaN], score: 1 },
        ]),
      ),
    ).toMatchObject({ code: "coco-box" });
    expect(
      await complaintOf(() =>
        detectionsFromRecords(
          truth,
          [{ image_id: 1, category_id: 1, bbox: [0, 0, 1, 1], score: NaN }],
          "ours",
        ),
      ),
    ).toMatchObject({ code: "coco-score", file: "ours", path: "[0].score" });
    expect(
      await complaintOf(() =>
        truthFromRecords({
          images: [{ id: 1 }],
          categories: [{ id: 1 }],
          annotations: [{ id: 1, image_id: 2, category_id: 1, bbox: [0, 0, 1, 1] }],
        }),
      ),
    ).toMatchObject({ code: "unknown-image", path: "annotations[0].image_id" });
  });
});
