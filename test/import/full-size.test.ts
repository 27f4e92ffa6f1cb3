import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { npyTensor } from "./npy-tensor.js";
import { importFolder, relativeDifference, runImported } from "./run-imported.js";

/** Networks at full size, by test/golden/paddle-full/make.py; skipped where they are absent. */
const folder = process.env.SHITU_PADDLE_FULL;
const networks =
  folder !== undefined && existsSync(folder)
    ? readdirSync(folder).filter((name) => existsSync(join(folder, name, "y2_1.npy")))
    : [];

describe.skipIf(networks.length === 0)("PaddleClas's networks at full size", () => {
  it.each(networks)(
    "%s gives Paddle's outputs on three inputs, batch 1 and 2",
    async (network) => {
      const place = join(folder!, network);
      const imported = await importFolder(place);
      for (const i of [0, 1, 2]) {
        const x = npyTensor(join(place, `x${i}.npy`));
        const [both] = await runImported(imported, [x]);
        const y = npyTensor(join(place, `y${i}.npy`));
        expect(relativeDifference(both!, y), `input ${i}, batch 2`).toBeLessThan(1e-5);
        const one = first(x);
        const [single] = await runImported(imported, [one]);
        const y1 = npyTensor(join(place, `y${i}_1.npy`));
        expect(relativeDifference(single!, y1), `input ${i}, batch 1`).toBeLessThan(1e-5);
      }
    },
    300_000,
  );
});

/** The first picture of a batch. */
function first({ data, dims }: Tensor): Tensor {
  const size = data.length / dims[0]!;
  return new Tensor("float32", (data as Float32Array).slice(0, size), [1, ...dims.slice(1)]);
}

const yolo = join(folder ?? "", "PPYOLOv2");

describe.skipIf(!existsSync(join(yolo, "scores2_2.npy")))("PP-YOLOv2 at full size", () => {
  it.each([1, 2])(
    "gives Paddle's boxes and scores before suppression on three inputs, batch %i",
    async (batch) => {
      const imported = await importFolder(yolo, { form: "decoded", opset: 19, batch });
      for (const i of [0, 1, 2]) {
        const of = (name: string) => npyTensor(join(yolo, `${name}${i}_${batch}.npy`));
        const [boxes, scores] = await runImported(imported, [of("x")]);
        expect(relativeDifference(boxes!, of("boxes")), `boxes ${i}`).toBeLessThan(1e-5);
        expect(relativeDifference(scores!, of("scores")), `scores ${i}`).toBeLessThan(1e-5);
      }
    },
    600_000,
  );
});
