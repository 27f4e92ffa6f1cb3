import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  joinEvidence,
  readObservations,
  readTruth,
} from "../../../src/eval/observe/query-evidence.js";
import { UserError, type Complaint } from "../../../src/pipeline/errors.js";

const folder = mkdtempSync(join(tmpdir(), "query-evidence-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

async function complaint(work: Promise<unknown> | (() => unknown)): Promise<Complaint> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    if (error instanceof UserError) return error.complaint;
    throw error;
  }
  throw new Error("should have been refused");
}

const box = { x0: 0, y0: 0, x1: 10, y1: 10 };
const observation = {
  image: "a.jpg",
  width: 100,
  height: 80,
  overallMs: 3,
  stageMs: {},
  detections: [{ box, score: 0.9, classId: 0 }],
  recognitions: [{ box, detectionScore: 0.9, label: "tea", score: 0.8, fate: "kept", hits: [] }],
};

describe("truth", () => {
  test("as JSON: labels, unknown objects, distractors", async () => {
    const path = file("truth.json", {
      images: [
        {
          image: "a.jpg",
          objects: [
            { label: "tea", box: [0, 0, 10, 20] },
            { label: null, box: [5, 5, 9, 9] },
            { label: "toy", box: [1, 1, 2, 2] },
          ],
        },
        { image: "b.jpg", objects: [] },
      ],
    });
    expect(await readTruth(path, ["toy"])).toEqual([
      {
        image: "a.jpg",
        truth: [{ label: "tea", box: { x0: 0, y0: 0, x1: 10, y1: 20 } }],
        unknown: [
          { x0: 5, y0: 5, x1: 9, y1: 9 },
          { x0: 1, y0: 1, x1: 2, y1: 2 },
        ],
      },
      { image: "b.jpg", truth: [], unknown: [] },
    ]);
    expect(await complaint(readTruth(path, ["toys"]))).toMatchObject({
      code: "unknown-label",
      expected: "one of tea, toy",
    });
  });

  test(
    "too large for one string: a COCO file is read in a window, observations are refused " +
      "by name",
    async () => {
      // A hole in the file costs no disk.
      const huge = join(folder, "huge.json");
      writeFileSync(huge, "");
      truncateSync(huge, 600_000_000);
      expect(await complaint(readObservations(huge))).toMatchObject({
        code: "file-too-large",
        file: huge,
        found: "600000000 bytes",
      });
      expect(await complaint(readTruth(huge))).toMatchObject({
        code: "json-syntax",
        path: "byte 0",
      });
      rmSync(huge);
    },
  );

  test(
    "as a COCO annotation file: categories are labels, boxes have width and height, " +
      "crowds are left out",
    async () => {
      const path = file("coco.json", {
        images: [
          { id: 2, file_name: "b.jpg", width: 100, height: 100 },
          { id: 1, file_name: "a.jpg", width: 100, height: 100 },
        ],
        categories: [
          { id: 1, name: "tea" },
          { id: 9, name: "not-in-gallery" },
        ],
        annotations: [
          { id: 1, image_id: 2, category_id: 1, bbox: [10, 20, 30, 40], area: 1200, iscrowd: 0 },
          { id: 2, image_id: 2, category_id: 9, bbox: [0, 0, 5, 5], area: 25, iscrowd: 0 },
          { id: 3, image_id: 1, category_id: 1, bbox: [0, 0, 50, 50], area: 2500, iscrowd: 1 },
        ],
      });
      expect(await readTruth(path, ["not-in-gallery"])).toEqual([
        { image: "a.jpg", truth: [], unknown: [] },
        {
          image: "b.jpg",
          truth: [{ label: "tea", box: { x0: 10, y0: 20, x1: 40, y1: 60 } }],
          unknown: [{ x0: 0, y0: 0, x1: 5, y1: 5 }],
        },
      ]);
    },
  );

  test.each([
    ["no such file", null, { code: "file-unreadable" }],
    ["not JSON", "{", { code: "json-syntax" }],
    [
      "another key",
      { images: [{ image: "a", objects: [], camera: 3 }] },
      { code: "schema", message: 'unknown key "camera"' },
    ],
    [
      "a box of three",
      { images: [{ image: "a", objects: [{ label: "x", box: [1, 2, 3] }] }] },
      { code: "schema", path: expect.stringContaining("images[0].objects[0].box") },
    ],
    [
      "a box inside out",
      { images: [{ image: "a", objects: [{ label: "x", box: [50, 50, 20, 20] }] }] },
      {
        code: "box-inside-out",
        path: "images[0].objects[0].box",
        fix: expect.stringContaining("corners"),
      },
    ],
    [
      "a picture twice",
      {
        images: [
          { image: "a", objects: [] },
          { image: "a", objects: [] },
        ],
      },
      { code: "duplicate-image", path: "images[1]", found: "also images[0]" },
    ],
  ])("refuses %s", async (name, content, expected) => {
    const path = content === null ? join(folder, "nowhere.json") : file("bad-truth.json", content);
    expect(await complaint(readTruth(path)), name).toMatchObject({ ...expected, file: path });
  });
});

