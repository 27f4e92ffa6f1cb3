import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { detectionsFromRecords, truthFromRecords } from "../../../datasets/formats/coco-records.js";
import { evaluateCoco } from "../../../src/eval/metrics/coco/coco.js";
import { openDetector } from "../../../src/pipeline/detection/detector.js";
import { decode } from "../../../src/pipeline/image/image.js";
import { iou } from "../../../src/pipeline/box.js";
import { cutGraph } from "../../../src/pipeline/onnx/derive-graph.js";
import { bytesField, concatBytes, fields, sameField } from "../../../src/pipeline/onnx/wire.js";
import { readOnnx } from "../../../src/pipeline/onnx/read-model.js";
import { Stopwatch } from "../../../src/pipeline/stopwatch.js";
import type { Box, Detection, Pixels } from "../../../src/pipeline/types.js";
import { complaintOf } from "../../complaint.js";
import { shared, sharedData } from "../../shared-data.js";
import {
  model,
  node,
  plainInput,
  sha256,
  tensor,
  value,
  writeModel,
} from "../onnx/onnx-builder.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "shitu-detector-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const card =
  `task: detection\ninput: { width: 8, height: 4, colour: rgb, ${plainInput} ` +
  `}\ndetection: { classes: 1 }`;
const picture = (width: number, height: number, fill = 255): Pixels => ({
  data: new Uint8Array(width * height * 3).fill(fill),
  width,
  height,
});

/**
 * A cut graph's outputs have no shapes, as its exporter did not say any inside: these are stated.
 */
function shaped(bytes: Uint8Array): Uint8Array {
  const names = { tmp_16: [1, 2125, 4], "concat_4.tmp_0": [1, 80, 2125] };
  return concatBytes(
    [...fields(bytes)]
      .map((field) => {
        if (field.number !== 7) return sameField(field);
        const parts = [...fields(field.bytes)].filter((part) => part.number !== 12).map(sameField);
        return bytesField(7, parts);
      })
      .concat(
        bytesField(
          7,
          Object.entries(names).map(([name, shape]) =>
            bytesField(12, value(name, "float32", shape)),
          ),
        ),
      ),
  );
}

/** Form a whose one box is [0, 1 x brightness, 1 / sx, 1 / sy, im_shape...]: shows what was fed. */
const echo = model({
  inputs: [
    value("scale_factor", "float32", [1, 2]),
    value("image", "float32", [1, 3, 4, 8]),
    value("im_shape", "float32", [1, 2]),
  ],
  outputs: [value("boxes", "float32", [1, 6]), value("count", "int32", [1])],
  nodes: [
    node("ReduceMax", ["image"], ["peak"], { keepdims: 0 }),
    node("Reshape", ["peak", "one-one"], ["score"]),
    node("Concat", ["zero", "score", "scale_factor", "im_shape"], ["boxes"], { axis: 1 }),
    node("Identity", ["n"], ["count"]),
  ],
  initializers: [
    tensor("zero", [1, 1], Float32Array.of(0)),
    tensor("one-one", [2], BigInt64Array.of(1n, 1n)),
    tensor("n", [1], Int32Array.of(1)),
  ],
});

