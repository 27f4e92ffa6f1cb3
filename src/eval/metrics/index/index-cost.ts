import type { Clock, Codes, VectorIndex, Vectors } from "../../../pipeline/types.js";
import { measured, undefinedScore } from "../../stats/score.js";
import type { NamedScore } from "../../types.js";

/** What an index costs, raw. */
export interface IndexCost {
  /** Rows held. */
  readonly rows: number;
  /** Size of the saved index, in bytes. */
  readonly diskBytes: number;
  /**
   * Growth of the process while it was built or loaded, in bytes; null where it was not measured
   * (see `residentGrowth`).
   */
  readonly memoryBytes: number | null;
  readonly trainMs: number;
  readonly addMs: number;
}

/**
 * Trains (where the index wants it) and fills an empty index, and times both. Single runs: an
 * interval needs several builds.
 */
export async function buildAndTime(
  index: VectorIndex,
  rows: Vectors | Codes,
  clock: Clock,
): Promise<IndexCost> {
  const start = clock();
  if (!index.trained) await index.train(rows);
  const trained = clock();
  await index.add(rows);
  const added = clock();
  return {
    rows: index.size,
    diskBytes: index.bytes(),
    memoryBytes: null,
    trainMs: trained - start,
    addMs: added - trained,
  };
}

/**
 * By how much a piece of work makes this process's resident memory grow, in bytes. Only a fresh
 * child process that holds nothing else gives a number worth having: memory that is free but not
 * yet returned hides growth. Negative growth is given as 0.
 */
export async function residentGrowth<T>(
  work: () => Promise<T>,
  residentBytes: () => number = () => process.memoryUsage.rss(),
): Promise<{ result: T; bytes: number }> {
  (globalThis as { gc?: () => void }).gc?.();
  const before = residentBytes();
  const result = await work();
  (globalThis as { gc?: () => void }).gc?.();
  return { result, bytes: Math.max(0, residentBytes() - before) };
}

/** The cost as scores for a record: bytes and milliseconds, raw. */
export function costScores({
  rows,
  diskBytes,
  memoryBytes,
  trainMs,
  addMs,
}: IndexCost): NamedScore[] {
  const bytes = { unit: "bytes", better: "lower" } as const;
  const ms = { unit: "ms", better: "lower" } as const;
  return [
    { name: "index-size", ...bytes, ...measured(diskBytes, rows) },
    {
      name: "index-memory",
      ...bytes,
      ...(memoryBytes === null
        ? undefinedScore("not measured: needs a process of its own")
        : measured(memoryBytes, rows)),
    },
    { name: "build-time", ...ms, ...measured(trainMs + addMs, rows) },
  ];
}