describe("observations", () => {
  const read = {
    image: "a.jpg",
    width: 100,
    height: 80,
    detections: [{ box }],
    recognitions: [{ box, label: "tea", score: 0.8 }],
  };

  test(
    "as the list that recognize prints, with " + "failures, and with crops that found nothing",
    async () => {
      const path = file("observations.json", [
        observation,
        { image: "b.jpg", error: { code: "image-unreadable", message: "not a picture" } },
        {
          ...observation,
          image: "c.jpg",
          recognitions: [{ ...observation.recognitions[0], label: null, score: null }],
        },
      ]);
      expect(await readObservations(path)).toMatchObject([
        read,
        { image: "b.jpg", recognitions: [], error: "not a picture" },
        { image: "c.jpg", recognitions: [{ label: null, score: 0 }] },
      ]);
    },
  );

  test("as JSON lines, empty lines aside", async () => {
    const path = file(
      "observations.jsonl",
      `${JSON.stringify(observation)}\n\n${JSON.stringify({ ...observation, image: "b.jpg" })}\n`,
    );
    expect((await readObservations(path)).map((o) => o.image)).toEqual(["a.jpg", "b.jpg"]);
  });

  test.each([
    [
      "no list",
      "x.json",
      { image: "a" },
      { code: "schema", message: "expected a list of observations" },
    ],
    [
      "an infinite score",
      "x.json",
      JSON.stringify([observation]).replace('"score":0.8', '"score":1e999'),
      { code: "schema" },
    ],
    [
      "a label without a score",
      "x.json",
      [{ ...observation, recognitions: [{ box, label: "tea", score: null }] }],
      { code: "score-missing", path: "[0].recognitions[0].score" },
    ],
    [
      "a missing list",
      "x.json",
      [observation, { image: "b", width: 1, height: 1, detections: [] }],
      { code: "schema", path: expect.stringContaining("[1]") },
    ],
    [
      "a broken line",
      "x.jsonl",
      `${JSON.stringify(observation)}\n{`,
      { code: "json-syntax", path: "line 2" },
    ],
    [
      "a picture twice",
      "x.jsonl",
      `${JSON.stringify(observation)}\n${JSON.stringify(observation)}`,
      { code: "duplicate-image", path: "line 2", found: "also line 1" },
    ],
    [
      "a crop inside out",
      "x.json",
      [
        {
          ...observation,
          recognitions: [{ box: { x0: 9, y0: 0, x1: 3, y1: 1 }, label: "a", score: 1 }],
        },
      ],
      { code: "box-inside-out", path: "[0].recognitions[0].box" },
    ],
  ])("refuses %s", async (name, as, content, expected) => {
    const path = file(as, content);
    expect(await complaint(readObservations(path)), name).toMatchObject({
      ...expected,
      file: path,
    });
  });
});

describe("joining", () => {
  const truth = [
    { image: "q/a.jpg", truth: [{ label: "tea", box }], unknown: [box] },
    { image: "q/b.jpg", truth: [], unknown: [] },
  ];
  const seen = (image: string): Awaited<ReturnType<typeof readObservations>>[number] => ({
    image,
    width: 9,
    height: 9,
    detections: [],
    recognitions: [{ box, label: "tea", score: 0.5 }],
  });
  const files = { truth: "t.json", observations: "o.json" };

  test("by picture, in the order of the truth", () => {
    const { images, unobserved } = joinEvidence(truth, [seen("q/b.jpg"), seen("q/a.jpg")], files);
    expect(
      images.map((i) => [i.image, i.truth.length, i.unknown?.length, i.recognitions.length]),
    ).toEqual([
      ["q/a.jpg", 1, 1, 1],
      ["q/b.jpg", 0, 0, 1],
    ]);
    expect(unobserved).toEqual([]);
  });

  test("by file name where asked", async () => {
    const elsewhere = [seen("/photos/a.jpg"), seen("/photos/b.jpg")];
    expect(await complaint(() => joinEvidence(truth, elsewhere, files))).toMatchObject({
      code: "observation-unknown",
      found: "/photos/a.jpg",
      fix: expect.stringContaining("--by-file-name"),
    });
    expect(joinEvidence(truth, elsewhere, files, { byFileName: true }).images.length).toBe(2);
    expect(
      await complaint(() =>
        joinEvidence(truth, [seen("x/a.jpg"), seen("y/a.jpg")], files, { byFileName: true }),
      ),
    ).toMatchObject({ code: "duplicate-image", file: "o.json" });
  });

  test(
    "what was not observed, or could not be read, is refused or counted as missed and " + "named",
    async () => {
      expect(await complaint(() => joinEvidence(truth, [seen("q/a.jpg")], files))).toMatchObject({
        code: "observation-missing",
        found: "nothing for q/b.jpg",
      });
      const broken = { ...seen("q/a.jpg"), recognitions: [], error: "not a picture" };
      expect(joinEvidence(truth, [broken], files, { allowMissing: true }).unobserved).toEqual([
        { image: "q/a.jpg", why: "not a picture" },
        { image: "q/b.jpg", why: "not observed" },
      ]);
      expect(await complaint(() => joinEvidence([], [], files))).toMatchObject({
        code: "empty-truth",
        file: "t.json",
      });
    },
  );
});
