import { indexEngines, isExhaustive as isExhaustiveFactory } from "../../pipeline/index/engine.js";
import { availableParallelism } from "node:os";
import { setFaissThreads } from "../../pipeline/index/engine.js";
import { monotonicClock } from "../../pipeline/stopwatch.js";
import {
  isCodes,
  rowCount,
  type Codes,
  type Neighbours,
  type VectorIndex,
  type Vectors,
} from "../../pipeline/types.js";
import { judgeNeighbours } from "../metrics/index/neighbour-hits.js";
import { float32Rounding, neighbourRecall, rescore } from "../metrics/index/neighbour-recall.js";
import { wilson, wilsonInterval } from "../stats/proportion.js";
import { quantiles } from "../stats/quantile.js";
import { measured, undefinedScore } from "../stats/score.js";
import type { Interval, Score } from "../types.js";
import { encoded, type Built } from "./building/built.js";
import type { FigureName, Figures, Parameters, Point } from "./point.js";
import type { Truth } from "./truth.js";

/** How much is spent on one point. */
export interface Effort {
  /** Single queries that are timed: so many at least, */
  readonly leastSamples: number;
  /** and further ones, up to this many, while time is left. */
  readonly mostSamples: number;
  readonly timingMs: number;
  /** All queries at once are searched so often, unless that takes longer than half a second. */
  readonly batchRounds: number;
}

export interface MeasureOptions {
  readonly truth: Truth;
  readonly parameters: Parameters;
  readonly effort: Effort;
}

/** Recall, times and throughput of one built index with its parameters set. */
export async function measurePoint(built: Built, options: MeasureOptions): Promise<Point> {
  const { setting, index, factory, size } = built;
  const { truth, parameters, effort } = options;
  if (Object.keys(parameters).length > 0) index.set(parameters);
  const queries = encoded(truth.queries.rows, setting);
  const { found, rate } = await searchAll(index, queries, truth.ask, effort.batchRounds);
  const timesMs = await timeSingle(index, queries, truth.k, effort);
  return {
    setting,
    factory,
    parameters,
    size,
    removable: canRemove(built),
    warnings: built.warnings,
    throughput: [],
    figures: {
      ...recallFigures(found, truth, isExhaustive(built)),
      ...timeFigures(timesMs),
      ...buildFigures(built),
      queriesPerSecond: rate,
    },
  };
}

/** Neighbour recall@k and label recall@1 of what an index returned for the queries of a truth. */
export function recallFigures(found: Neighbours, truth: Truth, exhaustive: boolean): Figures {
  const { queries, gallery, metric, k, exact } = truth;
  const scored = rescore(found, queries.rows, gallery.rows, metric);
  const rounding = float32Rounding(queries.rows, gallery.rows, metric);
  const { recall } = neighbourRecall(scored, exact, { k, metric, rounding });
  return {
    neighbourRecall: withFloor(recall, exhaustive),
    labelRecall: labelRecall(found, truth),
  };
}

/**
 * A bootstrap of queries that all found everything has no width. An exact search needs none; of any
 * other the interval is that of a share of n queries.
 */
function withFloor(recall: Score, exhaustive: boolean): Score {
  if (recall.value === null || recall.interval !== null) return recall;
  const { value, n } = recall;
  const share = wilsonInterval(Math.round(value * n), n);
  const whole = { ...share, low: value, high: value, method: "exact-search" };
  return measured(value, n, exhaustive ? whole : share);
}

function labelRecall(found: Neighbours, { queries, gallery, k }: Truth): Score {
  if (queries.labels === null || gallery.labels === null) return undefinedScore("no labels given");
  const hits = judgeNeighbours(found, queries.labels, gallery.labels, { k, leaveOneOut: false });
  const answerable = hits.filter((h) => h.answerable);
  return wilson(answerable.filter((h) => h.rank === 0).length, answerable.length);
}

/** Whether a search compares the query with every vector by the very metric. */
export function isExhaustive({ factory, setting }: Pick<Point, "factory" | "setting">): boolean {
  return setting.codes === "real" && isExhaustiveFactory(factory);
}

