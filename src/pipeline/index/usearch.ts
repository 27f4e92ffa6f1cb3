import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type * as usearch from "usearch";
import { asWriteError } from "../atomic-file.js";
import { UserError } from "../errors.js";
import { packageVersion } from "../package-version.js";
import { scratchBeside } from "../scratch.js";
import type { Neighbours } from "../types.js";
import { CheckedIndex } from "./checked-index.js";
import { seal, sealedLength, unseal } from "./envelope.js";
import { storedRows, widthOf } from "./exact.js";
import { readFactory } from "./factory.js";
import { efConstruction, efSearch, type IndexEngine } from "./index-engine.js";
import type { CheckedRows, IndexShape } from "./row-checks.js";
import { RowStore } from "./row-store.js";

const require = createRequire(import.meta.url);

/**
 * The package usearch: `Flat` is its exactSearch over rows that are kept here, `HNSWn` its graph
 * with n links. Synchronous; floats only, because its Node package takes no packed codes.
 * `searchSync` runs on one thread.
 */
export class UsearchIndex extends CheckedIndex {
  readonly #engine: Flat | Graph;
  readonly #factory: string;

  private constructor(engine: Flat | Graph, shape: IndexShape, factory: string, largestId: number) {
    super({
      ...shape,
      id: `usearch ${factory}`,
      version: version(),
      size: engine.size,
      trained: true,
      largestId,
      lists: 0,
      removeRefusal: null,
    });
    this.#engine = engine;
    this.#factory = factory;
  }

  static open(shape: IndexShape, factory: string): UsearchIndex {
    if (shape.kind === "binary")
      throw new UserError({
        code: "index-factory",
        message: "the Node package of usearch takes no packed codes",
        found: factory,
        fix: "use the engine faiss",
      });
    return new UsearchIndex(engineFor(shape, factory), shape, factory, -1);
  }

  static load(bytes: Uint8Array): UsearchIndex {
    const { factory, kind, metric, dim, size, ids, payload } = unseal(bytes, "usearch");
    const shape: IndexShape = { kind, metric, dim };
    const engine = engineFor(shape, factory);
    engine.restore(payload, ids, size);
    return new UsearchIndex(
      engine,
      shape,
      factory,
      ids.reduce((a, b) => Math.max(a, b), -1),
    );
  }

  protected override parameterNames(): readonly string[] {
    return this.#engine instanceof Graph ? ["efSearch", "efConstruction"] : [];
  }

  protected override async doTrain(): Promise<void> {
    // nothing to learn
  }

  protected override async doAdd(rows: CheckedRows, ids: Float64Array): Promise<void> {
    this.#engine.add(rows, ids);
  }

  protected override async doSearch(
    queries: CheckedRows,
    k: number,
  ): Promise<Omit<Neighbours, "k">> {
    return this.#search(queries, k, availableParallelism());
  }

  protected override doSearchSync(queries: CheckedRows, k: number): Omit<Neighbours, "k"> {
    return this.#search(queries, k, 1);
  }

