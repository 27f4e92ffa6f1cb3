import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readVocTruth } from "../../../datasets/formats/voc-xml.js";
import { complaintOf } from "../../complaint.js";
import { shared, sharedData } from "../../shared-data.js";

const root = mkdtempSync(join(tmpdir(), "voc-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

let made = 0;
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = join(root, String(made++));
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const object = (name: string, box: string, more = ""): string =>
  `<object><name>${name}</name>${more}<bndbox>${box}</bndbox></object>`;
const box = "<xmin>1</xmin><ymin>11</ymin><xmax>640</xmax><ymax>30</ymax>";
const picture = (objects: string): string =>
  `<?xml version="1.0"?><annotation><filename>a.jpg</filename>` +
  `<size><width>640</width><height>480</height><depth>3</depth></size>${objects}</annotation>`;

describe("readVocTruth", () => {
  it("counts pixels from 1, both ends included, and sorts classes by name", () => {
    const folder = folderOf({
      "b.xml": picture(
        object("zebra", box) +
          object(
            "ant &amp; bee",
            "<xmin>5.5</xmin><ymin>5</ymin><xmax>5.5</xmax><ymax>5</ymax>",
            "<difficult>1</difficult>",
          ),
      ),
      "a.xml": "<annotation><filename>other.png</filename></annotation>",
      "notes.txt": "not XML",
    });
    const truth = readVocTruth(folder);
    expect(truth).toMatchObject({
      images: [
        { id: "a", width: 0, height: 0, fileName: "other.png" },
        { id: "b", width: 640, height: 480, fileName: "a.jpg" },
      ],
      categories: [
        { id: 1, name: "ant & bee" },
        { id: 2, name: "zebra" },
      ],
      notes: [
        { code: "ignore-flag", count: 1 },
        { code: "voc-boxes", count: 2, first: "none begins at 0" },
      ],
    });
    expect([
      [...truth.box],
      [...truth.area],
      [...truth.category],
      [...truth.ignore],
      [...truth.image],
    ]).toEqual([
      [0, 10, 640, 20, 4.5, 4, 1, 1],
      [12800, 1],
      [1, 0],
      [0, 1],
      [1, 1],
    ]);
    expect([...readVocTruth(folder, { boxes: "as-is" }).box].slice(0, 4)).toEqual([1, 11, 639, 19]);
  });

  const broken: [string, string, object][] = [
    ["no XML", "<annotation><object>", { code: "voc-xml", message: "not valid XML" }],
    ["another root", "<html></html>", { message: "not a VOC annotation" }],
    [
      "a document type",
      `<!DOCTYPE x [<!ENTITY a "aaaa">]>${picture("")}`,
      { message: "has a document type" },
    ],
    [
      "an object without a name",
      picture(`<object><bndbox>${box}</bndbox></object>`),
      { path: "object[0].name" },
    ],
    [
      "an object without a box",
      picture(object("a", box) + "<object><name>b</name></object>"),
      { path: "object[1].bndbox.xmin", found: "nothing" },
    ],
    [
      "a coordinate of text",
      picture(object("a", box.replace("640", "wide"))),
      { path: "object[0].bndbox.xmax", found: "wide" },
    ],
    [
      "a box inside out",
      picture(object("a", box.replace("640", "-5"))),
      { path: "object[0].bndbox", message: "a box of negative size" },
    ],
  ];
  it.each(broken)("refuses %s, by file and element", async (_, text, complaint) => {
    const folder = folderOf({ "ok.xml": picture(""), "wrong.xml": text });
    expect(await complaintOf(() => readVocTruth(folder))).toMatchObject({
      code: "voc-xml",
      file: join(folder, "wrong.xml"),
      ...complaint,
    });
  });

  it("refuses a folder that is missing or without annotations", async () => {
    expect(await complaintOf(() => readVocTruth(join(root, "none")))).toMatchObject({
      code: "file-unreadable",
    });
    expect(await complaintOf(() => readVocTruth(folderOf({ "a.txt": "" })))).toMatchObject({
      code: "voc-xml",
      found: "1 other entries",
    });
  });

  it.skipIf(!sharedData)(
    "reads the raccoon set: 200 photos, 217 boxes, all within their photos",
    () => {
      const truth = readVocTruth(shared("raccoon", "annotations"));
      expect([truth.images.length, truth.image.length, truth.categories]).toEqual([
        200,
        217,
        [{ id: 1, name: "raccoon" }],
      ]);
      truth.image.forEach((i, g) => {
        const [x, y, width, height] = truth.box.subarray(4 * g, 4 * g + 4) as unknown as [
          number,
          number,
          number,
          number,
        ];
        expect(
          x >= 0 &&
            y >= 0 &&
            x + width <= truth.images[i]!.width &&
            y + height <= truth.images[i]!.height,
        ).toBe(true);
      });
    },
  );
});

describe("the convention of corners, which no file states", () => {
  const zero = "<xmin>0</xmin><ymin>5</ymin><xmax>64</xmax><ymax>30</ymax>";
  const boxOf = (folder: string, boxes?: "inclusive" | "as-is") =>
    [...readVocTruth(folder, boxes === undefined ? {} : { boxes }).box].slice(0, 4);

  it("is told by a corner of 0, which pixels counted from 1 cannot have", () => {
    const folder = folderOf({ "a.xml": picture(object("cup", zero)) });
    expect(boxOf(folder)).toEqual([0, 5, 64, 25]);
    const [note] = readVocTruth(folder).notes.filter((n) => n.code === "voc-boxes");
    expect(note!.message).toMatch(/read as they are/);
    expect(note!.first).toBe("1 begin at 0");
  });

  it("is VOC's own where nothing tells, and whatever is asked for", () => {
    const folder = folderOf({ "a.xml": picture(object("cup", box)) });
    expect(boxOf(folder)).toEqual([0, 10, 640, 20]);
    expect(boxOf(folder, "as-is")).toEqual([1, 11, 639, 19]);
  });
});

describe("names in files of other tools", () => {
  const names = (folder: string) => readVocTruth(folder).categories.map((c) => c.name);
  const xml = (name: string, declared = "") =>
    `<?xml version="1.0"${declared}?><annotation>${object(name, box)}</annotation>`;

  it("may be written as character references, resolved once", () => {
    const folder = folderOf({
      "a.xml": xml("&#33033;"),
      "b.xml": xml("&#x8109;"),
      "c.xml": xml("\u8109"),
      "d.xml": xml("&amp;#33033;"),
    });
    expect(names(folder)).toEqual(["&#33033;", "\u8109"]);
  });

  it("may be CDATA, where nothing is a reference", () => {
    expect(names(folderOf({ "a.xml": xml("<![CDATA[a&amp;b]]>") }))).toEqual(["a&amp;b"]);
  });

  it("are refused with an unknown reference", async () => {
    const folder = folderOf({ "a.xml": xml("a&nbsp;b") });
    expect(await complaintOf(() => readVocTruth(folder))).toMatchObject({
      code: "voc-xml",
      found: "&nbsp;",
    });
  });

  it("follow the XML declaration's encoding; without it what is not UTF-8 is refused", async () => {
    const folder = folderOf({});
    const gbk = Uint8Array.of(0xc2, 0xf6); // \u8109
    const file = (declared: string) =>
      Buffer.concat([
        Buffer.from(xml("@", declared).split("@")[0]!),
        gbk,
        Buffer.from(xml("@", declared).split("@")[1]!),
      ]);
    writeFileSync(join(folder, "a.xml"), file(' encoding="gb2312"'));
    expect(names(folder)).toEqual(["\u8109"]);
    writeFileSync(join(folder, "a.xml"), file(""));
    expect(await complaintOf(() => readVocTruth(folder))).toMatchObject({
      code: "text-encoding",
      message: "the text is not UTF-8; it may be GBK",
    });
  });
});
