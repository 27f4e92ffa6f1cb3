import { describe, expect, it } from "vitest";
import type { DecodedRoles } from "../../../src/pipeline/forms/decoded.js";
import {
  OutputError,
  type DecodeContext,
  type Output,
} from "../../../src/pipeline/forms/detector-form.js";
import { decodeOutputs } from "../../../src/pipeline/forms/forms.js";
import type { NmsInsideRoles } from "../../../src/pipeline/forms/nms-inside.js";
import type { RawRoles } from "../../../src/pipeline/forms/raw.js";

type Roles = NmsInsideRoles | DecodedRoles | RawRoles;

const context: DecodeContext = {
  scaleX: 1,
  scaleY: 1,
  suppression: { scoreThreshold: 0.025, iou: 0.6, candidates: 1000, keep: 100 },
};
const noCount = (): null => null;

function output(dims: readonly number[], data: readonly number[]): Output {
  return { dims, data: Float32Array.from(data) };
}

function decode(
  roles: Roles,
  outputs: Readonly<Record<string, Output>>,
  count: () => number | null = noCount,
  more: Partial<DecodeContext> = {},
) {
  return decodeOutputs(roles, { output: (name) => outputs[name]!, count }, { ...context, ...more });
}

describe("form a", () => {
  const roles: Roles = { form: "nms-inside", boxes: "b", count: "n", classes: null };
  const rows = [0, 0.3, 1, 2, 3, 4, 7, 0.9, -5, 6, 7, 8, -1, 0.5, 0, 0, 0, 0];

  it("sorts rows by score, keeps boxes outside the picture, drops Paddle's row of class -1", () => {
    expect(decode(roles, { b: output([3, 6], rows) })).toEqual([
      { box: { x0: -5, y0: 6, x1: 7, y1: 8 }, score: Math.fround(0.9), classId: 7 },
      { box: { x0: 1, y0: 2, x1: 3, y1: 4 }, score: Math.fround(0.3), classId: 0 },
    ]);
  });

  it("takes as many rows as the count says", () => {
    expect(decode(roles, { b: output([3, 6], rows) }, () => 1).map((d) => d.classId)).toEqual([0]);
    expect(decode(roles, { b: output([0, 6], []) }, () => 0)).toEqual([]);
  });

  it("takes one box without its first dimension", () => {
    expect(decode(roles, { b: output([6], rows.slice(0, 6)) })).toHaveLength(1);
  });

  it("refuses NaN and rows that are not whole", () => {
    expect(() => decode(roles, { b: output([1, 6], [0, NaN, 1, 2, 3, 4]) })).toThrow(OutputError);
    expect(() => decode(roles, { b: output([1, 5], [0, 1, 2, 3, 4]) })).toThrow(
      /expected \[N, 6\]/,
    );
  });
});

describe("form b", () => {
  const boxes = output([1, 3, 4], [10, 20, 30, 40, 11, 20, 30, 40, 100, 100, 120, 130]);
  const scores = [0.5, 0.8, 0.02, 0.1, 0.02, 0.9]; // [1, 2 classes, 3 anchors]
  const roles: Roles = { form: "decoded", boxes: "b", scores: "s", classFirst: true, classes: 2 };

  it(
    "suppresses within a class, scales to the picture, " + "drops what is not above the threshold",
    () => {
      expect(
        decode(roles, { b: boxes, s: output([1, 2, 3], scores) }, noCount, {
          scaleX: 2,
          scaleY: 0.5,
        }),
      ).toEqual([
        { box: { x0: 50, y0: 200, x1: 60, y1: 260 }, score: Math.fround(0.9), classId: 1 },
        { box: { x0: 5.5, y0: 40, x1: 15, y1: 80 }, score: Math.fround(0.8), classId: 0 },
        // overlaps a box of another class only
        { box: { x0: 5, y0: 40, x1: 15, y1: 80 }, score: Math.fround(0.1), classId: 1 },
      ]);
    },
  );

  it("reads scores a row an anchor", () => {
    const turned = output([1, 3, 2], [0.5, 0.1, 0.8, 0.02, 0.02, 0.9]);
    expect(decode({ ...roles, classFirst: false }, { b: boxes, s: turned })).toEqual(
      decode(roles, { b: boxes, s: output([1, 2, 3], scores) }),
    );
  });

  it("leaves the model's own outputs untouched", () => {
    const mine = output([1, 3, 4], [...boxes.data]);
    decode(roles, { b: mine, s: output([1, 2, 3], scores) }, noCount, { scaleX: 2, scaleY: 2 });
    expect(mine).toEqual(boxes);
  });

  it("refuses NaN, in boxes and in scores", () => {
    expect(() =>
      decode(roles, {
        b: output(
          [1, 3, 4],
          [...boxes.data].map((x, i) => (i === 5 ? NaN : x)),
        ),
        s: output([1, 2, 3], scores),
      }),
    ).toThrow(/NaN in box 1/);
    expect(() => decode(roles, { b: boxes, s: output([1, 2, 3], [0, NaN, 0, 0, 0, 0]) })).toThrow(
      /NaN in the scores/,
    );
  });
});

