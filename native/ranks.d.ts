/** The part of the addon that says where given rows stand in the exact ranking of a gallery. */

export interface RankArguments {
  /** n x dim floats, or n codes of `dim` bytes. */
  readonly queries: Float32Array | Uint8Array;
  readonly gallery: Float32Array | Uint8Array;
  /** Floats a vector, or bytes a code. */
  readonly dim: number;
  /**
   * Row numbers of the gallery, ascending within a query; query i owns [start[i], start[i + 1]).
   * Marked rows are the ones asked about.
   */
  readonly markedStart: Int32Array;
  readonly marked: Int32Array;
  /** Rows that are taken out of a query's ranking. No row is both marked and excluded. */
  readonly excludedStart: Int32Array;
  readonly excluded: Int32Array;
  /** How many of the best rows to return for each query; 0 for none. */
  readonly top: number;
  /** An upper bound of the Euclidean norm of the gallery's vectors; unused for codes. */
  readonly galleryNorm: number;
  readonly threads: number;
}

export interface RankResult {
  /**
   * For each marked row: its score, an inner product in double precision or minus the Hamming
   * distance.
   */
  readonly scores: Float64Array;
  /** Rows of the gallery, neither marked nor excluded, with a greater score. */
  readonly above: Int32Array;
  /** Those with exactly the same score. */
  readonly tied: Int32Array;
  /** Those of the tied that have a smaller row number. */
  readonly tiedBefore: Int32Array;
  /**
   * n x top, marked rows included, best first, equal scores by row number; -1 where the gallery is
   * smaller.
   */
  readonly topRows: Int32Array;
  /** n x top; -Infinity where there is none. */
  readonly topScores: Float64Array;
}

export interface RanksAddon {
  readonly ranks: {
    /**
     * Works on `threads` threads of its own; leave the arrays unchanged until the promise settles.
     * Rejects with a TypeError on arguments that do not fit.
     */
    rankRows(args: RankArguments): Promise<RankResult>;
  };
}