function canRemove({ setting, factory }: Built): boolean {
  return indexEngines.find(({ name }) => name === setting.engine)?.removes(factory) ?? false;
}

const batchMs = 500;

/** All queries at once: the median rate of some rounds, and their range. */
async function searchAll(
  index: VectorIndex,
  queries: Vectors | Codes,
  k: number,
  mostRounds: number,
  threads = availableParallelism(),
): Promise<{ found: Neighbours; rate: Score }> {
  setFaissThreads(threads);
  const n = rowCount(queries);
  const rates: number[] = [];
  let found: Neighbours;
  const begin = monotonicClock();
  do {
    const start = monotonicClock();
    found = await index.search(queries, k);
    rates.push((1000 * n) / Math.max(monotonicClock() - start, 1e-3));
  } while (rates.length < mostRounds && monotonicClock() - begin < batchMs);
  rates.sort((a, b) => a - b);
  const middle = rates[Math.floor(rates.length / 2)]!;
  return { found, rate: measured(middle, n, rangeOf(rates)) };
}

/** Rates of batches on one thread, two, four and so on up to all. */
export async function throughputByThreads(
  index: VectorIndex,
  queries: Vectors | Codes,
  k: number,
): Promise<Point["throughput"]> {
  const all = availableParallelism();
  const rates: { threads: number; perSecond: Score }[] = [];
  for (let threads = 1; ; threads = Math.min(2 * threads, all)) {
    const { rate } = await searchAll(index, queries, k, 1, threads);
    rates.push({ threads, perSecond: rate });
    if (threads === all) return rates;
  }
}

/** Least to greatest of sorted rounds, between which their median lies but for 2 in 2^rounds. */
function rangeOf(rates: readonly number[]): Interval | null {
  const units = rates.length;
  if (units < 2) return null;
  const level = 1 - 2 ** (1 - units);
  return { low: rates[0]!, high: rates.at(-1)!, level, method: "range-of-rounds", units };
}

/** One query at a time on one thread; a tenth of them first, untimed. */
export async function timeSingle(
  index: VectorIndex,
  queries: Vectors | Codes,
  k: number,
  { leastSamples, mostSamples, timingMs }: Effort,
): Promise<Float64Array> {
  setFaissThreads(1);
  try {
    const n = rowCount(queries);
    const warmup = Math.ceil(leastSamples / 10);
    for (let i = 0; i < warmup; i++) index.searchSync(oneRow(queries, n - 1 - (i % n)), k);
    const samples: number[] = [];
    const begin = monotonicClock();
    for (let i = 0; i < mostSamples; i++) {
      if (i >= leastSamples && monotonicClock() - begin > timingMs) break;
      const query = oneRow(queries, i % n);
      const start = monotonicClock();
      index.searchSync(query, k);
      samples.push(monotonicClock() - start);
    }
    return Float64Array.from(samples);
  } finally {
    setFaissThreads(availableParallelism());
  }
}

export function oneRow(rows: Vectors | Codes, i: number): Vectors | Codes {
  if (isCodes(rows)) {
    const width = rows.bits / 8;
    return { data: rows.data.subarray(i * width, (i + 1) * width), bits: rows.bits };
  }
  return { data: rows.data.subarray(i * rows.dim, (i + 1) * rows.dim), dim: rows.dim };
}

const timePercentiles: readonly (readonly [FigureName, number])[] = [
  ["p50Ms", 0.5],
  ["p90Ms", 0.9],
  ["p99Ms", 0.99],
];

/** Percentiles of single queries' times, with order statistics around them. */
export function timeFigures(timesMs: ArrayLike<number>): Figures {
  const values = quantiles(
    timesMs,
    timePercentiles.map(([, q]) => q),
  );
  return Object.fromEntries(
    timePercentiles.map(([name], i): [string, Score] => [name, values[i]!]),
  );
}

function buildFigures({ index, size, trainMs, addMs }: Built): Figures {
  return {
    diskBytes: measured(index.bytes(), size),
    trainMs: measured(trainMs, size),
    buildMs: measured(trainMs + addMs, size),
    addsPerSecond: measured((1000 * size) / Math.max(addMs, 1e-3), size),
  };
}
