// index/: vectors or codes in, the rows nearest to a query out, whatever engine holds them. It
// never sees a picture or a label.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { asWriteError, writeAtomic } from "../atomic-file.js";
import { UserError, oneOf } from "../errors.js";
import { unreadable } from "../schema.js";
import { scratchBeside, sweepScratch } from "../scratch.js";
import type { VectorIndex } from "../types.js";
import { checkShape } from "./factory.js";
import { indexEngines } from "./engines.js";
import { requireHash } from "./faiss.js";
import type { IndexEngine, RunParameter } from "./index-engine.js";
import type { IndexShape } from "./row-checks.js";

export { faissBuild, faissBuildDetails, setFaissThreads } from "./faiss.js";
export { indexEngines } from "./engines.js";
export { isExhaustive, pickFactory, readFactory, type PickedFactory } from "./factory.js";

export const engineNames: readonly string[] = indexEngines.map(({ name }) => name);

/** Every parameter that some engine takes, the ones for building first: the order of names. */
export const runParameters: readonly RunParameter[] = [
  ...new Map(indexEngines.flatMap(({ parameters }) => parameters).map((p) => [p.name, p])).values(),
];

export interface IndexSpec extends IndexShape {
  readonly engine: string;
  /** A Faiss factory string; engines other than faiss know only some. */
  readonly factory: string;
}

export interface SavedIndex extends IndexSpec {
  /** What `serialize` gave. Give this or `file`. */
  readonly bytes?: Uint8Array;
  readonly file?: string;
  /** Where it is known, it is checked before any engine sees the bytes. */
  readonly sha256?: string;
}

/**
 * An empty index.
 *
 * @throws UserError `unknown-engine` (with the valid names), `index-shape`, `index-factory` or
 * `index-refused` for a factory that the engine lacks.
 */
export async function openIndex({
  engine,
  factory,
  kind,
  metric,
  dim,
}: IndexSpec): Promise<VectorIndex> {
  const found = engineOf(engine);
  const shape: IndexShape = { kind, metric, dim };
  checkShape(shape, factory);
  return found.open(shape, factory);
}

/**
 * An index as it was saved. Damaged data are refused before the engine could trip over them.
 *
 * @throws UserError `unknown-engine`, `index-corrupt`, `index-shape` where the saved index is of
 * another kind, metric or dimension than expected.
 */
export async function loadIndex(saved: SavedIndex): Promise<VectorIndex> {
  const index = await load(engineOf(saved.engine), saved);
  for (const key of ["kind", "metric", "dim"] as const) {
    if (index[key] === saved[key]) continue;
    index.close();
    throw new UserError({
      code: "index-shape",
      message: `the saved index has another ${key}`,
      ...(saved.file !== undefined && { file: saved.file }),
      expected: String(saved[key]),
      found: String(index[key]),
      fix: "load the index that belongs to these vectors",
    });
  }
  return index;
}

/**
 * Writes an index whole or not at all; resolves to its bytes. A Faiss index goes straight to the
 * file, so that it may be larger than an array.
 *
 * @throws UserError `write-failed`
 */
export async function saveIndex(index: VectorIndex, file: string): Promise<number> {
  const { FaissIndex } = await import("./faiss.js");
  if (!(index instanceof FaissIndex)) {
    const bytes = await index.serialize();
    await writeAtomic(file, bytes);
    return bytes.length;
  }
  const temporary = scratchBeside(file);
  try {
    await mkdir(dirname(file), { recursive: true });
    await sweepScratch(dirname(file));
    const bytes = await index.write(temporary);
    await rename(temporary, file);
    return bytes;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw asWriteError(file, error);
  }
}

async function load(
  engine: IndexEngine,
  { factory, file, bytes, sha256 }: SavedIndex,
): Promise<VectorIndex> {
  if (engine.read && file !== undefined)
    return engine.read(file, { factory, ...(sha256 !== undefined && { sha256 }) });
  const data = bytes ?? (await contents(file));
  if (sha256 !== undefined)
    requireHash(createHash("sha256").update(data).digest("hex"), sha256, file);
  return engine.load(data, { factory, trusted: sha256 !== undefined });
}

async function contents(file: string | undefined): Promise<Uint8Array> {
  if (file === undefined) throw new Error("loadIndex needs bytes or a file");
  try {
    return await readFile(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function engineOf(name: string): IndexEngine {
  const known = indexEngines.find((engine) => engine.name === name);
  if (known === undefined)
    throw new UserError({
      code: "unknown-engine",
      message: `no index engine ${JSON.stringify(name)}`,
      expected: oneOf(engineNames),
      found: name,
    });
  return known;
}
