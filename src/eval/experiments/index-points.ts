import { availableParallelism } from "node:os";
import { codeBits, codeNotes } from "../../../datasets/formats/code-bits.js";
import { binarise, type BinariseRule } from "../../pipeline/index/binarise.js";
import {
  openIndex,
  pickFactory,
  runParameters,
  setFaissThreads,
} from "../../pipeline/index/engine.js";
import { monotonicClock } from "../../pipeline/stopwatch.js";
import type { Codes, Protocol, VectorIndex, Vectors } from "../../pipeline/types.js";
import { isCodes, rowCount } from "../../pipeline/types.js";
import type { IndexSpec } from "../config/config.js";
import { measureStages } from "../latency/stages.js";
import type { RecordedScore } from "../record/record.js";
import { seriesQuantiles } from "../stats/series-quantile.js";
import { exact, measured, named } from "../stats/score.js";

/** Real-valued vectors, how they become codes, or that they are the model's own codes already. */
export type CodeRule = "real" | BinariseRule | "own";

/** One index of the sweep, with one value for each run-time parameter. */
export interface IndexPoint {
  readonly engine: IndexSpec["engine"];
  readonly factory: string;
  readonly parameters: Readonly<Record<string, number>>;
}

/** Every combination of the values that a config gives for run-time parameters. */
export function indexPoints({ engine, factory, parameters }: IndexSpec): IndexPoint[] {
  let points: IndexPoint["parameters"][] = [{}];
  for (const { name } of runParameters) {
    const given = parameters[name];
    if (given === undefined) continue;
    points = points.flatMap((p) => [given].flat().map((value) => ({ ...p, [name]: value })));
  }
  return points.map((point): IndexPoint => ({ engine, factory, parameters: point }));
}

export function pointName({ engine, factory, parameters }: IndexPoint, codes: CodeRule): string {
  const set = Object.entries(parameters)
    .map(([name, value]) => ` ${name} ${value}`)
    .join("");
  return `${engine === "faiss" ? "" : `${engine} `}${codes === "real" ? "" : "B"}${factory}${set}`;
}

export function encode(vectors: Vectors | Codes, codes: CodeRule): Vectors | Codes {
  if (codes === "real" || codes === "own" || isCodes(vectors)) return vectors;
  const packed = binarise(vectors.data, vectors.dim, codes);
  if ("nanRow" in packed) throw new Error(`NaN in row ${packed.nanRow} of checked embeddings`);
  return packed;
}

/** What is odd about rows that are codes. */
export function codedNotes(rows: Vectors | Codes): string[] {
  return isCodes(rows) ? codeNotes(codeBits(rows)) : [];
}

export interface BuiltIndex {
  readonly index: VectorIndex;
  /** The whole factory string. */
  readonly factory: string;
  /** Size and build time. */
  readonly scores: readonly RecordedScore[];
  readonly notes: readonly string[];
}

/**
 * Runs `work` with one thread in Faiss. Index builds need it to be repeatable: with more, HNSW's
 * graph depends on which thread came first, and k-means on how the BLAS splits its sums. Timed
 * queries need it to be comparable.
 */
export async function withOneThread<T>(work: () => T | Promise<T>): Promise<T> {
  setFaissThreads(1);
  try {
    return await work();
  } finally {
    setFaissThreads(availableParallelism());
  }
}

/** Trains, sets and fills an index with one thread; the time it took is that of one core. */
export async function buildIndex(
  rows: Vectors | Codes,
  point: IndexPoint,
  protocol: Protocol,
): Promise<BuiltIndex> {
  const kind = isCodes(rows) ? "binary" : "real";
  const n = rowCount(rows);
  const chosen = pickFactory({ name: point.factory, kind, count: n, protocol });
  const index = await openIndex({
    engine: point.engine,
    factory: chosen.factory,
    kind,
    dim: isCodes(rows) ? rows.bits : rows.dim,
    metric: kind === "real" ? "inner-product" : "hamming",
  });
  try {
    const buildMs = await withOneThread(async () => {
      const start = monotonicClock();
      if (!index.trained) await index.train(rows);
      // Before adding: HNSW builds its graph with efConstruction.
      const parameters = { ...chosen.parameters, ...point.parameters };
      if (Object.keys(parameters).length > 0) index.set(parameters);
      await index.add(rows);
      return monotonicClock() - start;
    });
    return {
      index,
      factory: chosen.factory,
      scores: [
        named({ metric: "index-size", unit: "bytes", better: "lower" }, exact(index.bytes(), n)),
        named(
          { metric: "build-time", unit: "ms", better: "lower" },
          measured(buildMs, n, null, "one build"),
        ),
      ],
      notes: [...(index.warnings ?? [])],
    };
  } catch (error) {
    index.close();
    throw error;
  }
}

/**
 * One query at a time on the calling thread with one thread, driven by tinybench after a warm-up,
 * the queries taken evenly over the set.
 */
export function timeQueries(
  index: VectorIndex,
  queries: Vectors | Codes,
  k: number,
): Promise<number[]> {
  const n = rowCount(queries);
  const count = Math.min(timedQueries, n);
  let one = queries;
  return withOneThread(async () => {
    const [times] = await measureStages(
      [
        {
          name: "search",
          before: (i) => {
            one = rowOf(queries, Math.floor(((i % n) * n) / count) % n);
          },
          run: () => index.searchSync(one, k),
        },
      ],
      { warmupIterations: Math.min(warmupQueries, n), warmupMs: 0, iterations: count, timeMs: 0 },
    );
    return [...times!.samplesMs];
  });
}

/** One row, a view of the same memory. */
export function rowOf(rows: Vectors | Codes, i: number): Vectors | Codes {
  if (isCodes(rows))
    return {
      data: rows.data.subarray((i * rows.bits) / 8, ((i + 1) * rows.bits) / 8),
      bits: rows.bits,
    };
  return { data: rows.data.subarray(i * rows.dim, (i + 1) * rows.dim), dim: rows.dim };
}

export function timeScores(timesMs: readonly number[], level: number): RecordedScore[] {
  return [50, 90].map((percentile) => {
    const of = { percentile: String(percentile) };
    return named(
      { metric: "retrieval-time", unit: "ms", better: "lower", of },
      seriesQuantiles(timesMs, [percentile / 100], level)[0]!,
    );
  });
}

/** Single queries timed for an index: enough for a 90th percentile with an interval. */
const timedQueries = 200;
const warmupQueries = 20;
