import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type {
  FaissAddon,
  FaissBuild,
  FaissDescription,
  FaissError,
  FaissHandle,
} from "../../../native/faiss.js";
import { AddonError, loadAddon } from "../../../native/load.js";
import { UserError } from "../errors.js";
import { unreadable } from "../schema.js";
import type { Neighbours } from "../types.js";
import { CheckedIndex, hnswCannotRemove } from "./checked-index.js";
import { readFactory } from "./factory.js";
import {
  efConstruction,
  efSearch,
  nprobe,
  type ExampleFactory,
  type IndexEngine,
} from "./index-engine.js";
import type { CheckedRows, IndexShape } from "./row-checks.js";

/**
 * Faiss's C++ through the addon. Asynchronous calls run on worker threads in the order in which
 * they were made, any number of searches at once and a change alone; the arrays given must stay as
 * they are until the promise settles. `searchSync` and `bytes` are refused while a change is under
 * way.
 */
export class FaissIndex extends CheckedIndex {
  readonly #handle: FaissHandle;
  readonly #parameters: readonly string[];
  #rows: number;
  /**
   * The index keeps no ids, as IDMap2 and IVF do: an id is a row number, as long as none is given
   * that says otherwise.
   */
  #idsAreRows: boolean;

  private constructor(
    handle: FaissHandle,
    {
      kind,
      metric,
      dim,
      size,
      trained,
      type,
      idMapped,
      lists,
      largestId,
      parameters,
    }: FaissDescription,
    factory: string,
  ) {
    if (metric === "other")
      throw new UserError({
        code: "index-metric",
        message: "the index compares by a metric that is not supported",
        expected: "inner product, squared L2 or Hamming",
      });
    super({
      kind,
      metric,
      dim,
      size,
      trained,
      lists,
      largestId,
      id: `faiss ${factory}`,
      version: faissBuild(),
      removeRefusal: type === "hnsw" ? hnswCannotRemove : null,
    });
    this.#handle = handle;
    this.#parameters = Object.keys(parameters);
    this.#rows = size;
    this.#idsAreRows = !idMapped && type !== "ivf";
  }

  static open({ kind, metric, dim }: IndexShape, factory: string): FaissIndex {
    const faiss = addon();
    const handle = asUserError(factory, () => faiss.create(factory, dim, metric));
    const index = new FaissIndex(handle, faiss.describe(handle), factory);
    if (index.kind !== kind) throw new Error(`a ${kind} factory made a ${index.kind} index`);
    return index;
  }

  /**
   * Reads bytes that this engine, or Faiss itself, wrote. `trusted`: their hash was known, so that
   * index types without structure check pass.
   */
  static async load(bytes: Uint8Array, factory: string, trusted: boolean): Promise<FaissIndex> {
    const handle = await asUserErrorAsync(factory, () => addon().deserialize(bytes, trusted));
    return FaissIndex.#from(handle, factory);
  }

  /** The same from a file, of any size, whose hash is checked first where it is given. */
  static async read(file: string, factory: string, sha256?: string): Promise<FaissIndex> {
    if (sha256 !== undefined) requireHash(await hashFile(file), sha256, file);
    const handle = await asUserErrorAsync(
      factory,
      () => addon().read(file, sha256 !== undefined),
      file,
    );
    return FaissIndex.#from(handle, factory);
  }

  static #from(handle: FaissHandle, factory: string): FaissIndex {
    try {
      return new FaissIndex(handle, addon().describe(handle), factory);
    } catch (error) {
      addon().close(handle);
      throw error;
    }
  }

  /** Run-time parameters and their present values. */
  get parameters(): Readonly<Record<string, number>> {
    return this.#call((faiss) => faiss.describe(this.#handle).parameters);
  }

  /**
   * Writes the index to a new file without a copy in JavaScript; resolves to its bytes. The caller
   * renames it into place.
   */
  async write(file: string): Promise<number> {
    return this.#callAsync((faiss) => faiss.write(this.#handle, file));
  }

  /** Vectors (or codes) by id, in that order. */
  async reconstruct(ids: Float64Array): Promise<Float32Array | Uint8Array> {
    return this.#callAsync((faiss) => faiss.reconstruct(this.#handle, ids));
  }

  protected override parameterNames(): readonly string[] {
    return this.#parameters;
  }

  protected override async doTrain({ data }: CheckedRows): Promise<void> {
    await this.#callAsync((faiss) => faiss.train(this.#handle, data));
  }

  protected override async doAdd({ data, n }: CheckedRows, ids: Float64Array): Promise<void> {
    // An index without ids gets an id map around it only when an id first differs from its row.
    this.#idsAreRows &&= ids.every((id, i) => id === this.#rows + i);
    this.#rows += n;
    try {
      await this.#callAsync((faiss) =>
        this.#idsAreRows ? faiss.add(this.#handle, data) : faiss.add(this.#handle, data, ids),
      );
    } catch (error) {
      this.#idsAreRows = false; // nobody knows how many rows are in
      throw error;
    }
  }

  protected override async doSearch(
    { data }: CheckedRows,
    k: number,
  ): Promise<Omit<Neighbours, "k">> {
    return this.#callAsync((faiss) => faiss.search(this.#handle, data, k));
  }

  protected override doSearchSync({ data }: CheckedRows, k: number): Omit<Neighbours, "k"> {
    return this.#call((faiss) => faiss.searchSync(this.#handle, data, k));
  }

  protected override doSet(name: string, value: number): void {
    this.#call((faiss) => {
      faiss.set(this.#handle, name, value);
    });
  }

  protected override async doRemove(ids: Float64Array): Promise<number> {
    this.#idsAreRows = false;
    return this.#callAsync((faiss) => faiss.remove(this.#handle, ids));
  }

  protected override async doSerialize(): Promise<Uint8Array> {
    return this.#callAsync((faiss) => faiss.serialize(this.#handle));
  }

  protected override doBytes(): number {
    return this.#call((faiss) => faiss.bytes(this.#handle));
  }

  protected override doClose(): void {
    addon().close(this.#handle);
  }

  #call<T>(work: (faiss: FaissAddon["faiss"]) => T): T {
    return asUserError(this.id, () => work(addon()));
  }

  #callAsync<T>(work: (faiss: FaissAddon["faiss"]) => Promise<T>): Promise<T> {
    return asUserErrorAsync(this.id, () => work(addon()));
  }
}

