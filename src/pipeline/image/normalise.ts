/**
 * Divides each row by its L2 norm, in place and in float32 to the last bit as PaddleClas does it
 * with NumPy (`python/predict_rec.py`: `np.divide(x, np.sqrt(np.sum(np.square(x), axis=1,
 * keepdims=True)))`).
 *
 * @param rows row-major, `dim` floats a row.
 * @returns the first row whose norm is zero or not finite (left as it is, and those after it), or
 * -1.
 */
export function normaliseRows(rows: Float32Array, dim: number): number {
  const squares = new Float32Array(dim);
  for (let row = 0; row * dim < rows.length; row++) {
    const from = row * dim;
    for (let i = 0; i < dim; i++) squares[i] = rows[from + i]! * rows[from + i]!;
    const norm = Math.fround(Math.sqrt(pairwiseSum(squares, 0, dim)));
    if (!(norm > 0 && norm < Infinity)) return row;
    for (let i = 0; i < dim; i++) rows[from + i] = rows[from + i]! / norm;
  }
  return -1;
}

/**
 * NumPy's summation of float32 (`pairwise_sum` in `loops_utils.h.src`): eight partial sums in
 * blocks of 128 at most.
 */
function pairwiseSum(values: Float32Array, from: number, n: number): number {
  const f = Math.fround;
  if (n < 8) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = f(sum + values[from + i]!);
    return sum;
  }
  if (n > 128) {
    let half = n >> 1;
    half -= half % 8;
    return f(pairwiseSum(values, from, half) + pairwiseSum(values, from + half, n - half));
  }
  const r = values.slice(from, from + 8);
  let i = 8;
  for (; i < n - (n % 8); i += 8) for (let j = 0; j < 8; j++) r[j] = r[j]! + values[from + i + j]!;
  let sum = f(f(f(r[0]! + r[1]!) + f(r[2]! + r[3]!)) + f(f(r[4]! + r[5]!) + f(r[6]! + r[7]!)));
  for (; i < n; i++) sum = f(sum + values[from + i]!);
  return sum;
}