describe("a detector", () => {
  it("feeds the picture, its size and the scale by their names, down before across", async () => {
    const detector = await openDetector(writeModel(folder, "echo", echo, card), {
      protocol: "paddleclas",
    });
    const [{ score, box }] = (await detector.detect(picture(16, 40))) as [Detection];
    expect(score).toBe(1); // the brightest value, 255 / 255
    expect(box).toEqual({ x0: Math.fround(4 / 40), y0: 0.5, x1: 4, y1: 8 });
    await detector.close();
  });

  it("takes boxes out of the frame that a letterbox puts a picture in", async () => {
    // 2 x 4 px in 8 x 4: scale 1, three columns left of it. The echo says scales and size.
    const framed = card.replace(
      "colour: rgb",
      "colour: rgb, letterbox: { place: centre, fill: 0 }",
    );
    const detector = await openDetector(writeModel(folder, "framed", echo, framed), {
      protocol: "paddleclas",
    });
    const [{ box }] = (await detector.detect(picture(2, 4))) as [Detection];
    expect(box).toEqual({ x0: 1 - 3, y0: 1, x1: 4 - 3, y1: 8 });
    // 4 x 1 px: scale 2, one row above: boxes come back in pixels of the picture, half a one up.
    const [wide] = await detector.detect(picture(4, 1));
    expect(wide!.box).toEqual({ x0: 2, y0: 2 - 0.5, x1: 4, y1: 8 - 0.5 });
    await detector.close();
  });

  it("tells a stopwatch of its two stages", async () => {
    const detector = await openDetector(writeModel(folder, "timed", echo, card));
    let now = 0;
    const watch = new Stopwatch(() => now++);
    await detector.detect(picture(4, 4), watch);
    expect(watch.stageMs).toEqual({ preprocess: 1, detect: 1 });
    await detector.close();
  });

  it(
    "clips boxes to the picture and drops empty " + "ones, under the standard protocol only",
    async () => {
      const fixed = model({
        inputs: [value("image", "float32", [1, 3, 4, 8])],
        outputs: [value("boxes", "float32", [3, 6])],
        nodes: [node("Identity", ["b"], ["boxes"])],
        initializers: [
          tensor(
            "b",
            [3, 6],
            Float32Array.of(0, 0.9, -5, -6, 50, 7, 0, 0.8, 20, 0, 30, 10, 0, 0.7, 1, 2, 3, 4),
          ),
        ],
      });
      const path = writeModel(folder, "clip", fixed, card);
      const standard = await openDetector(path);
      expect((await standard.detect(picture(16, 40))).map((d) => d.box)).toEqual([
        { x0: 0, y0: 0, x1: 16, y1: 7 },
        { x0: 1, y0: 2, x1: 3, y1: 4 },
      ]);
      const quirk = await openDetector(path, { protocol: "paddleclas" });
      expect((await quirk.detect(picture(16, 40))).map((d) => d.box.x0)).toEqual([-5, 20, 1]);
      await Promise.all([standard.close(), quirk.close()]);
    },
  );

  it("takes pictures side by side without mixing them up", async () => {
    const detector = await openDetector(writeModel(folder, "many", echo, card), {
      protocol: "paddleclas",
    });
    const found = await Promise.all(
      [10, 60, 110, 160].map((fill) => detector.detect(picture(9, 9, fill))),
    );
    expect(found.map(([d]) => Math.round(d!.score * 255))).toEqual([10, 60, 110, 160]);
    await detector.close();
  });

  it("turns NaN in the output into an error that names the model", async () => {
    const broken = model({
      inputs: [value("image", "float32", [1, 3, 4, 8])],
      outputs: [value("boxes", "float32", [1, 6])],
      nodes: [node("Identity", ["b"], ["boxes"])],
      initializers: [tensor("b", [1, 6], Float32Array.of(0, NaN, 1, 1, 2, 2))],
    });
    const detector = await openDetector(writeModel(folder, "nan", broken, card));
    expect(await complaintOf(detector.detect(picture(4, 4)))).toMatchObject({
      code: "model-output",
      file: join(folder, "nan.onnx"),
      found: "NaN in box 0",
    });
    await detector.close();
  });

  it("fails on a picture, not for good: suppression inside a graph may break on some", async () => {
    // Picks row 9 of 1 on a white picture, row 0 on a black one.
    const fragile = model({
      inputs: [value("image", "float32", [1, 3, 4, 8])],
      outputs: [value("boxes", "float32", ["n", 6])],
      nodes: [
        node("ReduceMax", ["image"], ["peak"], { keepdims: 0 }),
        node("Mul", ["peak", "nine"], ["far"]),
        node("Cast", ["far"], ["row"], { to: 7 }),
        node("Reshape", ["row", "one"], ["rows"]),
        node("Gather", ["b", "rows"], ["boxes"]),
      ],
      initializers: [
        tensor("nine", [], Float32Array.of(9)),
        tensor("one", [1], BigInt64Array.of(1n)),
        tensor("b", [1, 6], Float32Array.of(0, 0.9, 1, 1, 2, 2)),
      ],
    });
    const detector = await openDetector(writeModel(folder, "fragile", fragile, card));
    expect(await detector.detect(picture(4, 4, 0))).toHaveLength(1);
    expect(await complaintOf(detector.detect(picture(4, 4, 255)))).toMatchObject({
      code: "model-run-failed",
      file: join(folder, "fragile.onnx"),
    });
    expect(await detector.detect(picture(4, 4, 0))).toHaveLength(1);
    await detector.close();
  });

  it("can be the whole-image baseline", async () => {
    const path = join(folder, "whole.yaml");
    writeFileSync(
      path,
      'schema: 1\nname: whole-image\nversion: "1"\ntask: detection\nbaseline: whole-image\n',
    );
    const detector = await openDetector(path);
    expect(await detector.detect(picture(3, 2))).toEqual([
      { box: { x0: 0, y0: 0, x1: 3, y1: 2 }, score: 1, classId: 0 },
    ]);
    expect(detector.version).toMatch(/^[0-9a-f]{64}$/);
    await detector.close();
  });
});

const imageNet = "scale: 1/255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]";
const at320 = (interpolation: string): string =>
  `task: detection\ninput: { width: 320, height: 320, colour: rgb, ${imageNet}, ` +
  `interpolation: ${interpolation} }\ndetection: { classes: 80 }`;

