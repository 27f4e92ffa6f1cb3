import type { ImageList } from "../../../datasets/formats/paddleclas-list.js";
import { UserError } from "../../pipeline/errors.js";
import { rowCount, type Codes, type Vectors } from "../../pipeline/types.js";

/**
 * Features and the list that names their rows must belong together.
 *
 * @throws UserError `rows-mismatch`
 */
export function requireFit(file: string, rows: Vectors | Codes, list: ImageList): void {
  if (rowCount(rows) === list.rows.length) return;
  throw new UserError({
    code: "rows-mismatch",
    message: "features and list have not the same number of rows",
    file,
    expected: `${list.rows.length} rows, one for each line of ${list.file}`,
    found: `${rowCount(rows)} rows`,
    fix:
      "give the list that these features were made from; a picture that could not be read " +
      "must be left out of both",
  });
}

/** Smallest and largest Euclidean norm of the rows; [Infinity, 0] of none. */
export function normRange({ data, dim }: Vectors): [number, number] {
  let low = Infinity;
  let high = 0;
  for (let start = 0; start < data.length; start += dim) {
    const norm = Math.sqrt(squaredNorm(data, start, dim));
    low = Math.min(low, norm);
    high = Math.max(high, norm);
  }
  return [low, high];
}

/** What to know where inner products of these rows are no cosines; null where they are. */
export function unevenNorms(rows: Vectors): string | null {
  const [low, high] = normRange(rows);
  return high - low > 1e-3 * high
    ? `vectors have norms from ${low.toPrecision(4)} to ${high.toPrecision(4)}: inner ` +
        "products are then no cosines. PaddleClas normalises"
    : null;
}

/**
 * Scales each row to length 1, in place.
 *
 * @throws UserError `zero-vector`
 */
export function normalizeRows({ data, dim }: Vectors, file: string): void {
  for (let start = 0; start < data.length; start += dim) {
    const norm = Math.sqrt(squaredNorm(data, start, dim));
    if (norm === 0)
      throw new UserError({
        code: "zero-vector",
        message: "a vector of zeros has no direction",
        file,
        path: `row ${start / dim}`,
        expected: "a norm above 0",
        found: "0",
        fix: "look at the picture of that row, or do not normalise",
      });
    for (let i = 0; i < dim; i++) data[start + i]! /= norm;
  }
}

function squaredNorm(data: Float32Array, start: number, dim: number): number {
  let sum = 0;
  for (let i = 0; i < dim; i++) sum += data[start + i]! * data[start + i]!;
  return sum;
}