/** The addon's Faiss calls. */
function addon(): FaissAddon["faiss"] {
  try {
    return loadAddon().faiss;
  } catch (error) {
    if (!(error instanceof AddonError)) throw error;
    throw new UserError(
      { code: "addon-missing", message: error.message.replace(/\. Run: .*$/, ""), fix: error.fix },
      { cause: error },
    );
  }
}

/**
 * Version, level and BLAS of the Faiss in use, as records hold them; `absent` where the addon is
 * not built.
 */
export function faissBuild(): string {
  const build = faissBuildDetails();
  return build ? `faiss ${build.version} ${build.level}, ${build.blas}, ${build.origin}` : "absent";
}

/** All that is known of the Faiss in use; null where the addon is not built or does not load. */
export function faissBuildDetails(): FaissBuild | null {
  try {
    return loadAddon().faiss.build();
  } catch (error) {
    if (error instanceof AddonError) return null;
    throw error;
  }
}

/** Threads of OpenMP and BLAS for all Faiss indexes of the engine `faiss`. */
export function setFaissThreads(threads: number): void {
  addon().setThreads(threads);
}

/** @throws UserError `index-corrupt` */
export function requireHash(found: string, expected: string, file?: string): void {
  if (found === expected) return;
  throw new UserError({
    code: "index-corrupt",
    message: "the index is not the one that was saved: its hash differs",
    ...(file !== undefined && { file }),
    expected: `sha256 ${expected}`,
    found,
    fix: "build the index again",
  });
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    throw unreadable(file, error);
  }
  return hash.digest("hex");
}

function asUserError<T>(what: string, work: () => T, file?: string): T {
  try {
    return work();
  } catch (error) {
    throw translate(error, what, file);
  }
}

async function asUserErrorAsync<T>(
  what: string,
  work: () => Promise<T>,
  file?: string,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error, what, file);
  }
}

const fixes: Partial<Record<FaissError["code"], { code: string; fix?: string }>> = {
  "faiss-closed": { code: "index-closed" },
  "faiss-busy": { code: "index-busy", fix: "await the call that changes the index" },
  "faiss-file": { code: "index-corrupt", fix: "build the index again" },
  "faiss-memory": {
    code: "out-of-memory",
    fix: "search in smaller batches, or take a smaller index",
  },
  "faiss-error": { code: "index-refused" },
  "faiss-argument": { code: "index-refused" },
};

function translate(error: unknown, what: string, file?: string): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const known = fixes[(error as FaissError).code];
  if (!known) return error;
  return new UserError(
    {
      code: known.code,
      message: error.message,
      ...(file !== undefined ? { file } : { found: what }),
      ...(known.fix && { fix: known.fix }),
    },
    { cause: error },
  );
}

/** Plain and with an id map. */
function mapped(example: ExampleFactory): ExampleFactory[] {
  return [example, { ...example, factory: `IDMap2,${example.factory}` }];
}

const fourLists = { nprobe: 4 };
const examples: readonly ExampleFactory[] = [
  { factory: "Flat", kind: "real", exhaustive: {} },
  { factory: "HNSW8", kind: "real", exhaustive: null },
  { factory: "IVF4,Flat", kind: "real", exhaustive: fourLists },
  { factory: "BFlat", kind: "binary", exhaustive: {} },
  { factory: "BHNSW8", kind: "binary", exhaustive: null },
  { factory: "BIVF4", kind: "binary", exhaustive: fourLists },
];

export const faissEngine: IndexEngine = {
  name: "faiss",
  what: "Faiss, any factory string",
  kinds: ["real", "binary"],
  metrics: ["inner-product", "l2", "hamming"],
  parameters: [efConstruction, nprobe, efSearch],
  examples: examples.flatMap(mapped),
  removes: (factory) => readFactory(factory).family !== "hnsw",
  open: (shape, factory) => FaissIndex.open(shape, factory),
  load: (bytes, { factory, trusted }) => FaissIndex.load(bytes, factory, trusted),
  read: (file, { factory, sha256 }) => FaissIndex.read(file, factory, sha256),
};
