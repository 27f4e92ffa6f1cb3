import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { crop } from "../../../src/pipeline/image/image.js";
import {
  preprocessingKernel,
  tensorLength,
  toTensor,
  usePreprocessingKernel,
} from "../../../src/pipeline/image/preprocess.js";
import { resize, shortSideSize } from "../../../src/pipeline/image/resize.js";
import type { Box, Pixels, Preprocessing } from "../../../src/pipeline/types.js";
import { kernels } from "./preprocess-kernels.js";

afterEach(() => {
  usePreprocessingKernel("automatic");
  vi.unstubAllEnvs();
});

const imagenet = {
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} as const;
const spec: Preprocessing = {
  width: 5,
  height: 4,
  interpolation: "linear",
  colour: "rgb",
  layout: "nchw",
  ...imagenet,
};

const size = fc.integer({ min: 1, max: 40 });
const number = fc.double({ min: -300, max: 300, noNaN: true });
const positive = fc.double({ min: 0.01, max: 300, noNaN: true });
const specs = fc.record<Preprocessing>({
  width: size,
  height: size,
  interpolation: fc.constantFrom("linear", "cubic"),
  colour: fc.constantFrom("rgb", "bgr"),
  layout: fc.constantFrom("nchw", "nhwc"),
  scale: fc.constantFrom(1, 1 / 255),
  mean: fc.tuple(number, number, number),
  std: fc.tuple(positive, positive, positive),
});

/** A picture of noise and a window of it. */
const windowed = fc
  .record({ width: size, height: size, seed: fc.integer() })
  .chain(({ width, height, seed }) => {
    let state = seed >>> 0;
    const data = Uint8Array.from(
      { length: width * height * 3 },
      () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24,
    );
    const span = (length: number) =>
      fc
        .tuple(fc.nat({ max: length - 1 }), fc.nat({ max: length - 1 }))
        .map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const);
    return fc.tuple(span(width), span(height)).map(([[x0, x1], [y0, y1]]) => ({
      pixels: { data, width, height } as Pixels,
      box: { x0, y0, x1, y1 } as Box,
    }));
  });

/** The two steps that `toTensor` fuses, written as NumPy would do them. */
function twoSteps(
  pixels: Pixels,
  { width, height, interpolation, colour, layout, scale, mean, std }: Preprocessing,
  window: Box,
): Float32Array {
  const f = Math.fround;
  const { data } = resize(crop(pixels, window), width, height, interpolation);
  const out = new Float32Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const value = data[(y * width + x) * 3 + (colour === "bgr" ? 2 - c : c)]!;
        const at = layout === "nchw" ? (c * height + y) * width + x : (y * width + x) * 3 + c;
        out[at] = f(f(f(value * f(scale)) - f(mean[c]!)) / f(std[c]!));
      }
    }
  }
  return out;
}

