import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { normaliseRows } from "../../../src/pipeline/image/normalise.js";

/** The same numbers as `((i * 2654435761) % 2**32) / 2**32 - 0.5` in NumPy, as float32. */
function madeUp(n: number): Float32Array {
  return Float32Array.from(
    { length: n },
    (_, i) => Number((BigInt(i) * 2654435761n) % 4294967296n) / 4294967296 - 0.5,
  );
}

/**
 * SHA-256 (first 16 digits) of four rows each after PaddleClas's normalisation, by python3-numpy
 * 1.24.2: x = madeUp.reshape(4, dim); np.divide(x, np.sqrt(np.sum(np.square(x), axis=1,
 * keepdims=True))).tobytes()
 */
const golden: readonly (readonly [number, string])[] = [
  [3, "70b87013c40f9ee4"],
  [7, "d117eb6c2ecbb7df"],
  [8, "72a691b98475868e"],
  [9, "f2f5ed3c299402c5"],
  [100, "261f67df728d0b6d"],
  [128, "b73539dd807c56bd"],
  [129, "7a3b85e84434b98b"],
  [136, "0a34ffe8d49dd18f"],
  [256, "dd7c2bf420e1cd5b"],
  [500, "5c3c9edb2081df0b"],
  [512, "b339313871b10a3e"],
  [1000, "5c572c0842653d64"],
  [1280, "45964454e672c354"],
  [3072, "b0eb851f7ef76c81"],
];

describe("L2 normalisation", () => {
  it.each(golden)("of rows of %i floats equals NumPy's to the last bit", (dim, hash) => {
    const rows = madeUp(4 * dim);
    expect(normaliseRows(rows, dim)).toBe(-1);
    expect(
      createHash("sha256").update(new Uint8Array(rows.buffer)).digest("hex").slice(0, 16),
    ).toBe(hash);
  });

  it.each([
    ["zeros", [0, 0]],
    ["NaN", [1, NaN]],
    ["infinity", [Infinity, 1]],
    ["numbers whose squares overflow", [1e30, 1e30]],
  ])("names the row of %s", (_, bad) => {
    expect(normaliseRows(Float32Array.from([3, 4, ...bad, 1, 0]), 2)).toBe(1);
  });

  it("keeps very small rows", () => {
    const rows = Float32Array.of(3e-18, 4e-18);
    expect(normaliseRows(rows, 2)).toBe(-1);
    expect(rows[0]).toBeCloseTo(0.6, 6);
  });
});
