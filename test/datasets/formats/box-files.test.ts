import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBoxDetections, readBoxTruth } from "../../../datasets/formats/box-files.js";
import { evaluateCoco } from "../../../src/eval/metrics/coco/coco.js";
import { pictureSizes } from "../../../src/pipeline/image/picture-sizes.js";
import { complaintOf } from "../../complaint.js";

/**
 * One set in every form. Two pictures of 64 x 32 px, so that shares of sides are exact; a car found
 * at IoU 1, one at 12 x 8 of 16 x 8 = .75, a tree not at all, and a false tree of the best score.
 *
 * car: both found up to IoU .75, one above: AP 1 at six thresholds, 51 / 101 at four.
 * tree: none. AP = (6 + 4 * 51 / 101) / 10 / 2.
 */
const ap = (6 + (4 * 51) / 101) / 10 / 2;

interface Row {
  readonly image: string;
  readonly label: string;
  readonly box: readonly [number, number, number, number];
  readonly score?: number;
}
const truth: readonly Row[] = [
  { image: "a", label: "car", box: [4, 4, 16, 8] },
  { image: "a", label: "tree", box: [32, 0, 8, 32] },
  { image: "b", label: "car", box: [8, 8, 16, 8] },
];
const found: readonly Row[] = [
  { image: "a", label: "car", box: [4, 4, 16, 8], score: 0.75 },
  { image: "b", label: "car", box: [8, 8, 12, 8], score: 0.5 },
  { image: "b", label: "tree", box: [40, 8, 8, 8], score: 0.875 },
];

let folder: string;
const at = (...parts: string[]): string => join(folder, ...parts);
function write(name: string, text: string): void {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "boxes-"));
  const blank = { create: { width: 64, height: 32, channels: 3, background: "black" } } as const;
  mkdirSync(at("images"));
  for (const name of ["a", "b"])
    await sharp(blank)
      .png()
      .toFile(at("images", `${name}.png`));
  for (const [name, rows] of [
    ["truth", truth],
    ["found", found],
  ] as const) {
    const of = (image: string): readonly Row[] => rows.filter((r) => r.image === image);
    const classes = ["car", "tree"];
    for (const image of ["a", "b"]) {
      write(`yolo-${name}/${image}.txt`, of(image).map(yoloLine).join("\n"));
      write(`labelme-${name}/${image}.json`, labelMe(image, of(image)));
      if (name === "truth") write(`voc-truth/${image}.xml`, voc(image, of(image)));
    }
    write(`yolo-${name}/classes.txt`, "car\ntree\n");
    write(`cvat-${name}.xml`, cvat(["a", "b"].map((image) => [image, of(image)])));
    write(`open-${name}.csv`, openImages(rows));
    write(
      `coco-${name}.json`,
      JSON.stringify({
        // Numbers of its own, in an order of its own.
        images: ["b", "a"].map((n, i) => ({ id: 70 + i, file_name: `images/${n}.png`, ...size })),
        categories: classes.map((n, i) => ({ id: 9 - i, name: n })),
        annotations: rows.map((r, i) => ({
          ...{ id: i + 1, image_id: r.image === "b" ? 70 : 71, bbox: r.box, score: r.score },
          category_id: 9 - classes.indexOf(r.label),
        })),
      }),
    );
  }
  const result = (r: Row) => ({
    image_id: r.image,
    category_id: r.label,
    bbox: r.box,
    score: r.score,
  });
  write("named.json", JSON.stringify(found.map(result)));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const size = { width: 64, height: 32 };
const yoloLine = ({ label, box: [x, y, w, h], score }: Row): string =>
  [label === "car" ? 0 : 1, (x + w / 2) / 64, (y + h / 2) / 32, w / 64, h / 32, score ?? ""]
    .join(" ")
    .trim();
const labelMe = (image: string, rows: readonly Row[]): string =>
  JSON.stringify({
    imagePath: `..\\images\\${image}.png`,
    ...{ imageWidth: 64, imageHeight: 32 },
    shapes: rows.map(({ label, box: [x, y, w, h], score }) => ({
      ...{ label, shape_type: "rectangle", score },
      // The other diagonal is a rectangle, too.
      points: [
        [x + w, y],
        [x, y + h],
      ],
    })),
  });
const voc = (image: string, rows: readonly Row[]): string =>
  `<annotation><filename>${image}.png</filename><size><width>64</width><height>32</height></size>` +
  rows
    .map(({ label, box: [x, y, w, h] }) => {
      const corners = { xmin: x + 1, ymin: y + 1, xmax: x + w, ymax: y + h };
      const box = Object.entries(corners).map(([k, v]) => `<${k}>${v}</${k}>`);
      return `<object><name>${label}</name><bndbox>${box.join("")}</bndbox></object>`;
    })
    .join("") +
  "</annotation>";
