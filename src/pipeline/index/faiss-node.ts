import { createRequire } from "node:module";
import type * as faissNode from "faiss-node";
import { UserError } from "../errors.js";
import { packageVersion } from "../package-version.js";
import type { Neighbours } from "../types.js";
import { CheckedIndex, hnswCannotRemove, type Refusal } from "./checked-index.js";
import { seal, sealedLength, unseal } from "./envelope.js";
import { isExhaustive, readFactory } from "./factory.js";
import type { IndexEngine } from "./index-engine.js";
import type { CheckedRows, IndexShape } from "./row-checks.js";

type Package = typeof faissNode;

const require = createRequire(import.meta.url);

/** What the package leaves at Faiss's default: it has no setter. */
type Family = ReturnType<typeof readFactory>["family"];

const fixedParameters: Readonly<Partial<Record<Family, Readonly<Record<string, number>>>>> = {
  hnsw: { efConstruction: 40, efSearch: 16 },
  ivf: { nprobe: 1 },
};

const ivfCannotRemove: Refusal = {
  message:
    "faiss-node cannot remove from an IVF: it numbers new rows by their count, and would use " +
    "ids twice",
  fix: "use Flat, or the engine faiss",
};

const refusals: Readonly<Partial<Record<Family, Refusal>>> = {
  hnsw: hnswCannotRemove,
  ivf: ivfCannotRemove,
};

/**
 * The package faiss-node, to compare with: arrays of numbers in and out, synchronous, no run-time
 * parameters, no binary index, no ids. It lets Faiss's exceptions end the process, so that only
 * factories and arguments that cannot raise one get through.
 */
export class FaissNodeIndex extends CheckedIndex {
  readonly #factory: string;
  readonly #fixed: Readonly<Record<string, number>>;
  #index: faissNode.Index;
  /** Id of each row: the package itself knows only row numbers. */
  #ids: number[];
  #payload: Uint8Array | null = null;

  private constructor(index: faissNode.Index, shape: IndexShape, factory: string, ids: number[]) {
    const { family, lists } = readFactory(factory);
    super({
      ...shape,
      id: `faiss-node ${factory}`,
      version: version(),
      size: ids.length,
      trained: index.isTrained(),
      largestId: ids.reduce((a, b) => Math.max(a, b), -1),
      lists,
      removeRefusal: refusals[family] ?? null,
    });
    this.#index = index;
    this.#factory = factory;
    this.#fixed = fixedParameters[family] ?? {};
    this.#ids = ids;
  }

  static open(shape: IndexShape, factory: string): FaissNodeIndex {
    if (shape.kind === "binary") {
      throw new UserError({
        code: "index-factory",
        message: "faiss-node has no binary indexes",
        found: factory,
        fix: "use the engine faiss",
      });
    }
    // The ids are kept here, and the package cannot fill an id map.
    const { plain } = readFactory(factory);
    if (!isOffered(factory)) {
      throw new UserError({
        code: "index-factory",
        message: "this index is not offered through faiss-node",
        expected: "Flat, HNSW32 or IVF…,Flat, also after IDMap2,",
        found: factory,
        fix: "use the engine faiss",
      });
    }
    const { Index, MetricType } = loadPackage();
    const metric =
      shape.metric === "inner-product" ? MetricType.METRIC_INNER_PRODUCT : MetricType.METRIC_L2;
    return new FaissNodeIndex(Index.fromFactory(shape.dim, plain, metric), shape, plain, []);
  }

  static load(bytes: Uint8Array): FaissNodeIndex {
    const { factory, kind, metric, dim, ids, payload } = unseal(bytes, "faiss-node");
    return new FaissNodeIndex(
      loadPackage().Index.fromBuffer(Buffer.from(payload)),
      { kind, metric, dim },
      factory,
      Array.from(ids),
    );
  }

