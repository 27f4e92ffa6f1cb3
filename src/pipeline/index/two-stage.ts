import { binarise } from "./binarise.js";
import { UserError } from "../errors.js";
import type { Codes, Neighbours } from "../types.js";
import { CheckedIndex, hnswCannotRemove } from "./checked-index.js";
import { seal, sealedLength, unseal } from "./envelope.js";
import { readFactory } from "./factory.js";
import { faissEngine, FaissIndex } from "./faiss.js";
import type { IndexEngine } from "./index-engine.js";
import type { CheckedRows, IndexShape } from "./row-checks.js";
import { RowStore } from "./row-store.js";

/** Where an id's row is: at its own number, or in a map. */
type Places = "rows" | ReadonlyMap<number, number>;

const prefix = "Shortlist,";
const defaultShortlist = 100;

/**
 * A binary index of the vectors' signs proposes a shortlist, and the vectors themselves rank it:
 * `Shortlist,BFlat`, or any other binary factory of Faiss after the comma. `shortlist` says how
 * many are proposed; the binary index's own parameters pass through.
 *
 * As in Faiss's IndexRefine, with codes of one bit a value in place of a compressed index.
 */
export class TwoStageIndex extends CheckedIndex {
  readonly #codes: FaissIndex;
  readonly #factory: string;
  readonly #store: RowStore;
  /** Row of each id, made at the first search after a change. */
  #places: Places | null = null;
  #shortlist = defaultShortlist;

  private constructor(shape: IndexShape, factory: string, codes: FaissIndex, store: RowStore) {
    super({
      ...shape,
      id: `two-stage ${factory}`,
      version: codes.version,
      size: store.size,
      trained: codes.trained,
      largestId: store.ids.reduce((a, b) => Math.max(a, b), -1),
      lists: 0,
      removeRefusal: removes(factory) ? null : hnswCannotRemove,
    });
    this.#codes = codes;
    this.#factory = factory;
    this.#store = store;
  }

  /** @throws UserError `index-factory`, `index-shape` */
  static open(shape: IndexShape, factory: string): TwoStageIndex {
    const codes = FaissIndex.open(codeShape(shape, factory), factory.slice(prefix.length));
    return new TwoStageIndex(shape, factory, codes, new RowStore("real", shape.dim));
  }

  static async load(bytes: Uint8Array): Promise<TwoStageIndex> {
    const { factory, kind, metric, dim, size, ids, payload } = unseal(bytes, "two-stage");
    const shape: IndexShape = { kind, metric, dim };
    codeShape(shape, factory);
    const vectorBytes = size * dim * 4;
    if (payload.length < vectorBytes) throw shortPayload(payload.length, vectorBytes);
    const store = new RowStore("real", dim);
    const data = new Float32Array(new Uint8Array(payload.subarray(0, vectorBytes)).buffer);
    store.add({ data, n: size }, ids);
    // Trusted: the envelope's hash was checked.
    const codes = await FaissIndex.load(payload.subarray(vectorBytes), factory, true);
    return new TwoStageIndex(shape, factory, codes, store);
  }

