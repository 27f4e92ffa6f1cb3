/**
 * The Faiss part of the addon. Every failure is an Error whose message begins with the call's name,
 * such as `faiss.search: …`.
 */

/** A Faiss index in native memory, made by `create`, `deserialize` or `read`. */
export interface FaissHandle {
  readonly faissIndex: unique symbol;
}

export type FaissMetric = "inner-product" | "l2" | "hamming";

/** Raised by every call: `code` says which kind of failure it is. */
export interface FaissError extends Error {
  /**
   * `faiss-argument` a wrong argument, `faiss-handle` not an index handle, `faiss-closed` used
   * after close, `faiss-busy` a synchronous call while an asynchronous writer is at work or
   * waiting, `faiss-file` unreadable or corrupt data, `faiss-memory` out of memory, `faiss-error`
   * anything that Faiss itself refused.
   */
  readonly code:
    | "faiss-argument"
    | "faiss-handle"
    | "faiss-closed"
    | "faiss-busy"
    | "faiss-file"
    | "faiss-memory"
    | "faiss-error";
}

export interface FaissBuild {
  readonly version: string;
  /** Instruction level that Faiss was compiled for. */
  readonly level: string;
  readonly flags: string;
  readonly origin: string;
  readonly compileOptions: string;
  readonly blas: string;
  /** What the BLAS says of itself, where it does. */
  readonly blasConfig: string | null;
  readonly blasThreads: number | null;
  readonly openmpThreads: number;
  readonly processors: number;
  readonly compiler: string;
}

export interface FaissDescription {
  readonly kind: "real" | "binary";
  readonly metric: FaissMetric | "other";
  /** Floats a vector, or bits a code. */
  readonly dim: number;
  readonly size: number;
  readonly trained: boolean;
  /** The index inside any id map or transform. */
  readonly type: "flat" | "hnsw" | "ivf" | "other";
  /** An id map around it: ids are the caller's, not the row numbers. */
  readonly idMapped: boolean;
  /** Inverted lists of an IVF index; 0 for others. */
  readonly lists: number;
  /** The largest id held; -1 for an empty index. */
  readonly largestId: number;
  /** The run-time parameters that this index has, and their values. */
  readonly parameters: Readonly<Record<string, number>>;
}

export interface FaissNeighbours {
  /** n x k ids, -1 where there is none. */
  readonly rows: Float64Array;
  /** n x k inner products or distances; -Infinity or Infinity where there is none. */
  readonly scores: Float32Array;
}

/**
 * Calls on one handle run in the order in which they were made: any number of readers (`search`,
 * `reconstruct`, `serialize`, `write`) at once, a writer (`train`, `add`, `remove`, `set`) alone.
 * Typed arrays are read and written in place on worker threads: leave them unchanged until the
 * promise settles.
 */
export interface FaissAddon {
  readonly faiss: {
    build(): FaissBuild;
    /** Threads of OpenMP and of the BLAS for every later call, in all indexes. */
    setThreads(threads: number): void;
    /**
     * A Faiss factory string, with `B` for a binary index; `IDMap2,` may stand before a binary one,
     * too.
     */
    create(factory: string, dim: number, metric: FaissMetric): FaissHandle;
    /**
     * Checks the structure of the bytes before Faiss sees them; with `trusted` an index type that
     * the check does not know is let through.
     */
    deserialize(bytes: Uint8Array, trusted: boolean): Promise<FaissHandle>;
    /** The same from a file. */
    read(file: string, trusted: boolean): Promise<FaissHandle>;
    describe(handle: FaissHandle): FaissDescription;
    train(handle: FaissHandle, rows: Float32Array | Uint8Array): Promise<void>;
    add(handle: FaissHandle, rows: Float32Array | Uint8Array, ids?: Float64Array): Promise<void>;
    /** Resolves to the number of vectors removed. */
    remove(handle: FaissHandle, ids: Float64Array): Promise<number>;
    search(
      handle: FaissHandle,
      queries: Float32Array | Uint8Array,
      k: number,
    ): Promise<FaissNeighbours>;
    searchSync(handle: FaissHandle, queries: Float32Array | Uint8Array, k: number): FaissNeighbours;
    /** Rows by id, in that order. */
    reconstruct(handle: FaissHandle, ids: Float64Array): Promise<Float32Array | Uint8Array>;
    /** In the order of calls: searches made before it are not affected. */
    set(handle: FaissHandle, name: string, value: number): void;
    serialize(handle: FaissHandle): Promise<Uint8Array>;
    /** Writes to a new file; resolves to its size in bytes. */
    write(handle: FaissHandle, file: string): Promise<number>;
    /** Size in bytes of what `serialize` would give. */
    bytes(handle: FaissHandle): number;
    /**
     * Frees the index; work under way ends first, work waiting is refused. Closing twice is no
     * error.
     */
    close(handle: FaissHandle): void;
  };
}