const cvat = (images: readonly (readonly [string, readonly Row[]])[]): string =>
  '<?xml version="1.0" encoding="utf-8"?><annotations><meta><task><labels>' +
  "<label><name>tree</name></label><label><name>car</name></label></labels></task></meta>" +
  images
    .map(([image, rows], i) => {
      const boxes = rows.map(({ label, box: [x, y, w, h], score }) => {
        const own = score === undefined ? "" : `<attribute name="score">${score}</attribute>`;
        const corners = `xtl="${x}" ytl="${y}" xbr="${x + w}" ybr="${y + h}"`;
        return `<box label="${label}" ${corners}>${own}</box>`;
      });
      const head = `<image id="${i}" name="images/${image}.png" width="64" height="32">`;
      return `${head}${boxes.join("")}</image>`;
    })
    .join("") +
  "</annotations>";
const openImages = (rows: readonly Row[]): string =>
  "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\n" +
  rows
    .map(({ image, label, box: [x, y, w, h], score }) =>
      [image, "x", label, score ?? 1, x / 64, (x + w) / 64, y / 32, (y + h) / 32, 0].join(","),
    )
    .join("\n");

const truths = ["yolo-truth", "labelme-truth", "voc-truth", "cvat-truth.xml", "open-truth.csv"];
const founds = ["yolo-found", "labelme-found", "cvat-found.xml", "open-found.csv"];
const apOf = async (
  t: string,
  d: string,
  match?: "file-name" | "category-name",
): Promise<unknown> => {
  const read = await readBoxTruth(at(t), { sizeOf: pictureSizes(at("images")) });
  const matches = match ? (["file-name", "category-name"] as const) : [];
  const detections = await readBoxDetections(at(d), read, { match: matches });
  return evaluateCoco(read, detections).summary[0]!.value;
};

describe("one set in every form gives one AP", () => {
  it.each(["coco-truth.json", ...truths])("%s, with detections in every form", async (t) => {
    for (const d of [...founds, "coco-found.json"]) expect(await apOf(t, d), d).toBeCloseTo(ap, 12);
    expect(await apOf(t, "named.json", "file-name")).toBeCloseTo(ap, 12);
  });

  it("has the same areas and picture names in all, where pictures are at hand", async () => {
    for (const t of truths) {
      const read = await readBoxTruth(at(t), { sizeOf: pictureSizes(at("images")) });
      expect(
        read.images.map((i) => i.fileName?.replace("images/", "")),
        t,
      ).toEqual(["a.png", "b.png"]);
      expect(
        [...read.area].sort((a, b) => a - b),
        t,
      ).toEqual([128, 128, 256]);
    }
  });
});

describe("what cannot be read says why", () => {
  it("shares of pictures without the pictures", async () => {
    expect(await complaintOf(readBoxTruth(at("yolo-truth")))).toMatchObject({
      code: "box-sizes",
      found: "a",
      fix: expect.stringContaining("--images"),
    });
  });

  it.each([
    ["an outline", "0 .1 .1 .2 .2 .3 .3 .1 .3", "class x y width height [score]"],
    ["pixels", "0 32 16 16 8", "shares of the picture, 0 to 1"],
    ["a class without a name", "7 .5 .5 .1 .1", "a class below 2"],
    ["a class of .5", ".5 .5 .5 .1 .1", "a class number of 0 or more"],
  ])("YOLO: %s", async (_, line, expected) => {
    write("bad/classes.txt", "car\ntree\n");
    write("bad/a.txt", line);
    expect(await complaintOf(readBoxTruth(at("bad")))).toMatchObject({
      code: "yolo-line",
      expected,
    });
  });

  it("detections without scores, in each form that may have them", async () => {
    cpSync(at("yolo-truth"), at("yolo-scoreless"), { recursive: true });
    const read = await readBoxTruth(at("coco-truth.json"));
    for (const d of ["yolo-scoreless", "labelme-truth", "cvat-truth.xml", "coco-truth.json"])
      expect(await complaintOf(readBoxDetections(at(d), read)), d).toMatchObject({
        code: "coco-score",
      });
    const refused = await complaintOf(readBoxDetections(at("voc-truth"), read));
    expect(refused).toMatchObject({ code: "box-format", message: /no scores/ });
  });

  it("labels that never meet", async () => {
    const read = await readBoxTruth(at("coco-truth.json"));
    write("alien/classes.txt", "ship\nplane\n");
    write("alien/a.txt", "0 .5 .5 .1 .1 .9");
    expect(await complaintOf(readBoxDetections(at("alien"), read))).toMatchObject({
      code: "unknown-category",
      expected: "tree, car",
      found: "ship",
    });
  });

  it("an empty folder", async () => {
    mkdirSync(at("empty"));
    expect(await complaintOf(readBoxTruth(at("empty")))).toMatchObject({ code: "box-format" });
  });

  it("points of LabelMe are counted; outlines have their own area", async () => {
    const shape = (type: string, ...points: number[][]) => ({
      ...{ label: "car", shape_type: type },
      points,
    });
    const shapes = [shape("point", [1, 1]), shape("polygon", [0, 0], [8, 0], [0, 8])];
    write("mixed/a.json", JSON.stringify({ shapes, imageWidth: 64, imageHeight: 32 }));
    const read = await readBoxTruth(at("mixed"));
    expect([[...read.box], [...read.area]]).toEqual([[0, 0, 8, 8], [32]]);
    expect(read.notes).toMatchObject([{ code: "no-area", count: 1 }]);
  });
});
