import type { Codes } from "../types.js";

/**
 * `sign`: a bit is 1 where x > 0, so that 0 gives 0 (DeepHash with tanh). `round`: 1 where x >=
 * 0.5, for outputs in 0..1 (DLBHC with a sigmoid). As PaddleClas's `SystemPredictor` and
 * `predict_rec.py` do.
 */
export type BinariseRule = "sign" | "round";

/**
 * Packs each row's bits into `bits / 8` bytes, the most significant bit first, as `np.packbits`
 * does.
 *
 * @param rows row-major, `bits` floats a row.
 * @returns the codes, or the first row that holds NaN.
 * @throws RangeError where `bits` is no multiple of 8 or the rows are not whole.
 */
export function binarise(
  rows: Float32Array,
  bits: number,
  rule: BinariseRule,
): Codes | { readonly nanRow: number } {
  if (bits % 8 !== 0 || bits < 8)
    throw new RangeError(`codes of ${bits} bits: expected a multiple of 8`);
  if (rows.length % bits !== 0)
    throw new RangeError(`${rows.length} floats are no whole rows of ${bits}`);
  const data = new Uint8Array(rows.length / 8);
  for (let byte = 0; byte < data.length; byte++) {
    let packed = 0;
    for (let bit = 0; bit < 8; bit++) {
      const x = rows[byte * 8 + bit]!;
      if (x !== x) return { nanRow: Math.floor((byte * 8) / bits) };
      packed = (packed << 1) | Number(rule === "sign" ? x > 0 : x >= 0.5);
    }
    data[byte] = packed;
  }
  return { data, bits };
}
