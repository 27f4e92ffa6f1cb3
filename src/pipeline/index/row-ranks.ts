import { availableParallelism } from "node:os";
import { AddonError, addonFile, loadAddon } from "../../../native/load.js";
import type { RankResult, RanksAddon } from "../../../native/ranks.js";
import { UserError } from "../errors.js";
import { rankRowsPlain } from "./row-ranks-plain.js";
import { isCodes, rowCount, type Codes, type Vectors } from "../types.js";

/** Where the compiled addon lies, for whoever has to know which one computed something. */
export { addonFile };

export type { RankResult } from "../../../native/ranks.js";

/**
 * Rows of the gallery for each query, ascending: query i owns [start[i], start[i + 1]) of `rows`.
 */
export interface RowLists {
  readonly start: Int32Array;
  readonly rows: Int32Array;
}

export interface RankRequest {
  readonly queries: Vectors | Codes;
  readonly gallery: Vectors | Codes;
  /** The rows asked about. */
  readonly marked: RowLists;
  /** Rows that are taken out of a query's ranking; none of them is marked. */
  readonly excluded: RowLists;
  /** How many of the best rows to return for each query; fewer where the gallery is smaller. */
  readonly top: number;
  /** Threads of the addon; all cores unless told. The result does not depend on it. */
  readonly threads?: number;
}

/**
 * Where given rows stand in the exact ranking of a whole gallery, without the ranking ever being
 * held: for each marked row how many other rows score higher, and how many the same. Scores are
 * inner products in double precision, or minus the Hamming distance.
 *
 * The addon does it where it is built, else plain TypeScript, some thirty times slower, with the
 * same result to the last bit: the score is defined by `innerProduct`, whatever computes it.
 *
 * Memory: the result, and 1 MiB a thread. Values must be finite.
 *
 * @throws UserError `dimension-mismatch` where queries and gallery differ in kind or dimension.
 */
export async function rankRows({
  queries,
  gallery,
  marked,
  excluded,
  top,
  threads = availableParallelism(),
}: RankRequest): Promise<RankResult & { readonly top: number }> {
  requireSameSpace(queries, gallery);
  const held = Math.min(top, rowCount(gallery));
  const args = {
    queries: queries.data,
    gallery: gallery.data,
    dim: isCodes(gallery) ? gallery.bits / 8 : gallery.dim,
    markedStart: marked.start,
    marked: marked.rows,
    excludedStart: excluded.start,
    excluded: excluded.rows,
    top: held,
  };
  const addon = ranksAddon();
  const result = addon
    ? await addon.rankRows({
        ...args,
        threads,
        galleryNorm: isCodes(gallery) ? 0 : largestNorm(gallery),
      })
    : rankRowsPlain(args);
  return { ...result, top: held };
}

/** @throws UserError `dimension-mismatch` where two sets of rows cannot be compared. */
export function requireSameSpace(queries: Vectors | Codes, gallery: Vectors | Codes): void {
  const show = (rows: Vectors | Codes) =>
    isCodes(rows) ? `codes of ${rows.bits} bits` : `vectors of ${rows.dim} floats`;
  if (show(queries) !== show(gallery)) {
    throw new UserError({
      code: "dimension-mismatch",
      message: "queries and gallery cannot be compared",
      expected: `queries like the gallery: ${show(gallery)}`,
      found: show(queries),
      fix: "embed both with one model, and binarise both or neither",
    });
  }
}

let addon: RanksAddon["ranks"] | null | undefined;

/** The addon's part, or null where it is not built. */
export function ranksAddon(): RanksAddon["ranks"] | null {
  if (addon !== undefined) return addon;
  try {
    addon = (loadAddon() as Partial<RanksAddon>).ranks ?? null;
  } catch (error) {
    if (!(error instanceof AddonError)) throw error;
    addon = null;
  }
  return addon;
}

const norms = new WeakMap<Float32Array, number>();

/** The greatest Euclidean norm of the rows, computed once for an array. */
function largestNorm({ data, dim }: Vectors): number {
  const known = norms.get(data);
  if (known !== undefined) return known;
  let largest = 0;
  for (let start = 0; start < data.length; start += dim) {
    let sum = 0;
    for (let i = 0; i < dim; i++) sum += data[start + i]! * data[start + i]!;
    largest = Math.max(largest, sum);
  }
  const norm = Math.sqrt(largest) * (1 + 1e-12);
  norms.set(data, norm);
  return norm;
}
