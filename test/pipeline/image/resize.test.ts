import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadAddon } from "../../../native/load.js";
import { usePreprocessingKernel } from "../../../src/pipeline/image/preprocess.js";
import { resizeTaps, WEIGHT_ONE } from "../../../src/pipeline/image/resize-taps.js";
import { resize } from "../../../src/pipeline/image/resize.js";
import type { Interpolation, Pixels } from "../../../src/pipeline/types.js";
import { kernels } from "./preprocess-kernels.js";

const native = kernels.includes("native");

afterEach(() => usePreprocessingKernel("automatic"));

/** Pictures of noise, and of 0 and 255 only (where cubic overshoots), up to `most` a side. */
function pictures(most: number): fc.Arbitrary<Pixels> {
  return fc
    .record({
      width: fc.integer({ min: 1, max: most }),
      height: fc.integer({ min: 1, max: most }),
      seed: fc.integer(),
      harsh: fc.boolean(),
    })
    .map(({ width, height, seed, harsh }) => {
      let state = seed >>> 0;
      const data = Uint8Array.from({ length: width * height * 3 }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return harsh ? (state >>> 31) * 255 : state >>> 24;
      });
      return { data, width, height };
    });
}

const side = fc.integer({ min: 1, max: 60 });
const interpolations = fc.constantFrom<Interpolation>("linear", "cubic");

test.skipIf(!native)("both kernels give the same bytes", () => {
  fc.assert(
    fc.property(
      pictures(60),
      side,
      side,
      interpolations,
      (pixels, width, height, interpolation) => {
        usePreprocessingKernel("typescript");
        const plain = resize(pixels, width, height, interpolation);
        usePreprocessingKernel("native");
        expect(Buffer.compare(resize(pixels, width, height, interpolation).data, plain.data)).toBe(
          0,
        );
      },
    ),
    { numRuns: 300 },
  );
});

test.skipIf(!native)("both kernels halve alike", () => {
  fc.assert(
    fc.property(pictures(20), (small) => {
      const pixels = {
        data: new Uint8Array(small.width * small.height * 12).map(
          (_, i) => small.data[i % small.data.length]!,
        ),
        width: small.width * 2,
        height: small.height * 2,
      };
      usePreprocessingKernel("typescript");
      const plain = resize(pixels, small.width, small.height, "linear");
      usePreprocessingKernel("native");
      expect(
        Buffer.compare(resize(pixels, small.width, small.height, "linear").data, plain.data),
      ).toBe(0);
    }),
  );
});

describe.each(kernels)("%s kernel", (kernel) => {
  beforeEach(() => usePreprocessingKernel(kernel));

  test("a picture of its own size is left alone", () => {
    fc.assert(
      fc.property(pictures(30), interpolations, (pixels, interpolation) => {
        expect(resize(pixels, pixels.width, pixels.height, interpolation).data).toEqual(
          pixels.data,
        );
      }),
      { numRuns: 50 },
    );
  });

  test("mirrored pictures give mirrored results where the weights are even", () => {
    // A scale of 2 up: positions at quarters, so that no float32 rounding disturbs the symmetry.
    fc.assert(
      fc.property(pictures(16), (pixels) => {
        const up = resize(pixels, pixels.width * 2, pixels.height * 2, "linear");
        expect(
          mirrored(resize(mirrored(pixels), pixels.width * 2, pixels.height * 2, "linear")).data,
        ).toEqual(up.data);
      }),
      { numRuns: 50 },
    );
  });

  test("hand-worked: linear, 2 pixels to 4", () => {
    // Positions -0.25, 0.25, 0.75, 1.25: the edge, 3/4 + 1/4, 1/4 + 3/4, the edge.
    const pixels = { data: Uint8Array.of(0, 0, 0, 200, 100, 4), width: 2, height: 1 };
    expect([...resize(pixels, 4, 1, "linear").data]).toEqual([
      0, 0, 0, 50, 25, 1, 150, 75, 3, 200, 100, 4,
    ]);
  });

  test("hand-worked: linear by half is the rounded mean of 2 x 2", () => {
    const pixels = {
      data: Uint8Array.of(1, 0, 255, 2, 0, 255, 3, 1, 255, 4, 1, 254),
      width: 2,
      height: 2,
    };
    // (10 + 2) >> 2, (2 + 2) >> 2, (1019 + 2) >> 2
    expect([...resize(pixels, 1, 1, "linear").data]).toEqual([3, 1, 255]);
  });

  test("cubic overshoot is cut at 0 and 255", () => {
    const stripe = {
      data: Uint8Array.from({ length: 12 * 3 }, (_, i) => (i < 18 ? 0 : 255)),
      width: 12,
      height: 1,
    };
    const { data } = resize(stripe, 30, 1, "cubic");
    expect(Math.min(...data)).toBe(0);
    expect(Math.max(...data)).toBe(255);
  });

  test.each([
    [0, 1],
    [1, 0],
    [-1, 1],
    [1.5, 1],
    [NaN, 1],
    [1, Infinity],
    [1 << 21, 1],
  ])("refuses the size %s x %s", (width, height) => {
    expect(() =>
      resize({ data: new Uint8Array(3), width: 1, height: 1 }, width, height, "linear"),
    ).toThrow(RangeError);
  });

  test.each([
    [2, 1, 3],
    [1, 1, 2],
    [0, 0, 0],
    [1.5, 2, 9],
  ])("refuses pixels of %s x %s with %s bytes", (width, height, length) => {
    expect(() => resize({ data: new Uint8Array(length), width, height }, 2, 2, "cubic")).toThrow(
      RangeError,
    );
  });
});