  /** Bytes of the codes and of the vectors, apart. */
  get partBytes(): { readonly codes: number; readonly vectors: number } {
    return { codes: this.#codes.bytes(), vectors: this.#store.data.byteLength };
  }

  protected override parameterNames(): readonly string[] {
    return ["shortlist", ...Object.keys(this.#codes.parameters)];
  }

  protected override async doTrain(rows: CheckedRows): Promise<void> {
    await this.#codes.train(this.#signs(rows));
  }

  protected override async doAdd(rows: CheckedRows, ids: Float64Array): Promise<void> {
    await this.#codes.add(this.#signs(rows), ids);
    this.#store.add(rows, ids);
    this.#places = null;
  }

  protected override async doSearch(
    queries: CheckedRows,
    k: number,
  ): Promise<Omit<Neighbours, "k">> {
    const proposed = await this.#codes.search(this.#signs(queries), this.#reach(k));
    return this.#rank(queries, proposed, k);
  }

  protected override doSearchSync(queries: CheckedRows, k: number): Omit<Neighbours, "k"> {
    return this.#rank(queries, this.#codes.searchSync(this.#signs(queries), this.#reach(k)), k);
  }

  protected override doSet(name: string, value: number): void {
    if (name === "shortlist") this.#shortlist = value;
    else this.#codes.set({ [name]: value });
  }

  protected override async doRemove(ids: Float64Array): Promise<number> {
    await this.#codes.remove(ids);
    this.#places = null;
    return this.#store.remove(ids);
  }

  protected override async doSerialize(): Promise<Uint8Array> {
    const codes = await this.#codes.serialize();
    const { data, ids } = this.#store;
    const payload = new Uint8Array(data.byteLength + codes.byteLength);
    payload.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    payload.set(codes, data.byteLength);
    return seal(this.#envelope(), ids, payload);
  }

  protected override doBytes(): number {
    const { codes, vectors } = this.partBytes;
    return sealedLength(this.#envelope(), codes + vectors);
  }

  protected override doClose(): void {
    this.#codes.close();
    this.#store.clear();
  }

  /** Never fewer than the neighbours asked for, never more than there are. */
  #reach(k: number): number {
    return Math.max(1, Math.min(Math.max(k, this.#shortlist), Math.max(1, this.#store.size)));
  }

  #signs({ data }: CheckedRows): Codes {
    const codes = binarise(data as Float32Array, this.dim, "sign");
    if ("nanRow" in codes) throw new Error(`NaN in row ${codes.nanRow} of checked rows`);
    return codes;
  }

  #rank(queries: CheckedRows, proposed: Neighbours, k: number): Omit<Neighbours, "k"> {
    const places = (this.#places ??= placesOf(this.#store.ids));
    const higher = this.metric === "inner-product";
    const rows = new Float64Array(queries.n * k).fill(-1);
    const scores = new Float32Array(queries.n * k).fill(higher ? -Infinity : Infinity);
    const data = this.#store.data as Float32Array;
    const own = queries.data as Float32Array;
    for (let q = 0; q < queries.n; q++) {
      const query = own.subarray(q * this.dim, (q + 1) * this.dim);
      const list: { id: number; score: number }[] = [];
      for (let i = q * proposed.k; i < (q + 1) * proposed.k; i++) {
        const id = proposed.rows[i]!;
        if (id < 0) continue;
        const row = places === "rows" ? id : places.get(id)!;
        const vector = data.subarray(row * this.dim, (row + 1) * this.dim);
        const score = higher ? innerProduct(query, vector) : squaredDistance(query, vector);
        list.push({ id, score });
      }
      list.sort((a, b) => (higher ? b.score - a.score : a.score - b.score) || a.id - b.id);
      list.slice(0, k).forEach(({ id, score }, i) => {
        rows[q * k + i] = id;
        scores[q * k + i] = score;
      });
    }
    return { rows, scores };
  }

  #envelope() {
    const { kind, metric, dim, size } = this;
    return { engine: "two-stage", factory: this.#factory, kind, metric, dim, size };
  }
}

function placesOf(ids: Float64Array): Places {
  if (ids.every((id, row) => id === row)) return "rows";
  return new Map(Array.from(ids, (id, row) => [id, row]));
}

/** Four sums side by side: each addition would wait for the one before it. */
function innerProduct(a: Float32Array, b: Float32Array): number {
  let s = 0;
  let t = 0;
  let u = 0;
  let v = 0;
  const even = a.length - (a.length % 4);
  for (let i = 0; i < even; i += 4) {
    s += a[i]! * b[i]!;
    t += a[i + 1]! * b[i + 1]!;
    u += a[i + 2]! * b[i + 2]!;
    v += a[i + 3]! * b[i + 3]!;
  }
  for (let i = even; i < a.length; i++) s += a[i]! * b[i]!;
  return s + t + (u + v);
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}

/** The shape of the codes of a two-stage index of this shape. */
function codeShape({ kind, dim }: IndexShape, factory: string): IndexShape {
  if (!factory.startsWith(`${prefix}B`)) {
    throw new UserError({
      code: "index-factory",
      message: "a two-stage index is named by its binary index",
      expected: `${prefix}BFlat, ${prefix}BHNSW32…`,
      found: factory,
      fix: `write ${prefix} before a binary factory`,
    });
  }
  if (kind !== "real" || dim % 8 !== 0) {
    throw new UserError({
      code: "index-shape",
      message: "a two-stage index takes real vectors whose signs fill whole bytes",
      expected: "a dimension that is a multiple of 8",
      found: `${kind} vectors of ${dim}`,
    });
  }
  return { kind: "binary", metric: "hamming", dim };
}

function shortPayload(found: number, expected: number): UserError {
  return new UserError({
    code: "index-corrupt",
    message: "the vectors are not as many as the header says",
    expected: `${expected} bytes`,
    found: String(found),
    fix: "build the index again",
  });
}

function removes(factory: string): boolean {
  return readFactory(factory).family !== "hnsw";
}

export const twoStageEngine: IndexEngine = {
  name: "two-stage",
  what: "sign codes of Faiss whose shortlist the vectors rank: Shortlist,BFlat",
  kinds: ["real"],
  metrics: ["inner-product", "l2"],
  parameters: [
    ...faissEngine.parameters,
    {
      name: "shortlist",
      what: "candidates that the engine two-stage ranks by their vectors",
      least: 1,
      most: 2 ** 31 - 1,
    },
  ],
  examples: [
    { factory: `${prefix}BFlat`, kind: "real", exhaustive: null },
    { factory: `${prefix}BHNSW8`, kind: "real", exhaustive: null },
  ],
  removes,
  open: (shape, factory) => TwoStageIndex.open(shape, factory),
  load: (bytes) => TwoStageIndex.load(bytes),
};