  protected override parameterNames(): readonly string[] {
    return Object.keys(this.#fixed);
  }

  protected override async doTrain({ data }: CheckedRows): Promise<void> {
    this.#index.train(Array.from(data));
  }

  protected override async doAdd({ data, n }: CheckedRows, ids: Float64Array): Promise<void> {
    this.#payload = null;
    // Blocks of rows: one array for a large gallery would hold 8 bytes a number, and V8 refuses the
    // largest.
    const block = Math.max(1, Math.floor(4e6 / this.dim));
    for (let row = 0; row < n; row += block)
      this.#index.add(Array.from(data.subarray(row * this.dim, (row + block) * this.dim)));
    for (const id of ids) this.#ids.push(id);
  }

  protected override async doSearch(
    queries: CheckedRows,
    k: number,
  ): Promise<Omit<Neighbours, "k">> {
    return this.doSearchSync(queries, k);
  }

  protected override doSearchSync({ data, n }: CheckedRows, k: number): Omit<Neighbours, "k"> {
    const rows = new Float64Array(n * k).fill(-1);
    const scores = new Float32Array(n * k).fill(
      this.metric === "inner-product" ? -Infinity : Infinity,
    );
    const reach = Math.min(k, this.size);
    if (reach === 0 || n === 0) return { rows, scores };
    const { labels, distances } = this.#index.search(Array.from(data), reach);
    for (let q = 0; q < n; q++) {
      for (let i = 0; i < reach; i++) {
        const row = labels[q * reach + i]!;
        if (row < 0) continue;
        rows[q * k + i] = this.#ids[row]!;
        scores[q * k + i] = distances[q * reach + i]!;
      }
    }
    return { rows, scores };
  }

  protected override doSet(name: string, value: number): void {
    if (this.#fixed[name] === value) return;
    throw new UserError({
      code: "unknown-parameter",
      message: `faiss-node has no setter for ${name}`,
      expected: `${name} ${this.#fixed[name]}, Faiss's default`,
      found: String(value),
      fix: "use the engine faiss",
    });
  }

  protected override async doRemove(ids: Float64Array): Promise<number> {
    this.#payload = null;
    const gone = new Set(ids);
    const rows = this.#ids.flatMap((id, row) => (gone.has(id) ? [row] : []));
    if (rows.length === 0) return 0;
    const removed = this.#index.removeIds(rows);
    this.#ids = this.#ids.filter((id) => !gone.has(id));
    return removed;
  }

  protected override async doSerialize(): Promise<Uint8Array> {
    return seal(this.#envelope(), Float64Array.from(this.#ids), this.#bytesOfFaiss());
  }

  protected override doBytes(): number {
    return sealedLength(this.#envelope(), this.#bytesOfFaiss().length);
  }

  protected override doClose(): void {
    // The package frees its memory when the garbage collector finds it: all that can be done is to
    // let go.
    this.#index = new (loadPackage().IndexFlatL2)(1);
    this.#ids = [];
    this.#payload = null;
  }

  #bytesOfFaiss(): Uint8Array {
    this.#payload ??= this.#index.toBuffer();
    return this.#payload;
  }

  #envelope() {
    const { kind, metric, dim, size } = this;
    return { engine: "faiss-node", factory: this.#factory, kind, metric, dim, size };
  }
}

function loadPackage(): Package {
  try {
    return require("faiss-node") as Package;
  } catch (error) {
    throw new UserError(
      {
        code: "engine-missing",
        message: "the package faiss-node cannot be loaded",
        found: (error as Error).message.split("\n")[0] ?? "",
        fix: "run: node setup.mjs",
      },
      { cause: error },
    );
  }
}

function version(): string {
  return `faiss-node ${packageVersion("faiss-node") ?? "unknown"}`;
}

/** Flat, HNSW32 or IVF…,Flat, also after an id map. */
function isOffered(factory: string): boolean {
  const { plain, links, lists } = readFactory(factory);
  if (links > 9999 || lists > 999_999) return false;
  return ["Flat", `HNSW${links}`, `HNSW${links},Flat`, `IVF${lists},Flat`].includes(plain);
}

export const faissNodeEngine: IndexEngine = {
  name: "faiss-node",
  what: "the package faiss-node: Flat, HNSW32, IVF…,Flat",
  kinds: ["real"],
  metrics: ["inner-product", "l2"],
  parameters: [],
  examples: [
    { factory: "Flat", kind: "real", exhaustive: {} },
    { factory: "HNSW8", kind: "real", exhaustive: null },
    { factory: "IVF4,Flat", kind: "real", exhaustive: null },
    { factory: "IVF1,Flat", kind: "real", exhaustive: {} },
  ],
  removes: isExhaustive,
  open: (shape, factory) => FaissNodeIndex.open(shape, factory),
  load: (bytes) => Promise.resolve(FaissNodeIndex.load(bytes)),
};
