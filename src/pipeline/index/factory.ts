import { UserError } from "../errors.js";
import { rulesOf, type Protocol } from "../protocol.js";
import type { IndexShape } from "./row-checks.js";

/** Faiss's and PaddleClas's values, said openly: PaddleClas never raises nprobe or efSearch. */
const defaults = { hnsw: { efConstruction: 40, efSearch: 16 }, ivf: { nprobe: 1 } };

const largestLists = 65536;

export interface PickedFactory {
  /** A factory string for `openIndex`. */
  readonly factory: string;
  /** Run-time parameters to set after training and before adding. */
  readonly parameters: Readonly<Record<string, number>>;
}

/**
 * Completes PP-ShiTu's plain index names `Flat`, `HNSW32` (any HNSWn) and `IVF` for kind and size,
 * as PaddleClas's build_gallery.py does: real-valued indexes in an IDMap2, binary ones with a `B`
 * and no map, IVF with min(floor(count / 8), 65536) lists, one at least; `IVF1024` (any IVFn) names
 * their number. A factory string of Faiss (with a comma or a `B`) passes unchanged.
 *
 * @throws UserError `protocol-quirk` for a binary IVF under `paddleclas`, which PaddleClas never
 * trains, so that it fails.
 */
export function pickFactory({
  name,
  kind,
  count,
  protocol,
}: {
  name: string;
  kind: "real" | "binary";
  count: number;
  protocol: Protocol;
}): PickedFactory {
  const lists = Math.max(1, Math.min(Math.floor(count / 8), largestLists));
  const counted = name === "IVF" ? `IVF${lists}` : name;
  const plain = kind === "real" && counted.startsWith("IVF") ? `${counted},Flat` : counted;
  const completed = /^(Flat|HNSW\d+|IVF\d*)$/.test(name)
    ? kind === "real"
      ? `IDMap2,${plain}`
      : `B${plain}`
    : name;
  if (
    rulesOf(protocol).binaryIvf === "refused" &&
    readFactory(completed).binary &&
    readFactory(completed).family === "ivf"
  ) {
    throw new UserError({
      code: "protocol-quirk",
      message: "PaddleClas never trains a binary IVF, and fails: there is nothing to reproduce",
      found: completed,
      fix: "use the protocol standard, which trains it, or another index",
    });
  }
  return { factory: completed, parameters: parametersOf(completed) };
}

function parametersOf(factory: string): Readonly<Record<string, number>> {
  const { family } = readFactory(factory);
  return family === "ivf" || family === "hnsw" ? defaults[family] : {};
}

/** What a Faiss factory string says: `IDMap2,IVF100,Flat`, `BHNSW32`, `PCA64,IVF100,PQ8`. */
export interface Factory {
  /** Of codes. */
  readonly binary: boolean;
  /** Without the id map. */
  readonly plain: string;
  /** `other` for a code without lists or graph, such as PQ8. */
  readonly family: "flat" | "ivf" | "hnsw" | "other";
  /** Inverted lists, and links a node: 0 where there are none. */
  readonly lists: number;
  readonly links: number;
  /** What stands before the lists or the graph (a transform), and after (how vectors are kept). */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** The one reader of factory strings. */
export function readFactory(factory: string): Factory {
  const parts = factory.split(",");
  const plain = /^IDMap2?$/.test(parts[0]!) ? parts.slice(1) : parts;
  const at = plain.findIndex((part) => /^B?(IVF|HNSW)\d/.test(part));
  const [, head, digits] = /^B?(IVF|HNSW)(\d+)/.exec(plain[at] ?? "") ?? [];
  const isFlat = plain.length === 1 && /^B?Flat$/.test(plain[0]!);
  return {
    binary: /^B/.test(plain[0] ?? ""),
    plain: plain.join(","),
    family: head === "IVF" ? "ivf" : head === "HNSW" ? "hnsw" : isFlat ? "flat" : "other",
    lists: head === "IVF" ? Number(digits) : 0,
    links: head === "HNSW" ? Number(digits) : 0,
    before: at > 0 ? plain.slice(0, at) : [],
    after: at >= 0 ? plain.slice(at + 1) : [],
  };
}

/** Whether an index of this factory string compares a query with every vector. */
export function isExhaustive(factory: string): boolean {
  return readFactory(factory).family === "flat";
}

/**
 * @throws UserError `index-shape` where kind, metric, dimension and factory contradict each other,
 * `index-factory` where a number of the factory is out of its range.
 */
export function checkShape({ kind, metric, dim }: IndexShape, factory: string): void {
  const refuse = (message: string, expected: string, found: string): never => {
    throw new UserError({ code: "index-shape", message, expected, found });
  };
  if (!Number.isInteger(dim) || dim < 1 || dim > 2 ** 20)
    refuse("impossible dimension", "a whole number from 1 to 2^20", String(dim));
  if ((kind === "binary") !== (metric === "hamming"))
    refuse(
      `a ${kind} index cannot compare by ${metric}`,
      kind === "binary" ? "hamming" : "inner-product or l2",
      metric,
    );
  if (kind === "binary" && dim % 8 !== 0)
    refuse("codes come in whole bytes", "a multiple of 8 bits", String(dim));
  const { binary } = readFactory(factory);
  if (binary !== (kind === "binary"))
    refuse(
      `this factory makes a ${binary ? "binary" : "real-valued"} index`,
      kind === "binary" ? "BFlat, BHNSW32, BIVF…" : "Flat, HNSW32, IVF…",
      factory,
    );
  for (const [part, name = "", digits = ""] of factory.matchAll(/(IVF|HNSW)(\d+)/g)) {
    const { from, to, what } = partRanges[name as keyof typeof partRanges];
    if (Number(digits) >= from && Number(digits) <= to) continue;
    throw new UserError({
      code: "index-factory",
      message: `${part} has an impossible number`,
      expected: `${what} from ${from} to ${to}`,
      found: digits,
      fix: "name HNSW32, or IVF with a list for every 39 vectors or more",
    });
  }
}

/**
 * Refuses a factory whose saved index could not be opened again: its structure is checked before
 * Faiss sees the bytes, and that is written for flat, HNSW and IVF indexes, real and binary.
 *
 * @throws UserError `index-factory`
 */
export function requireReadable({ engine, factory }: { engine: string; factory: string }): void {
  if (engine !== "faiss" || readable.test(factory)) return;
  throw new UserError({
    code: "index-factory",
    message: "an index of this kind is built, but not opened again",
    expected: "Flat, HNSW32, IVF or IVF1024,Flat (BFlat, BHNSW32, BIVF for codes)",
    found: factory,
    fix: "name one of these; others can be measured in an experiment",
  });
}

const readable =
  /^(?:IDMap2?,)?(?:B?Flat|B?HNSW\d+|HNSW\d+,Flat|B?IVF\d*|IVF\d*(?:_HNSW\d+)?,Flat)$/;

/** Faiss crashes, runs out of memory or writes what it cannot read on numbers beyond these. */
const partRanges = {
  IVF: { from: 1, to: 2 ** 24, what: "lists" },
  HNSW: { from: 2, to: 2048, what: "links a node" },
} as const;
