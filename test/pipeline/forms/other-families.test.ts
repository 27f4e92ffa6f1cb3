import { describe, expect, it } from "vitest";
import {
  OutputError,
  type DecodeContext,
  type FormOutput,
  type Output,
} from "../../../src/pipeline/forms/detector-form.js";
import { decodeOutputs, explainForm } from "../../../src/pipeline/forms/forms.js";
import { gridOfAnchors } from "../../../src/pipeline/forms/yolo-grid.js";

const out = (name: string, ...shape: (number | string | null)[]): FormOutput => ({ name, shape });
const at640 = { width: 640, height: 640, strides: [8, 16, 32, 64] };

describe("families told apart by the shapes of their outputs", () => {
  it.each<[string, FormOutput[], object]>([
    ["YOLOX", [out("output", 1, 8400, 85)], { form: "yolox", classes: 80 }],
    ["YOLOX, one class", [out("output", "n", 8400, 6)], { form: "yolox", classes: 1 }],
    ["YOLOv8", [out("output0", 1, 84, 8400)], { form: "yolov8", classes: 80 }],
    [
      "PP-YOLOE without suppression",
      [out("b", 1, 8400, 4), out("s", 1, 80, 8400)],
      { form: "decoded", classes: 80 },
    ],
    [
      "RT-DETR, boxes beside logits",
      [out("logits", 1, 300, 80), out("pred_boxes", 1, 300, 4)],
      { form: "queries", classes: 80, boxes: "pred_boxes" },
    ],
    ["RT-DETR in one output", [out("output0", 1, 300, 84)], { form: "queries", classes: 80 }],
    [
      "PicoDet at 320, scores last",
      [out("b", 1, 2125, 4), out("s", 1, 2125, 80)],
      { form: "decoded", classFirst: false },
    ],
  ])("%s", (name, outputs, roles) => {
    const at = name.includes("320") ? { ...at640, width: 320, height: 320 } : at640;
    const found = explainForm(outputs, at);
    expect(found.roles).toMatchObject(roles);
    expect(found.why.length).toBeGreaterThan(1);
  });

  it("knows square inputs of any size by their 21 k squared cells", () => {
    expect(gridOfAnchors(3549, {})).toMatchObject([
      { columns: 52 },
      { columns: 26 },
      { columns: 13 },
    ]);
    expect(gridOfAnchors(3550, {})).toBeNull();
    expect(gridOfAnchors(8400, { width: 640, height: 384 })).toBeNull();
    expect(gridOfAnchors(5040, { width: 640, height: 384 })).toMatchObject([{ rows: 48 }, {}, {}]);
  });

  it("explains each refusal where none fits: YOLOv5 has three boxes a cell", () => {
    const { form, why } = explainForm([out("output", 1, 25200, 85)], at640);
    expect(form).toBeNull();
    expect(why.join("\n")).toMatch(/not yolox: .*not 5 \+ C numbers for each cell/);
    expect(why.join("\n")).toMatch(/not queries: .*not at most 1000 queries/);
  });

  it("does not take queries for shares of an input whose size is open", () => {
    expect(explainForm([out("output0", 1, 300, 84)]).form).toBeNull();
  });
});

const context: DecodeContext = {
  scaleX: 1,
  scaleY: 1,
  suppression: { scoreThreshold: 0.1, iou: 0.6, candidates: 1000, keep: 100 },
};
const output = (dims: readonly number[], data: readonly number[]): Output => ({
  dims,
  data: Float32Array.from(data),
});
/** Decodes the only output of a made-up network of 32 x 32 px: 16, 4 and 1 cells. */
function decode(
  shape: FormOutput[],
  data: Record<string, number[]>,
  more: Partial<DecodeContext> = {},
) {
  const { roles } = explainForm(shape, { width: 32, height: 32, strides: [8, 16, 32, 64] });
  const outputs = {
    output: (name: string) =>
      output(shape.find((s) => s.name === name)!.shape as number[], data[name]!),
    count: () => null,
  };
  return decodeOutputs(roles!, outputs, { ...context, ...more });
}

