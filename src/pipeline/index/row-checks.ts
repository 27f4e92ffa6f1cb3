import { UserError } from "../errors.js";
import { isCodes, type Codes, type IndexMetric, type Vectors } from "../types.js";

/** What an index holds: floats or codes of one dimension, compared by one metric. */
export interface IndexShape {
  readonly kind: "real" | "binary";
  readonly metric: IndexMetric;
  /** Floats a vector, or bits a code. */
  readonly dim: number;
}

/** Rows as every engine takes them, checked. */
export interface CheckedRows {
  readonly data: Float32Array | Uint8Array;
  readonly n: number;
}

/**
 * More than this many results at once is a mistake, and V8 ends the process when it cannot allocate
 * them.
 */
const largestResult = 2 ** 29;

/**
 * Checks kind, dimension and, for floats, that every value is finite.
 *
 * @throws UserError `dimension` or `not-finite`, the latter naming row and column.
 */
export function checkRows(
  rows: Vectors | Codes,
  { kind, dim }: IndexShape,
  what: string,
): CheckedRows {
  const unit = isCodes(rows) ? "bits" : "floats";
  const found = isCodes(rows) ? rows.bits : rows.dim;
  if (isCodes(rows) !== (kind === "binary") || found !== dim) {
    throw new UserError({
      code: "dimension",
      message: `${what} do not fit the index`,
      expected: `rows of ${dim} ${kind === "binary" ? "bits" : "floats"}`,
      found: `rows of ${found} ${unit}`,
      fix: "use vectors of the model that the index was built with",
    });
  }
  const width = kind === "binary" ? dim / 8 : dim;
  const { data } = rows;
  if (data.length % width !== 0) {
    throw new UserError({
      code: "dimension",
      message: `${what} end in the middle of a row`,
      expected: `a multiple of ${width} values`,
      found: `${data.length}`,
    });
  }
  if (data instanceof Float32Array) checkFinite(data, dim, what);
  return { data, n: data.length / width };
}

function checkFinite(data: Float32Array, dim: number, what: string): void {
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    // Only NaN and the infinities differ from themselves less themselves.
    if (value - value !== 0) {
      throw new UserError({
        code: "not-finite",
        message: `${what} hold a value that is not a finite number`,
        path: `row ${Math.floor(i / dim)}, column ${i % dim}`,
        found: String(value),
        fix: "leave that row out, or mend what made it",
      });
    }
  }
}

/** @throws UserError `bad-k` */
export function checkK(k: number, queries: number): void {
  if (!Number.isInteger(k) || k < 1) {
    throw new UserError({
      code: "bad-k",
      message: "k must be a whole number of neighbours",
      expected: "1 or more",
      found: String(k),
    });
  }
  if (k * queries > largestResult) {
    throw new UserError({
      code: "bad-k",
      message: "too many neighbours at once",
      expected: `k x queries up to ${largestResult}`,
      found: `${k} x ${queries}`,
      fix: "search in smaller batches, or for fewer neighbours",
    });
  }
}

/** @throws UserError `bad-ids` */
export function checkIds(ids: Float64Array, rows: number | null): void {
  if (rows !== null && ids.length !== rows) {
    throw new UserError({
      code: "bad-ids",
      message: "ids and rows differ in number",
      expected: `${rows} ids`,
      found: `${ids.length}`,
    });
  }
  const wrong = ids.findIndex((id) => !Number.isSafeInteger(id) || id < 0);
  if (wrong >= 0) {
    throw new UserError({
      code: "bad-ids",
      message: "an id must be a whole number from 0 to 2^53 - 1",
      path: `id ${wrong}`,
      found: String(ids[wrong]),
    });
  }
}