test("weights of a linear tap add up to one, cubic ones to one give or take the rounding", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 300 }),
      (source, target) => {
        const linear = resizeTaps(source, target, "linear", true);
        const cubic = resizeTaps(source, target, "cubic", true);
        for (let i = 0; i < target; i++) {
          expect(linear.weights[2 * i]! + linear.weights[2 * i + 1]!).toBe(WEIGHT_ONE);
          const sum = cubic.weights.subarray(4 * i, 4 * i + 4).reduce((a, b) => a + b, 0);
          expect(Math.abs(sum - WEIGHT_ONE)).toBeLessThanOrEqual(2);
          expect(cubic.first[i]).toBeGreaterThanOrEqual(-2);
          expect(cubic.first[i]! + 3).toBeLessThanOrEqual(source + 1);
        }
      },
    ),
  );
});

test(
  "a linear tap across the edge counts the edge pixel whole, where split weights would " +
    "not add up",
  () => {
    // 1 pixel to 5463: at column 4917 the two weights round to 1228 + 819 = 2047.
    const split = resizeTaps(1, 5463, "linear", false).weights;
    expect([split[2 * 4917], split[2 * 4917 + 1]]).toEqual([1228, 819]);
    const whole = resizeTaps(1, 5463, "linear", true).weights;
    expect(whole.every((w, i) => w === (i % 2 ? 0 : WEIGHT_ONE))).toBe(true);
  },
);

test("cubic weights at the middle are those of Keys' kernel with a = -0.75", () => {
  // 2 pixels to 1: position 0.5, where the kernel is -3/32 and 19/32 (times 2048).
  expect([...resizeTaps(2, 1, "cubic", true).weights]).toEqual([-192, 1216, 1216, -192]);
});

describe.skipIf(!native)("the native door", () => {
  const taps = (source: number, target: number) => resizeTaps(source, target, "cubic", true);
  type Arguments = Parameters<NonNullable<ReturnType<typeof loadAddon>["resizeToBytes"]>>;
  const fine = (): Arguments => [
    new Uint8Array(48),
    0,
    12,
    4,
    4,
    2,
    2,
    taps(4, 2).first,
    taps(4, 2).weights,
    taps(4, 2).first,
    taps(4, 2).weights,
    new Uint8Array(12),
  ];

  test("takes arguments that fit", () => {
    expect(() => loadAddon().resizeToBytes!(...fine())).not.toThrow();
  });

  const broken: [string, number, unknown][] = [
    ["data too short", 0, new Uint8Array(47)],
    ["data of another kind", 0, new Float32Array(48)],
    ["data that is no array", 0, "pixels"],
    ["an offset past the end", 1, 1],
    ["a negative offset", 1, -1],
    ["an offset that is no number", 1, "0"],
    ["a stride past the end", 2, 13],
    ["a width of 0", 3, 0],
    ["a width that is no integer", 3, 3.5],
    ["a height that is NaN", 4, NaN],
    ["a target that does not fit the taps", 5, 3],
    ["taps that start too early", 7, Int32Array.of(-3, 0)],
    ["taps that end too late", 7, Int32Array.of(0, 3)],
    ["too few weights", 8, new Int16Array(7)],
    ["taps down that end too late", 9, Int32Array.of(0, 3)],
    ["taps down of another kind", 9, new Float64Array(2)],
    ["too little room", 11, new Uint8Array(11)],
  ];
  test.each(broken)("refuses %s", (_, place, value) => {
    const values: unknown[] = fine();
    values[place] = value;
    expect(() => loadAddon().resizeToBytes!(...(values as Arguments))).toThrow(/resize: /);
  });

  test("refuses a tensor that does not fit, and a table of another size", () => {
    const { resizeToTensor } = loadAddon();
    const job = fine().slice(0, 11) as unknown as [
      Uint8Array,
      number,
      number,
      number,
      number,
      number,
      number,
      Int32Array,
      Int16Array,
      Int32Array,
      Int16Array,
    ];
    expect(() =>
      resizeToTensor!(...job, new Float32Array(768), false, false, new Float32Array(12), 0),
    ).not.toThrow();
    expect(() =>
      resizeToTensor!(...job, new Float32Array(768), false, false, new Float32Array(12), 1),
    ).toThrow(/no room/);
    expect(() =>
      resizeToTensor!(...job, new Float32Array(768), false, false, new Float32Array(12), -1),
    ).toThrow(/integer/);
    expect(() =>
      resizeToTensor!(...job, new Float32Array(767), false, false, new Float32Array(12), 0),
    ).toThrow(/table/);
    expect(() =>
      resizeToTensor!(
        ...job,
        new Float32Array(768),
        false,
        false,
        new Uint8Array(12) as unknown as Float32Array,
        0,
      ),
    ).toThrow(/kind/);
  });
});

function mirrored({ data, width, height }: Pixels): Pixels {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      out.set(
        data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
        (y * width + width - 1 - x) * 3,
      );
  }
  return { data: out, width, height };
}