describe("YOLOX", () => {
  const rows = (...set: [number, number[]][]): number[] => {
    const all = Array.from({ length: 21 }, () => [0, 0, 0, 0, 0, 0, 0]);
    for (const [row, values] of set) all[row] = values;
    return all.flat();
  };
  const shape = [out("o", 1, 21, 7)];

  it("takes offsets in strides from the cell, sizes from logarithms, scores as products", () => {
    // Row 5: stride 8, column 1, row 1: middle (1.5, 1.25) strides = (12, 10), 8 x 16 px.
    // Row 18: stride 16, column 0, row 1: middle (8, 24), 16 x 16 px.
    // Row 20: stride 32: object .5 times .1 is below the threshold.
    const found = decode(shape, {
      o: rows(
        [5, [0.5, 0.25, 0, Math.log(2), 0.5, 0.5, 0.25]],
        [18, [0.5, 0.5, 0, 0, 1, 0, 0.75]],
        [20, [0, 0, 0, 0, 0.5, 0.1, 0.1]],
      ),
    });
    expect(found).toEqual([
      { box: { x0: 0, y0: 16, x1: 16, y1: 32 }, score: 0.75, classId: 1 },
      { box: { x0: 8, y0: 2, x1: 16, y1: 18 }, score: 0.25, classId: 0 },
      { box: { x0: 8, y0: 2, x1: 16, y1: 18 }, score: 0.125, classId: 1 },
    ]);
  });

  it("suppresses within a class, in pixels of the picture", () => {
    const twin = [0.5, 0.5, 0, 0, 1, 0.9, 0];
    const near = [-0.4, 0.5, 0, 0, 1, 0.8, 0];
    const found = decode(shape, { o: rows([5, twin], [6, near]) }, { scaleX: 2, scaleY: 4 });
    // Row 6 lies one stride to the right, .9 of it back: IoU 7.2 / 8.8 = .82.
    expect(found.map((d) => d.box)).toEqual([{ x0: 4, y0: 2, x1: 8, y1: 4 }]);
  });

  it("refuses another number of rows, and NaN", () => {
    expect(() => decode(shape, { o: [1, 2, 3] })).toThrow(OutputError);
    expect(() => decode(shape, { o: rows([0, [0, 0, 0, 0, NaN, 1, 1]]) })).toThrow(/NaN/);
  });
});

describe("YOLOv8", () => {
  it("takes columns of middle, size and classes, in pixels of the input", () => {
    const columns = Array.from({ length: 6 }, () => Array<number>(21).fill(0));
    [10, 20, 4, 8, 0.3, 0.75].forEach((v, row) => (columns[row]![7] = v));
    const found = decode([out("o", 1, 6, 21)], { o: columns.flat() }, { scaleX: 0.5 });
    expect(found).toEqual([
      { box: { x0: 16, y0: 16, x1: 24, y1: 24 }, score: 0.75, classId: 1 },
      { box: { x0: 16, y0: 16, x1: 24, y1: 24 }, score: Math.fround(0.3), classId: 0 },
    ]);
  });
});

describe("queries", () => {
  // Middle and size as shares of 32 px: (8, 16), 16 x 8.
  const box = [0.25, 0.5, 0.5, 0.25];
  const corners = { x0: 0, y0: 12, x1: 16, y1: 20 };

  it("are boxes for each query and class above the threshold, with nothing suppressed", () => {
    const shape = [out("l", 1, 2, 2), out("b", 1, 2, 4)];
    const found = decode(shape, { l: [0.75, 0.2, 0.5, 0.05], b: [...box, ...box] });
    expect(found).toEqual([
      { box: corners, score: 0.75, classId: 0 },
      { box: corners, score: 0.5, classId: 0 },
      { box: corners, score: Math.fround(0.2), classId: 1 },
    ]);
  });

  it("take scores beyond 0 and 1 for logits, and keep the best", () => {
    const shape = [out("l", 1, 2, 1), out("b", 1, 2, 4)];
    const suppression = { ...context.suppression, keep: 1 };
    const found = decode(shape, { l: [0, 2], b: [...box, ...box] }, { suppression });
    expect(found.map((d) => d.score)).toEqual([1 / (1 + Math.exp(-2))]);
  });

  it("may come side by side, scaled to the picture", () => {
    const found = decode([out("o", 1, 1, 6)], { o: [...box, 0.5, 0] }, { scaleX: 0.5, scaleY: 2 });
    expect(found).toEqual([{ box: { x0: 0, y0: 6, x1: 32, y1: 10 }, score: 0.5, classId: 0 }]);
  });

  it("refuse NaN", () => {
    const shape = [out("l", 1, 1, 1), out("b", 1, 1, 4)];
    expect(() => decode(shape, { l: [NaN], b: box })).toThrow(/NaN in the scores/);
    expect(() => decode(shape, { l: [0.5], b: [NaN, 0, 0, 0] })).toThrow(/NaN in box 0/);
  });
});
