import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCocoDetections, readCocoTruth } from "../../../datasets/formats/coco-json.js";
import { readNpy } from "../../../datasets/formats/npy.js";
import { cocoParameters } from "../../../src/eval/metrics/coco/coco-parameters.js";
import { accepted } from "../../../src/pipeline/acceptance.js";
import { iou } from "../../../src/pipeline/box.js";
import { cardSchema } from "../../../src/pipeline/model/card.js";
import { matrixOutput, mismatchIn } from "../../../src/pipeline/model/card-check.js";
import { rulesOf } from "../../../src/pipeline/protocol.js";
import { complaintOf } from "../../complaint.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lenient-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("read where the reference reads", () => {
  it("area, iscrowd and ignore of null are none", () => {
    const file = join(folder, "null.json");
    const box = { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 4, 8] };
    const annotations = [{ ...box, area: null, iscrowd: null, ignore: null }];
    const text = JSON.stringify({ images: [{ id: 1 }], categories: [{ id: 1 }], annotations });
    writeFileSync(file, text);
    const { area, crowd, ignore } = readCocoTruth(file);
    expect([[...area], [...crowd], [...ignore]]).toEqual([[32], [0], [0]]);
  });

  it.each(["image_id", "bbox"])("but %s of null is refused", async (key) => {
    const file = join(folder, `${key}.json`);
    const box = { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 4, 8], [key]: null };
    const lists = { images: [{ id: 1 }], categories: [{ id: 1 }], annotations: [box] };
    writeFileSync(file, JSON.stringify(lists));
    expect(await complaintOf(() => readCocoTruth(file))).toMatchObject({ found: /null/ });
  });

  it("a .npy header in double quotes", async () => {
    const header = '{"descr": "<f4", "fortran_order": False, "shape": (2, 1), }';
    const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}\n`, "latin1");
    head.writeUInt16LE(header.length + 1, 8);
    const values = Buffer.from(Float32Array.of(1.5, -2).buffer);
    writeFileSync(join(folder, "quotes.npy"), Buffer.concat([head, values]));
    expect(await readNpy(join(folder, "quotes.npy"))).toMatchObject({
      shape: [2, 1],
      data: Float32Array.of(1.5, -2),
    });
  });

  it("an output that a pooling left as [N, D, 1, 1]", async () => {
    const port = (shape: number[]) => [{ name: "e", dtype: "float32" as const, shape }];
    const paths = ["recognition.output", "recognition.size", 8] as const;
    const check = (shape: number[]) => matrixOutput(port(shape), undefined, paths, mismatchIn("c"));
    expect(check([1, 8, 1, 1]).name).toBe("e");
    expect(await complaintOf(() => check([1, 8, 2, 1]))).toMatchObject({ code: "card-mismatch" });
    expect(await complaintOf(() => check([1, 9, 1, 1]))).toMatchObject({ expected: "8" });
  });
});

describe("64-bit ids", () => {
  const [first, second] = ["1700000000123456789", "1700000000123456790"];
  const box = '"bbox": [0, 0, 4, 4]';
  const truth = (): string => {
    const file = join(folder, "wide.json");
    const images = [second, "5", first].map((id) => `{"id": ${id}}`).join(", ");
    const annotations = [
      `{"id": 9007199254740993, "image_id": ${first}, "category_id": 1, ${box}}`,
      `{"id": 9007199254740992, "image_id": ${second}, "category_id": 1, ${box}}`,
      `{"id": 1, "image_id": 5, "category_id": 1, ${box}}`,
    ];
    const text = `{"images": [${images}], "categories": [{"id": 1}], `;
    writeFileSync(file, `${text}"annotations": [${annotations.join(", ")}]}`);
    return file;
  };

  it("are kept as text to the last digit, in order of number", () => {
    const { images, image, notes } = readCocoTruth(truth());
    expect(images.map((i) => i.id)).toEqual(["5", first, second]);
    expect([[...image], notes.map((n) => n.code)]).toEqual([[1, 2, 0], ["area-missing"]]);
  });

  it("find their detections, small ids beside them too", () => {
    const found = join(folder, "wide-found.json");
    const records = [second, first, "5"].map(
      (id) => `{"image_id": ${id}, "category_id": 1, ${box}, "score": 0.5}`,
    );
    writeFileSync(found, `[${records.join(", ")}]`);
    expect([...readCocoDetections(found, readCocoTruth(truth())).image]).toEqual([2, 1, 0]);
  });

  it("that are not there are named as they are", async () => {
    const found = join(folder, "wide-unknown.json");
    writeFileSync(
      found,
      `[{"image_id": 1700000000123456791, "category_id": 1, ${box}, "score": 0.5}]`,
    );
    const read = readCocoTruth(truth());
    expect(await complaintOf(() => readCocoDetections(found, read))).toMatchObject({
      code: "unknown-image",
      found: '"1700000000123456791"',
    });
  });
});

describe("one rule, and refused by name", () => {
  it("a box without area overlaps itself, and nothing else", () => {
    const line = { x0: 3, y0: 4, x1: 9, y1: 4 };
    expect([iou(line, line), iou(line, { ...line, x1: 8 })]).toEqual([1, 0]);
    expect(iou(line, { x0: 0, y0: 0, x1: 20, y1: 20 })).toBe(0);
  });

  it("areas below 0", async () => {
    const areas = [{ name: "s", min: -5, max: 10 }];
    expect(await complaintOf(() => cocoParameters({ areas }))).toMatchObject({ path: "areas" });
  });

  it("an answer whose score is NaN", async () => {
    const rule = { better: "higher", suppressIou: null, rules: rulesOf("standard") } as const;
    const box = { x0: 0, y0: 0, x1: 1, y1: 1 };
    const answers = [
      { box, label: "a", score: 0.5 },
      { box, label: "b", score: NaN },
    ];
    expect(await complaintOf(() => accepted(answers, rule, 0.1))).toMatchObject({
      code: "score-not-finite",
      path: "recognitions[1].score",
    });
  });

  it.each([
    [[7, "a"], 'put it in quotes: "7"'],
    [["a", "a"], "expected each name once"],
    [[], "Too small"],
  ])("classes %j of a card", (classes, message) => {
    const card = {
      ...{ schema: 1, name: "m", version: "1", task: "detection", file: "m.onnx" },
      ...{ sha256: "0".repeat(64), licence: "x", origin: "x", detection: { classes } },
      input: {
        ...{ width: 8, height: 8, colour: "rgb", scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
        interpolation: "linear",
      },
    };
    expect(JSON.stringify(cardSchema.safeParse(card).error?.issues)).toContain(
      JSON.stringify(message).slice(1, -1),
    );
  });
});
