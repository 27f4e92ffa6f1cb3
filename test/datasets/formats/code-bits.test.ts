import { describe, expect, it } from "vitest";
import { codeBits, codeNotes } from "../../../datasets/formats/code-bits.js";
import { Random } from "../../../src/eval/stats/random.js";
import { binarise } from "../../../src/pipeline/index/binarise.js";
import type { Codes } from "../../../src/pipeline/types.js";

/** Rows of bits, the first bit first. */
function codesOf(rows: readonly string[]): Codes {
  const bytes = rows.flatMap((row) => row.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  return { data: Uint8Array.from(bytes), bits: rows[0]!.length };
}

describe("codeBits", () => {
  it("tells constant bits, copies and opposites of a bit, and hardly changing ones", () => {
    // Bits: 0 always on, 1 alternates, 2 the same, 3 its opposite, 4 on in one row of 40,
    // 5 on in every third, 6 always off, 7 on in the first half.
    const rows = Array.from({ length: 40 }, (_, i) =>
      [1, i % 2, i % 2, 1 - (i % 2), +(i === 7), +(i % 3 === 0), 0, +(i < 20)].join(""),
    );
    expect(codeBits(codesOf(rows))).toEqual({
      bits: 8,
      rows: 40,
      constant: 2,
      duplicate: 2,
      unbalanced: 1,
    });
  });

  it("looks at all rows for constant bits, however many there are", () => {
    const rows = Array.from({ length: 10_000 }, () => "00000000");
    rows[9_999] = "00000001";
    expect(codeBits(codesOf(rows)).constant).toBe(7);
  });

  it("says nothing of a single row", () => {
    expect(codeNotes(codeBits(codesOf(["01010101"])))).toEqual([]);
  });
});

describe("codeNotes", () => {
  it("names what signs of values that are never negative lose", () => {
    // Five of eight values are never negative.
    const features = Float32Array.from({ length: 6 * 8 }, (_, i) =>
      i % 8 < 5 ? 1 + i : Math.cos(i * i),
    );
    const codes = binarise(features, 8, "sign") as Codes;
    expect(codeNotes(codeBits(codes))[0]).toMatch(/^5 of 8 bits \(63%\) .* never negative\?$/);
  });

  it("is silent about codes as they should be", () => {
    const random = new Random("codes");
    const data = Uint8Array.from({ length: 64 * 4 }, () => random.below(256));
    expect(codeBits({ data, bits: 32 })).toMatchObject({ constant: 0, duplicate: 0 });
    expect(codeNotes(codeBits({ data, bits: 32 }))).toEqual([]);
  });

  it("does not take a chance of few rows for a copy", () => {
    expect(codeNotes(codeBits(codesOf(["00110101", "11001010"])))).toEqual([]);
  });
});