describe("form c", () => {
  // Strides 8 and 16 on 16 x 8 pixels: 2 x 1 cells and 1 x 1 cell, one class.
  const roles: Roles = {
    form: "raw",
    classes: 1,
    levels: [
      { stride: 8, columns: 2, rows: 1, scores: "s0", distances: "d0", bins: 8 },
      { stride: 16, columns: 1, rows: 1, scores: "s1", distances: "d1", bins: 8 },
    ],
  };
  /** Logits of one side that put all weight on one bin, or half each on two. */
  const side = (...bins: number[]): number[] =>
    Array.from({ length: 8 }, (_, bin) => (bins.includes(bin) ? 50 : -50));
  const none = new Array<number>(32).fill(0);

  it("puts a box around its cell's centre: expected bin x stride to each side", () => {
    const found = decode(roles, {
      s0: output([1, 2, 1], [0, 0.6]),
      d0: output([1, 2, 32], [...none, ...side(1), ...side(0), ...side(2), ...side(1, 2)]),
      s1: output([1, 1, 1], [0.7]),
      d1: output([1, 1, 32], none),
    });
    expect(found).toEqual([
      // Even logits: 3.5 bins x 16 pixels to each side of the centre (8, 8).
      {
        box: { x0: 8 - 56, y0: 8 - 56, x1: 8 + 56, y1: 8 + 56 },
        score: Math.fround(0.7),
        classId: 0,
      },
      // The second cell's centre is (1.5 x 8, 0.5 x 8) = (12, 4).
      { box: { x0: 4, y0: 4, x1: 28, y1: 16 }, score: Math.fround(0.6), classId: 0 },
    ]);
  });

  it("scales across and down on their own", () => {
    const [, small] = decode(
      roles,
      {
        s0: output([1, 2, 1], [0, 0.6]),
        d0: output([1, 2, 32], [...none, ...side(1), ...side(0), ...side(2), ...side(1, 2)]),
        s1: output([1, 1, 1], [0.7]),
        d1: output([1, 1, 32], none),
      },
      noCount,
      { scaleX: 2, scaleY: 4 },
    );
    expect(small!.box).toEqual({ x0: 2, y0: 1, x1: 14, y1: 4 });
  });

  it("keeps scores of every class, and rows running across", () => {
    const two: Roles = {
      form: "raw",
      classes: 2,
      levels: [{ stride: 8, columns: 2, rows: 2, scores: "s", distances: "d", bins: 8 }],
    };
    const found = decode(two, {
      s: output([1, 4, 2], [0, 0, 0, 0, 0, 0.9, 0.8, 0]),
      d: output([1, 4, 32], [...none, ...none, ...none, ...none]),
    });
    expect(
      found.map(({ classId, score, box }) => [
        classId,
        Number(score.toFixed(2)),
        box.x0 + 28,
        box.y0 + 28,
      ]),
    ).toEqual([
      [1, 0.9, 4, 12],
      [0, 0.8, 12, 12],
    ]);
  });

  it("refuses outputs of another size than the level has", () => {
    expect(() =>
      decode(roles, {
        s0: output([1, 3, 1], [0, 0, 0]),
        d0: output([1, 2, 32], [...none, ...none]),
      }),
    ).toThrow(/stride 8.*expected 2 cells/);
  });

  it("refuses NaN in the logits of a candidate, and in scores", () => {
    const s1 = output([1, 1, 1], [0]);
    const d1 = output([1, 1, 32], none);
    expect(() =>
      decode(roles, {
        s0: output([1, 2, 1], [0.6, 0]),
        d0: output([1, 2, 32], [NaN, ...none.slice(1), ...none]),
        s1,
        d1,
      }),
    ).toThrow(/NaN in box 0/);
    expect(() =>
      decode(roles, {
        s0: output([1, 2, 1], [0.6, NaN]),
        d0: output([1, 2, 32], [...none, ...none]),
        s1,
        d1,
      }),
    ).toThrow(/NaN in the scores/);
  });
});