  protected override doSet(name: string, value: number): void {
    if (this.#engine instanceof Graph) this.#engine.set(name, value);
  }

  protected override async doRemove(ids: Float64Array): Promise<number> {
    return this.#engine.remove(ids);
  }

  protected override async doSerialize(): Promise<Uint8Array> {
    return seal(this.#envelope(), this.#engine.ids, this.#engine.payload());
  }

  protected override doBytes(): number {
    return sealedLength(this.#envelope(), this.#engine.payloadBytes());
  }

  protected override doClose(): void {
    this.#engine.clear();
  }

  #search({ data, n }: CheckedRows, k: number, threads: number): Omit<Neighbours, "k"> {
    const rows = new Float64Array(n * k).fill(-1);
    const scores = new Float32Array(n * k).fill(
      this.metric === "inner-product" ? -Infinity : Infinity,
    );
    const reach = Math.min(k, this.size);
    if (reach === 0 || n === 0) return { rows, scores };
    const found = this.#engine.search(ownBuffer(data as Float32Array), reach, threads);
    for (let q = 0; q < n; q++) {
      for (let i = 0; i < (found.counts?.[q] ?? found.keys.length); i++) {
        rows[q * k + i] = this.#engine.idOf(Number(found.keys[q * reach + i]));
        const distance = found.distances[q * reach + i]!;
        // usearch's `ip` is 1 - inner product
        scores[q * k + i] = this.metric === "inner-product" ? 1 - distance : distance;
      }
    }
    return { rows, scores };
  }

  #envelope() {
    const { kind, metric, dim, size } = this;
    return { engine: "usearch", factory: this.#factory, kind, metric, dim, size };
  }
}

interface Found {
  readonly keys: BigUint64Array;
  readonly distances: Float32Array;
  readonly counts?: ArrayLike<bigint | number>;
}

/** exactSearch over rows kept here. */
class Flat {
  readonly #shape: IndexShape;
  readonly #store: RowStore;

  constructor(shape: IndexShape) {
    this.#shape = shape;
    this.#store = new RowStore(shape.kind, widthOf(shape));
  }

  get size(): number {
    return this.#store.size;
  }

  get ids(): Float64Array {
    return this.#store.ids;
  }

  idOf(key: number): number {
    return this.#store.ids[key]!;
  }

  add(rows: CheckedRows, ids: Float64Array): void {
    this.#store.add(rows, ids);
  }

  remove(ids: Float64Array): number {
    return this.#store.remove(ids);
  }

  search(queries: Float32Array, k: number, threads: number): Found {
    const { exactSearch } = loadPackage();
    return exactSearch(
      this.#store.data as Float32Array,
      queries,
      this.#shape.dim,
      k,
      metricOf(this.#shape),
      threads,
    );
  }

  payload(): Uint8Array {
    const { data } = this.#store;
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }

  payloadBytes(): number {
    return this.#store.data.byteLength;
  }

  restore(payload: Uint8Array, ids: Float64Array, size: number): void {
    this.#store.add({ data: storedRows(payload, this.#shape, size), n: size }, ids);
  }

  clear(): void {
    this.#store.clear();
  }
}

/**
 * usearch's HNSW. Its expansions are fixed when it is made, so that a new efSearch means reading it
 * again with that setting.
 */
class Graph {
  readonly #shape: IndexShape;
  readonly #links: number;
  readonly #ids = new Set<number>();
  #efSearch = 16;
  #efConstruction = 40;
  #index: usearch.Index;
  #savedBytes: number | null = null;

  constructor(shape: IndexShape, links: number) {
    this.#shape = shape;
    this.#links = links;
    this.#index = this.#make();
  }

  get size(): number {
    return this.#ids.size;
  }

  get ids(): Float64Array {
    return Float64Array.from(this.#ids);
  }

  idOf(key: number): number {
    return key;
  }

  add({ data }: CheckedRows, ids: Float64Array): void {
    const known = ids.findIndex((id) => this.#ids.has(id));
    if (known >= 0)
      throw new UserError({
        code: "bad-ids",
        message: "the id is in the index already",
        path: `id ${known}`,
        found: String(ids[known]),
      });
    this.#savedBytes = null;
    this.#index.add(
      BigUint64Array.from(ids, (id) => BigInt(id)),
      ownBuffer(data as Float32Array),
      0,
    );
    for (const id of ids) this.#ids.add(id);
  }

  remove(ids: Float64Array): number {
    this.#savedBytes = null;
    const gone = [...new Set(ids)].filter((id) => this.#ids.delete(id));
    if (gone.length > 0) this.#index.remove(BigUint64Array.from(gone, (id) => BigInt(id)));
    return gone.length;
  }

  search(queries: Float32Array, k: number, threads: number): Found {
    return this.#index.search(queries as unknown as Float32Array[], k, threads);
  }

  set(name: string, value: number): void {
    if (name === "efSearch") this.#efSearch = value;
    else this.#efConstruction = value;
    const index = this.#make();
    if (this.size > 0)
      inTemporaryFile((file) => {
        this.#index.save(file);
        index.load(file);
      });
    this.#index = index;
  }

  payload(): Uint8Array {
    return inTemporaryFile((file) => {
      this.#index.save(file);
      return readFileSync(file);
    });
  }

  payloadBytes(): number {
    this.#savedBytes ??= inTemporaryFile((file) => {
      this.#index.save(file);
      return statSync(file).size;
    });
    return this.#savedBytes;
  }

  restore(payload: Uint8Array, ids: Float64Array): void {
    inTemporaryFile((file) => {
      writeFileSync(file, payload);
      this.#index.load(file);
    });
    for (const id of ids) this.#ids.add(id);
  }

  clear(): void {
    this.#index = this.#make();
    this.#ids.clear();
  }

  #make(): usearch.Index {
    const { Index, ScalarKind } = loadPackage();
    return new Index({
      dimensions: this.#shape.dim,
      metric: metricOf(this.#shape),
      quantization: ScalarKind.F32,
      connectivity: this.#links,
      expansion_add: this.#efConstruction,
      expansion_search: this.#efSearch,
      multi: false,
    });
  }
}

function engineFor(shape: IndexShape, factory: string): Flat | Graph {
  const { plain, links } = readFactory(factory);
  if (plain === "Flat") return new Flat(shape);
  if (plain === `HNSW${links}` && links >= 2 && links <= 9999) return new Graph(shape, links);
  throw new UserError({
    code: "index-factory",
    message: "usearch has no such index",
    expected: "Flat or HNSW32, also after IDMap2,",
    found: factory,
    fix: "use the engine faiss",
  });
}

function metricOf({ metric }: IndexShape): usearch.MetricKind {
  const { MetricKind } = loadPackage();
  return metric === "inner-product" ? MetricKind.IP : MetricKind.L2sq;
}

/**
 * The values in a buffer of their own: exactSearch reads a view from the beginning of its buffer,
 * wherever the view begins.
 */
function ownBuffer(data: Float32Array): Float32Array {
  return data.byteOffset === 0 ? data : data.slice();
}

/** usearch saves to files only. */
function inTemporaryFile<T>(work: (file: string) => T): T {
  const folder = scratchBeside(join(tmpdir(), "any"));
  try {
    mkdirSync(folder);
    return work(join(folder, "index"));
  } catch (error) {
    throw asWriteError(folder, error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function loadPackage(): typeof usearch.default {
  try {
    return require("usearch") as typeof usearch.default;
  } catch (error) {
    throw new UserError(
      {
        code: "engine-missing",
        message: "the package usearch cannot be loaded",
        found: (error as Error).message.split("\n")[0] ?? "",
        fix: "run: node setup.mjs",
      },
      { cause: error },
    );
  }
}

function version(): string {
  return `usearch ${packageVersion("usearch") ?? "unknown"}`;
}

export const usearchEngine: IndexEngine = {
  name: "usearch",
  what: "the package usearch: Flat, HNSW32",
  kinds: ["real"],
  metrics: ["inner-product", "l2"],
  parameters: [efConstruction, efSearch],
  examples: [
    { factory: "Flat", kind: "real", exhaustive: {} },
    { factory: "HNSW8", kind: "real", exhaustive: null },
  ],
  removes: () => true,
  open: (shape, factory) => UsearchIndex.open(shape, factory),
  load: (bytes) => Promise.resolve(UsearchIndex.load(bytes)),
};
