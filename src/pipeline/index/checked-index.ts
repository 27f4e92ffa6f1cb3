import { UserError, oneOf } from "../errors.js";
import type { Codes, IndexMetric, Neighbours, VectorIndex, Vectors } from "../types.js";
import { checkIds, checkK, checkRows, type CheckedRows, type IndexShape } from "./row-checks.js";

/**
 * Fewer training points than this for each list make poor centroids (Faiss:
 * ClusteringParameters::min_points_per_centroid).
 */
export const pointsPerList = 39;

/** How an engine's index starts: empty, or as it was saved. */
export interface IndexState extends IndexShape {
  readonly id: string;
  readonly version: string;
  readonly size: number;
  readonly trained: boolean;
  readonly largestId: number;
  /** Inverted lists; 0 where there are none. */
  readonly lists: number;
  /** Why nothing can be removed, and what to do instead; null where it can. */
  readonly removeRefusal: Refusal | null;
}

export interface Refusal {
  readonly message: string;
  readonly fix: string;
}

export const hnswCannotRemove: Refusal = {
  message: "HNSW cannot remove; rebuild, or use IVF or Flat",
  fix: "rebuild the index without those vectors, or build it as IVF or Flat",
};

/**
 * What all engines have in common: arguments are checked here, so that every engine refuses the
 * same things in the same words, and ids are dealt out here. The inner verbs (`doTrain`, `doAdd`,
 * …) get only what has been checked.
 */
export abstract class CheckedIndex implements VectorIndex {
  readonly id: string;
  readonly version: string;
  readonly kind: "real" | "binary";
  readonly metric: IndexMetric;
  readonly dim: number;
  readonly #lists: number;
  readonly #removeRefusal: Refusal | null;
  readonly #warnings: string[] = [];
  #size: number;
  #trained: boolean;
  #nextId: number;
  #closed = false;

  protected constructor({
    id,
    version,
    kind,
    metric,
    dim,
    size,
    trained,
    largestId,
    lists,
    removeRefusal,
  }: IndexState) {
    this.id = id;
    this.version = version;
    this.kind = kind;
    this.metric = metric;
    this.dim = dim;
    this.#size = size;
    this.#trained = trained;
    this.#nextId = largestId + 1;
    this.#lists = lists;
    this.#removeRefusal = removeRefusal;
  }

  get size(): number {
    return this.#size;
  }

  get trained(): boolean {
    return this.#trained;
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  async train(rows: Vectors | Codes): Promise<void> {
    this.#requireOpen();
    const checked = checkRows(rows, this, "the training rows");
    if (checked.n < this.#lists) {
      throw new UserError({
        code: "too-few-training-points",
        message: `an index of ${this.#lists} lists cannot be trained on ${checked.n} vectors`,
        expected: `${this.#lists} or more, better ${pointsPerList * this.#lists}`,
        found: `${checked.n}`,
        fix: "take fewer lists, or Flat",
      });
    }
    if (checked.n < pointsPerList * this.#lists) {
      this.#warnings.push(
        `trained on ${checked.n} vectors for ${this.#lists} lists, ` +
          `${(checked.n / this.#lists).toFixed(1)} a list; under ${pointsPerList} a list the ` +
          "centroids are poor",
      );
    }
    await this.doTrain(checked);
    this.#trained = true;
  }

  async add(rows: Vectors | Codes, ids?: Float64Array): Promise<void> {
    this.#requireOpen();
    const checked = checkRows(rows, this, "the rows");
    if (ids) checkIds(ids, checked.n);
    if (!this.#trained) throw untrained("added to");
    if (checked.n === 0) return;
    const given = ids ?? Float64Array.from({ length: checked.n }, (_, i) => this.#nextId + i);
    this.#nextId = given.reduce((next, id) => Math.max(next, id + 1), this.#nextId);
    await this.doAdd(checked, given);
    this.#size += checked.n;
  }

  async search(queries: Vectors | Codes, k: number): Promise<Neighbours> {
    return { k, ...(await this.doSearch(this.#checkQueries(queries, k), k)) };
  }

  searchSync(queries: Vectors | Codes, k: number): Neighbours {
    const { rows, scores } = this.doSearchSync(this.#checkQueries(queries, k), k);
    return { k, rows, scores };
  }

  set(parameters: Readonly<Record<string, number>>): void {
    this.#requireOpen();
    const known = this.parameterNames();
    // All are checked before any is set.
    for (const [name, value] of Object.entries(parameters)) {
      if (!known.includes(name)) {
        throw new UserError({
          code: "unknown-parameter",
          message: `this index has no parameter ${JSON.stringify(name)}`,
          expected: known.length > 0 ? oneOf(known) : "no parameters",
          found: name,
        });
      }
      if (!Number.isSafeInteger(value) || value < 1) {
        throw new UserError({
          code: "bad-parameter",
          message: `${name} must be a whole number`,
          expected: "1 or more",
          found: String(value),
        });
      }
    }
    for (const [name, value] of Object.entries(parameters)) this.doSet(name, value);
  }

  async remove(ids: Float64Array): Promise<number> {
    this.#requireOpen();
    checkIds(ids, null);
    if (this.#removeRefusal)
      throw new UserError({ code: "remove-unsupported", ...this.#removeRefusal, found: this.id });
    if (ids.length === 0 || this.#size === 0) return 0;
    const removed = await this.doRemove(ids);
    this.#size -= removed;
    return removed;
  }

  async serialize(): Promise<Uint8Array> {
    this.#requireOpen();
    return this.doSerialize();
  }

  bytes(): number {
    this.#requireOpen();
    return this.doBytes();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.doClose();
  }

  /** Run-time parameters that `set` takes. */
  protected abstract parameterNames(): readonly string[];
  protected abstract doTrain(rows: CheckedRows): Promise<void>;
  protected abstract doAdd(rows: CheckedRows, ids: Float64Array): Promise<void>;
  protected abstract doSearch(queries: CheckedRows, k: number): Promise<Omit<Neighbours, "k">>;
  protected abstract doSearchSync(queries: CheckedRows, k: number): Omit<Neighbours, "k">;
  protected abstract doSet(name: string, value: number): void;
  protected abstract doRemove(ids: Float64Array): Promise<number>;
  protected abstract doSerialize(): Promise<Uint8Array>;
  protected abstract doBytes(): number;
  protected abstract doClose(): void;

  #checkQueries(queries: Vectors | Codes, k: number): CheckedRows {
    this.#requireOpen();
    const checked = checkRows(queries, this, "the queries");
    checkK(k, checked.n);
    if (!this.#trained) throw untrained("searched");
    return checked;
  }

  #requireOpen(): void {
    if (this.#closed)
      throw new UserError({
        code: "index-closed",
        message: "the index has been closed",
        found: this.id,
      });
  }
}

function untrained(done: string): UserError {
  return new UserError({
    code: "untrained",
    message: `the index must be trained before it is ${done}`,
    fix: "call train first",
  });
}
