import { UserError } from "../errors.js";
import type { Neighbours } from "../types.js";
import { isExhaustive } from "./factory.js";
import type { IndexEngine } from "./index-engine.js";
import { CheckedIndex } from "./checked-index.js";
import { seal, sealedLength, unseal } from "./envelope.js";
import type { CheckedRows, IndexShape } from "./row-checks.js";
import { RowStore } from "./row-store.js";

/** Set bits of each byte. */
const popcount = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte.toString(2).replaceAll("0", "").length,
);

/**
 * The oracle: every row is compared in plain TypeScript, sums in float64, and equal scores are
 * ordered by row. Slow, and therefore easy to believe.
 */
export class ExactIndex extends CheckedIndex {
  readonly #factory: string;
  readonly #store: RowStore;

  private constructor(shape: IndexShape, factory: string, store: RowStore, largestId: number) {
    super({
      ...shape,
      id: `exact ${factory}`,
      version: "1",
      size: store.size,
      trained: true,
      largestId,
      lists: 0,
      removeRefusal: null,
    });
    this.#factory = factory;
    this.#store = store;
  }

  static open(shape: IndexShape, factory: string): ExactIndex {
    requireFlat("exact", factory);
    return new ExactIndex(shape, factory, new RowStore(shape.kind, widthOf(shape)), -1);
  }

  static load(bytes: Uint8Array): ExactIndex {
    const { factory, kind, metric, dim, size, ids, payload } = unseal(bytes, "exact");
    const shape: IndexShape = { kind, metric, dim };
    const data = storedRows(payload, shape, size);
    const store = new RowStore(kind, widthOf(shape));
    store.add({ data, n: size }, ids);
    return new ExactIndex(
      shape,
      factory,
      store,
      ids.reduce((a, b) => Math.max(a, b), -1),
    );
  }

  protected override parameterNames(): readonly string[] {
    return [];
  }

  protected override async doTrain(): Promise<void> {
    // nothing to learn
  }

  protected override async doAdd(rows: CheckedRows, ids: Float64Array): Promise<void> {
    this.#store.add(rows, ids);
  }

  protected override async doSearch(
    queries: CheckedRows,
    k: number,
  ): Promise<Omit<Neighbours, "k">> {
    return this.doSearchSync(queries, k);
  }

  protected override doSearchSync(queries: CheckedRows, k: number): Omit<Neighbours, "k"> {
    return scan(this.#store, queries, k, this.metric);
  }

  protected override doSet(): void {
    // no parameters
  }

  protected override async doRemove(ids: Float64Array): Promise<number> {
    return this.#store.remove(ids);
  }

  protected override async doSerialize(): Promise<Uint8Array> {
    const { data, ids } = this.#store;
    return seal(
      this.#envelope(),
      ids,
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
  }

  protected override doBytes(): number {
    return sealedLength(this.#envelope(), this.#store.data.byteLength);
  }

  protected override doClose(): void {
    this.#store.clear();
  }

  #envelope() {
    const { kind, metric, dim, size } = this;
    return { engine: "exact", factory: this.#factory, kind, metric, dim, size };
  }
}

/** @throws UserError `index-factory` for anything but a flat index. */
export function requireFlat(engine: string, factory: string): void {
  if (isExhaustive(factory)) return;
  throw new UserError({
    code: "index-factory",
    message: `the engine ${engine} has only flat indexes`,
    expected: "Flat, BFlat, or either after IDMap2,",
    found: factory,
    fix: "choose Flat, or the engine faiss",
  });
}

/** Values a row: floats, or bytes of a code. */
export function widthOf({ kind, dim }: IndexShape): number {
  return kind === "binary" ? dim / 8 : dim;
}

/** The rows of a payload that was sealed by a scanning engine. */
export function storedRows(
  payload: Uint8Array,
  shape: IndexShape,
  size: number,
): Float32Array | Uint8Array {
  const bytes = size * widthOf(shape) * (shape.kind === "real" ? 4 : 1);
  if (payload.length !== bytes)
    throw new UserError({
      code: "index-corrupt",
      message: "the rows are not as many as the header says",
      expected: `${bytes} bytes`,
      found: `${payload.length}`,
      fix: "build the index again",
    });
  // Copied, because a Float32Array must begin at a multiple of 4.
  const copy = new Uint8Array(payload);
  return shape.kind === "real" ? new Float32Array(copy.buffer) : copy;
}

function scan(
  store: RowStore,
  queries: CheckedRows,
  k: number,
  metric: IndexShape["metric"],
): Omit<Neighbours, "k"> {
  const { size, width, ids } = store;
  const higherIsBetter = metric === "inner-product";
  const rows = new Float64Array(queries.n * k).fill(-1);
  const scores = new Float32Array(queries.n * k).fill(higherIsBetter ? -Infinity : Infinity);
  const all = new Float64Array(size);
  for (let q = 0; q < queries.n; q++) {
    const query = queries.data.subarray(q * width, (q + 1) * width);
    if (metric === "hamming") hamming(store.data as Uint8Array, query as Uint8Array, all);
    else if (metric === "l2") squaredL2(store.data as Float32Array, query as Float32Array, all);
    else innerProduct(store.data as Float32Array, query as Float32Array, all);
    bestOf(all, k, higherIsBetter).forEach((row, i) => {
      rows[q * k + i] = ids[row]!;
      scores[q * k + i] = all[row]!;
    });
  }
  return { rows, scores };
}

function innerProduct(data: Float32Array, query: Float32Array, to: Float64Array): void {
  const dim = query.length;
  for (let row = 0, at = 0; row < to.length; row++) {
    let sum = 0;
    for (let i = 0; i < dim; i++) sum += data[at++]! * query[i]!;
    to[row] = sum;
  }
}

function squaredL2(data: Float32Array, query: Float32Array, to: Float64Array): void {
  const dim = query.length;
  for (let row = 0, at = 0; row < to.length; row++) {
    let sum = 0;
    for (let i = 0; i < dim; i++) {
      const d = data[at++]! - query[i]!;
      sum += d * d;
    }
    to[row] = sum;
  }
}

function hamming(data: Uint8Array, query: Uint8Array, to: Float64Array): void {
  const width = query.length;
  for (let row = 0, at = 0; row < to.length; row++) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += popcount[data[at++]! ^ query[i]!]!;
    to[row] = sum;
  }
}

/** Rows of the k best scores, best first, equal ones by row: insertion into a short sorted list. */
function bestOf(scores: Float64Array, k: number, higherIsBetter: boolean): number[] {
  const best: number[] = [];
  const better = (a: number, b: number): boolean => (higherIsBetter ? a > b : a < b);
  for (let row = 0; row < scores.length; row++) {
    const score = scores[row]!;
    if (best.length === k && !better(score, scores[best[k - 1]!]!)) continue;
    let at = best.length === k ? k - 1 : best.length;
    while (at > 0 && better(score, scores[best[at - 1]!]!)) {
      best[at] = best[at - 1]!;
      at--;
    }
    best[at] = row;
  }
  return best;
}

export const exactEngine: IndexEngine = {
  name: "exact",
  what: "the plain oracle, without any library",
  kinds: ["real", "binary"],
  metrics: ["inner-product", "l2", "hamming"],
  parameters: [],
  examples: [
    { factory: "Flat", kind: "real", exhaustive: {} },
    { factory: "BFlat", kind: "binary", exhaustive: {} },
  ],
  removes: () => true,
  open: (shape, factory) => ExactIndex.open(shape, factory),
  load: (bytes) => Promise.resolve(ExactIndex.load(bytes)),
};
