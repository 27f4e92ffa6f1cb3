import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binarise } from "../../../src/pipeline/index/binarise.js";

describe("binary codes", () => {
  it("sign: 1 above 0, so that 0 and -0 give 0; the most significant bit first", () => {
    const row = Float32Array.of(1, 0, -0, -1, 1e-30, -1e-30, 0, 2);
    expect(binarise(row, 8, "sign")).toEqual({ data: Uint8Array.of(0b10001001), bits: 8 });
  });

  it("round: 1 from a half", () => {
    const row = Float32Array.of(0.5, 0.49999997, 0, 1, 0.5000001, -3, 0.4, 0.9);
    expect(binarise(row, 8, "round")).toEqual({ data: Uint8Array.of(0b10011001), bits: 8 });
  });

  it("packs row by row, as np.packbits along the last axis", () => {
    // np.packbits(np.array([[1]+[0]*15, [0]*15+[1]]), axis=1) is [[128, 0], [0, 1]].
    const rows = new Float32Array(32);
    rows[0] = 1;
    rows[31] = 1;
    expect(binarise(rows, 16, "sign")).toEqual({ data: Uint8Array.of(128, 0, 0, 1), bits: 16 });
  });

  it("keeps every bit's place", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 64, maxLength: 64 }), (bits) => {
        const { data } = binarise(
          Float32Array.from(bits, (b) => (b ? 0.7 : -0.7)),
          64,
          "sign",
        ) as { data: Uint8Array };
        expect(
          [...data].flatMap((byte) => [...byte.toString(2).padStart(8, "0")].map((c) => c === "1")),
        ).toEqual(bits);
      }),
    );
  });

  it("names the first row that holds NaN", () => {
    const rows = new Float32Array(24);
    rows[17] = NaN;
    expect(binarise(rows, 8, "sign")).toEqual({ nanRow: 2 });
  });

  it("refuses bits that fill no bytes and rows that are not whole", () => {
    expect(() => binarise(new Float32Array(12), 12, "sign")).toThrow(RangeError);
    expect(() => binarise(new Float32Array(12), 8, "sign")).toThrow(RangeError);
  });
});
