import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toTensor, usePreprocessingKernel } from "../../../src/pipeline/image/preprocess.js";
import { resizeKernel } from "../../../src/pipeline/image/resize-kernel.js";
import { patchOf, resize } from "../../../src/pipeline/image/resize.js";
import type { Pixels, Preprocessing } from "../../../src/pipeline/types.js";
import { kernels } from "./preprocess-kernels.js";

interface Case {
  readonly picture: string;
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  readonly window: [number, number, number, number];
  readonly width: number;
  readonly height: number;
  readonly source: number;
  readonly linear: number;
  readonly cubic: number;
}

interface TensorCase {
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  readonly source: number;
  readonly tensor: number;
  readonly spec: Preprocessing;
}

const folder = new URL("../../golden/resize/", import.meta.url);
const index = JSON.parse(readFileSync(new URL("goldens.json", folder), "utf8")) as {
  sha256: string;
  cases: Case[];
  tensors: TensorCase[];
};
const bytes = new Uint8Array(inflateSync(readFileSync(new URL("goldens.bin", folder))));

function source({
  sourceWidth: width,
  sourceHeight: height,
  source,
}: {
  sourceWidth: number;
  sourceHeight: number;
  source: number;
}): Pixels {
  return { data: bytes.subarray(source, source + width * height * 3), width, height };
}

test("the goldens are those that the recipe wrote", () => {
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(index.sha256);
  expect(index.cases.length).toBeGreaterThanOrEqual(34);
});

describe.each(kernels)("OpenCV's pictures, %s kernel", (kernel) => {
  beforeAll(() => usePreprocessingKernel(kernel));
  afterAll(() => usePreprocessingKernel("automatic"));

  const named = index.cases.map(
    (c) =>
      [
        `${c.picture} ${c.sourceWidth}x${c.sourceHeight}[${c.window.join(",")}] to ` +
          `${c.width}x${c.height}`,
        c,
      ] as const,
  );
  test.each(named)("%s", (_, c) => {
    const pixels = source(c);
    const [x0, y0, x1, y1] = c.window;
    const whole = x0 === 0 && y0 === 0 && x1 === c.sourceWidth && y1 === c.sourceHeight;
    for (const interpolation of ["linear", "cubic"] as const) {
      const expected = bytes.subarray(c[interpolation], c[interpolation] + c.width * c.height * 3);
      const windowed = new Uint8Array(c.width * c.height * 3);
      resizeKernel().toBytes(
        patchOf(pixels, { x0, y0, x1, y1 }),
        c.width,
        c.height,
        interpolation,
        windowed,
      );
      expect(Buffer.compare(windowed, expected), interpolation).toBe(0);
      if (whole)
        expect(
          Buffer.compare(resize(pixels, c.width, c.height, interpolation).data, expected),
          interpolation,
        ).toBe(0);
    }
  });

  test.each(
    index.tensors.map(
      (c) =>
        [
          `${c.spec.colour} ${c.spec.layout} ${c.spec.interpolation} scale ${c.spec.scale}`,
          c,
        ] as const,
    ),
  )("NumPy's tensor, %s", (_, c) => {
    const length = c.spec.width * c.spec.height * 3;
    const expected = new Float32Array(bytes.slice(c.tensor, c.tensor + length * 4).buffer);
    expect(toTensor(source(c), c.spec)).toEqual(expected);
  });
});