describe.each(kernels)("%s kernel", (kernel) => {
  test("one pass gives what crop, resize and normalise give", () => {
    fc.assert(
      fc.property(windowed, specs, ({ pixels, box }, s) => {
        usePreprocessingKernel("typescript");
        const expected = twoSteps(pixels, s, box);
        usePreprocessingKernel(kernel);
        expect(toTensor(pixels, s, undefined, box)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test("a batch is filled picture after picture, and nothing beside it is touched", () => {
    usePreprocessingKernel(kernel);
    const pixels = (value: number): Pixels => ({
      data: new Uint8Array(7 * 6 * 3).fill(value),
      width: 7,
      height: 6,
    });
    const length = tensorLength(spec);
    const out = new Float32Array(2 * length + 2).fill(-99);
    const first = toTensor(pixels(10), spec, { out, offset: 1 });
    const second = toTensor(pixels(250), spec, { out, offset: 1 + length });
    expect(first.buffer).toBe(out.buffer);
    expect(first.length).toBe(length);
    expect(first).toEqual(toTensor(pixels(10), spec));
    expect(second).toEqual(toTensor(pixels(250), spec));
    expect([out[0], out.at(-1)]).toEqual([-99, -99]);
  });

  test("hand-worked: one pixel, ImageNet's mean and deviation", () => {
    usePreprocessingKernel(kernel);
    const pixel = { data: Uint8Array.of(255, 128, 0), width: 1, height: 1 };
    const one = { ...spec, width: 1, height: 1 };
    const close = (values: Float32Array, expected: number[]): void =>
      expected.forEach((e, i) => expect(values[i]).toBeCloseTo(e, 5));
    close(toTensor(pixel, one), [2.2489083, 0.2051821, -1.8044444]);
    // In BGR the first mean belongs to blue: mean and std follow the tensor's order.
    close(toTensor(pixel, { ...one, colour: "bgr" }), [
      (0 - 0.485) / 0.229,
      (128 / 255 - 0.456) / 0.224,
      (1 - 0.406) / 0.225,
    ]);
  });

  const pixels = { data: new Uint8Array(4 * 3 * 3), width: 4, height: 3 };
  test.each<[string, Box]>([
    ["empty", { x0: 1, y0: 0, x1: 1, y1: 3 }],
    ["turned round", { x0: 3, y0: 0, x1: 1, y1: 3 }],
    ["beyond the right edge", { x0: 0, y0: 0, x1: 5, y1: 3 }],
    ["beyond the top", { x0: 0, y0: -1, x1: 4, y1: 3 }],
    ["between pixels", { x0: 0.5, y0: 0, x1: 4, y1: 3 }],
    ["not a number", { x0: NaN, y0: 0, x1: 4, y1: 3 }],
  ])("refuses a window that is %s", (_, box) => {
    usePreprocessingKernel(kernel);
    expect(() => toTensor(pixels, spec, undefined, box)).toThrow(RangeError);
  });

  test.each([-1, 0.5, 1, NaN])("refuses an offset of %s where there is no room", (offset) => {
    usePreprocessingKernel(kernel);
    expect(() =>
      toTensor(pixels, spec, { out: new Float32Array(tensorLength(spec)), offset }),
    ).toThrow(RangeError);
  });
});

describe("the choice of a kernel", () => {
  test.each(kernels)("%s can be asked for", (kernel) => {
    usePreprocessingKernel(kernel);
    expect(preprocessingKernel()).toBe(kernel);
  });

  test("the environment decides where nothing is asked for", () => {
    vi.stubEnv("SHITU_PREPROCESSING", "typescript");
    usePreprocessingKernel("automatic");
    expect(preprocessingKernel()).toBe("typescript");
  });

  test("left alone it is the best one there is", () => {
    vi.stubEnv("SHITU_PREPROCESSING", "");
    usePreprocessingKernel("automatic");
    expect(preprocessingKernel()).toBe(kernels.at(-1));
  });

  test("an unknown name is refused with the known ones", () => {
    vi.stubEnv("SHITU_PREPROCESSING", "fast");
    usePreprocessingKernel("automatic");
    expect(() => preprocessingKernel()).toThrow(
      /expected automatic, native or typescript, found fast/,
    );
  });
});

describe("a resize of the shorter side before a crop", () => {
  /** 4 x 2 px: columns 10, 20, 30, 40 in every channel. */
  const wide: Pixels = {
    data: Uint8Array.from({ length: 24 }, (_, i) => 10 * (1 + (Math.floor(i / 3) % 4))),
    width: 4,
    height: 2,
  };
  const plain = { ...spec, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] } as const;

  test("keeps the aspect ratio and takes the middle", () => {
    const middle = toTensor(wide, { ...plain, resizeShort: 2, width: 2, height: 2 });
    expect([...middle.subarray(0, 4)]).toEqual([20, 30, 20, 30]);
    const stretch = toTensor(wide, { ...plain, width: 2, height: 2 });
    expect([...stretch.subarray(0, 4)]).toEqual([15, 35, 15, 35]);
  });

  test("of a window stays within the window", () => {
    const box = { x0: 2, y0: 0, x1: 4, y1: 2 };
    const right = toTensor(wide, { ...plain, resizeShort: 2, width: 2, height: 2 }, undefined, box);
    expect([...right.subarray(0, 4)]).toEqual([30, 40, 30, 40]);
  });

  // cv2.resize of 4.x and PaddleClas's ResizeImage: int(round(side * percent)), half to even.
  test("rounds the longer side half to even", () => {
    expect(shortSideSize({ width: 5, height: 2 }, 1)).toEqual({ width: 2, height: 1 });
    expect(shortSideSize({ width: 7, height: 2 }, 1)).toEqual({ width: 4, height: 1 });
    expect(shortSideSize({ width: 300, height: 520 }, 256)).toEqual({ width: 256, height: 444 });
  });
});