describe.skipIf(!sharedData)("real PicoDet exports on the raccoon photos", () => {
  /** COCO's numbers, classes aside, by the project's evaluator. */
  const evaluate = async (
    cardFile: string,
    pictures: readonly { file: string; boxes: readonly Box[] }[],
  ) => {
    const detector = await openDetector(cardFile);
    const found = [];
    for (const { file } of pictures) found.push(await detector.detect(await decode(file)));
    await detector.close();
    const bbox = ({ x0, y0, x1, y1 }: Box): number[] => [x0, y0, x1 - x0, y1 - y0];
    const truth = truthFromRecords({
      images: pictures.map((_, id) => ({ id })),
      categories: [{ id: 1, name: "raccoon" }],
      annotations: pictures
        .flatMap(({ boxes }, image_id) =>
          boxes.map((b) => ({
            image_id,
            category_id: 1,
            bbox: bbox(b),
            area: (b.x1 - b.x0) * (b.y1 - b.y0),
          })),
        )
        .map((a, id) => ({ ...a, id: id + 1 })),
    });
    const detections = detectionsFromRecords(
      truth,
      found.flatMap((list, image_id) =>
        list.map(({ box, score }) => ({ image_id, category_id: 1, bbox: bbox(box), score })),
      ),
    );
    const { summary } = evaluateCoco(truth, detections);
    const score = (name: string): number => summary.find((s) => s.metric === name)!.value!;
    return { ap: score("AP"), ap50: score("AP50"), ar1: score("AR@1") };
  };
  const truths = (file: string) =>
    [
      ...readFileSync(file, "utf8").matchAll(
        /<xmin>(\d+)<\/xmin>\s*<ymin>(\d+)<\/ymin>\s*<xmax>(\d+)<\/xmax>\s*<ymax>(\d+)<\/ymax>/g,
      ),
    ].map(([, x0, y0, x1, y1]) => ({
      x0: Number(x0),
      y0: Number(y0),
      x1: Number(x1),
      y1: Number(y1),
    }));
  const photos = (every: number) =>
    readdirSync(shared("raccoon", "annotations"))
      .sort()
      .filter((_, i) => i % every === 0)
      .map((name) => ({
        file: shared("raccoon", "images", name.replace(".xml", ".jpg")),
        boxes: truths(shared("raccoon", "annotations", name)),
      }));
  const cardFor = (
    name: string,
    file: string,
    rest: string,
    bytes = readFileSync(file),
  ): string => {
    const path = writeModel(folder, name, bytes, rest);
    rmSync(join(folder, `${name}.onnx`));
    symlinkSync(file, join(folder, `${name}.onnx`));
    return path;
  };

  it("the same network in form a and in form b gives the same boxes", async () => {
    // The front part of form a, ending before its own scaling and suppression, is form b.
    const source = await readOnnx(shared("models/picodet/picodet_xs_320_lcnet_postprocessed.onnx"));
    const decoded = cutGraph(source, ["tmp_16", "concat_4.tmp_0"]);
    expect(sha256(decoded)).not.toBe(sha256(source.bytes));
    const a = await openDetector(
      cardFor("xs-a", source.file, at320("cubic").replace("classes", "form: nms-inside, classes")),
      { protocol: "paddleclas" },
    );
    // Shapes are not inferred by the exporter, so form b is given them as it would have them.
    const b = await openDetector(
      writeModel(
        folder,
        "xs-b",
        shaped(decoded),
        at320("cubic").replace("classes", "form: decoded, classes"),
      ),
      { protocol: "paddleclas" },
    );
    let compared = 0;
    for (const { file } of photos(40)) {
      const pixels = await decode(file);
      const [ours, theirs] = [await b.detect(pixels), await a.detect(pixels)];
      expect(ours.length).toBe(theirs.length);
      ours.forEach((d, i) => {
        expect(d.score).toBeCloseTo(theirs[i]!.score, 5);
        const twin = theirs.find((t) => t.classId === d.classId && iou(t.box, d.box) > 0.9999);
        expect(twin, basename(file)).toBeDefined();
        compared++;
      });
    }
    expect(compared).toBeGreaterThan(100);
    await Promise.all([a.close(), b.close()]);
  });

  // On all 200 photos PicoDet-XS reaches AP 0.418, AP50 0.734, AR@1 0.521 so, and 0.418, 0.736,
  // 0.514 (the published reference) with Pillow's antialiased bilinear resize in place of OpenCV's
  // linear one; with cubic 0.426, 0.743, 0.523.
  it("PicoDet-XS, form a: average precision on a quarter of the photos", async () => {
    const scores = await evaluate(
      cardFor(
        "xs",
        shared("models/picodet/picodet_xs_320_lcnet_postprocessed.onnx"),
        at320("linear"),
      ),
      photos(4),
    );
    expect(scores.ap).toBeCloseTo(0.4288, 2);
    expect(scores.ap50).toBeCloseTo(0.7268, 2);
    expect(scores.ar1).toBeCloseTo(0.534, 2);
  }, 60_000);

  it("PicoDet-S, form c: average precision on an eighth of the photos", async () => {
    const scores = await evaluate(
      cardFor("s", shared("models/picodet/picodet_s_320_coco.onnx"), at320("cubic")),
      photos(8),
    );
    expect(scores.ap).toBeCloseTo(0.5042, 2);
    expect(scores.ap50).toBeCloseTo(0.8089, 2);
    expect(scores.ar1).toBeCloseTo(0.55, 2);
  }, 60_000);
});
