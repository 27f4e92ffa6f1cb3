import { describe, expect, it } from "vitest";
import { letterboxed, letterboxOf } from "../../../src/pipeline/image/letterbox.js";
import { toTensor } from "../../../src/pipeline/image/preprocess.js";
import { resize } from "../../../src/pipeline/image/resize.js";
import type { Pixels, Preprocessing } from "../../../src/pipeline/types.js";

/** Rows of the first channel; every channel has the same. */
const grey = (rows: readonly (readonly number[])[]): Pixels => ({
  data: Uint8Array.from(rows.flat().flatMap((v) => [v, v, v])),
  width: rows[0]!.length,
  height: rows.length,
});
const rowsOf = ({ data, width, height }: Pixels): number[][] =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => data[3 * (y * width + x)]!),
  );

describe("letterboxOf", () => {
  it("puts a wide picture in the middle, the odd row below, as Ultralytics does", () => {
    // 640 x 427 in 640: 213 rows over: top round(106.4) = 106, 107 below.
    expect(letterboxOf({ width: 640, height: 427 }, { width: 640, height: 640 }, "centre")).toEqual(
      { scale: 1, width: 640, height: 427, left: 0, top: 106 },
    );
    // 500 x 375 in 640: 1.28; 375 * 1.28 = 480 exactly, 80 above.
    expect(letterboxOf({ width: 500, height: 375 }, { width: 640, height: 640 }, "centre")).toEqual(
      { scale: 1.28, width: 640, height: 480, left: 0, top: 80 },
    );
  });

  it("puts a tall picture in the corner, sizes cut, as YOLOX does", () => {
    // 427 x 640 in 416: .65; int(277.55) = 277.
    expect(letterboxOf({ width: 427, height: 640 }, { width: 416, height: 416 }, "corner")).toEqual(
      { scale: 0.65, width: 277, height: 416, left: 0, top: 0 },
    );
  });

  it("keeps a pixel of the thinnest picture", () => {
    expect(
      letterboxOf({ width: 9000, height: 1 }, { width: 64, height: 64 }, "corner").height,
    ).toBe(1);
  });
});

describe("letterboxed", () => {
  const wide = grey([
    [10, 20, 30, 40],
    [50, 60, 70, 80],
  ]);

  it("fills above and below, or below alone", () => {
    const frame = { width: 4, height: 4 };
    const fill = [114, 114, 114, 114];
    const [a, b] = rowsOf(wide) as [number[], number[]];
    const at = (place: "centre" | "corner"): number[][] =>
      rowsOf(letterboxed(wide, undefined, frame, { place, fill: 114 }, "linear"));
    expect(at("centre")).toEqual([fill, a, b, fill]);
    expect(at("corner")).toEqual([a, b, fill, fill]);
  });

  it("resizes as OpenCV does, of a window as of a picture", () => {
    const pixels = grey(
      Array.from({ length: 9 }, (_, y) => Array.from({ length: 13 }, (_, x) => (x * y * 7) % 256)),
    );
    const frame = { width: 8, height: 8 };
    const { data } = letterboxed(pixels, undefined, frame, { place: "corner", fill: 0 }, "linear");
    // 8 / 13: int(9 * 8 / 13) = 5 rows.
    expect(data.subarray(0, 8 * 5 * 3)).toEqual(resize(pixels, 8, 5, "linear").data);
    const box = { x0: 1, y0: 0, x1: 3, y1: 2 };
    const cut = letterboxed(
      wide,
      box,
      { width: 2, height: 3 },
      { place: "corner", fill: 9 },
      "linear",
    );
    expect(rowsOf(cut)).toEqual([
      [20, 30],
      [60, 70],
      [9, 9],
    ]);
  });

  it("comes before scale and mean in a tensor", () => {
    const spec: Preprocessing = {
      ...{ width: 4, height: 4, interpolation: "linear", colour: "rgb", layout: "nchw" },
      ...{ scale: 0.5, mean: [7, 7, 7], std: [1, 1, 1] },
      letterbox: { place: "centre", fill: 114 },
    };
    expect([...toTensor(wide, spec).subarray(0, 8)]).toEqual([50, 50, 50, 50, -2, 3, 8, 13]);
  });
});
