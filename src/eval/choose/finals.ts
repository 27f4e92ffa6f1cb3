import { setFaissThreads } from "../../pipeline/index/engine.js";
import { rowCount } from "../../pipeline/types.js";
import { availableParallelism } from "node:os";
import { interleave, type Contender } from "../latency/interleave.js";
import { encoded, type Built } from "./building/built.js";
import { firstRows } from "./data/choice-data.js";
import {
  isExhaustive,
  oneRow,
  recallFigures,
  throughputByThreads,
  timeFigures,
} from "./measure.js";
import { isYardstick, type Point } from "./point.js";
import type { Truth } from "./truth.js";

/** A point with the index that it was measured on. */
export interface Finalist {
  readonly point: Point;
  readonly built: Built;
}

export interface FinalsOptions {
  /** All queries, those of the sweep and those kept back. */
  readonly truth: Truth;
  readonly seed: string;
  readonly mostMs: number;
  readonly leastRounds: number;
}

const mostRounds = 1000;
/** Queries of a batch, where threads are compared. */
const batch = 256;

/**
 * Measures the points that may be picked again: their times interleaved query by query, so that
 * what slows the machine slows them alike, and their recall on all queries, of which half had no
 * part in the sweep.
 */
export async function measureFinals(
  finalists: readonly Finalist[],
  options: FinalsOptions,
): Promise<Finalist[]> {
  if (finalists.length === 0) return [];
  const samples = await interleavedTimes(finalists, options);
  const again: Finalist[] = [];
  for (const [i, { point, built }] of finalists.entries()) {
    const { truth } = options;
    setParameters(built, point);
    // The yardstick is what the truth was found with.
    const found = isYardstick(point.setting)
      ? truth.exact
      : await built.index.search(encoded(truth.queries.rows, built.setting), truth.ask);
    const figures = {
      ...point.figures,
      ...timeFigures(samples[i]!),
      ...recallFigures(found, truth, isExhaustive(point)),
    };
    const few = encoded(firstRows(truth.queries.rows, batch), built.setting);
    const throughput = await throughputByThreads(built.index, few, truth.ask);
    setFaissThreads(availableParallelism());
    again.push({ built, point: { ...point, figures, throughput } });
  }
  return again;
}

function setParameters({ index }: Built, { parameters }: Point): void {
  if (Object.keys(parameters).length > 0) index.set(parameters);
}

async function interleavedTimes(
  finalists: readonly Finalist[],
  { truth, seed, mostMs, leastRounds }: FinalsOptions,
): Promise<readonly Float64Array[]> {
  const n = rowCount(truth.queries.rows);
  const contenders = finalists.map(({ point, built }): Contender => {
    const queries = encoded(truth.queries.rows, built.setting);
    return {
      name: built.factory,
      before: () => setParameters(built, point),
      // From the last query on: those of the sweep come at the end.
      run: (round) =>
        built.index.searchSync(oneRow(queries, n - 1 - (((round % n) + n) % n)), truth.k),
    };
  });
  setFaissThreads(1);
  try {
    const roundMs = finalists.reduce(
      (sum, { point }) => sum + (point.figures.p50Ms?.value ?? 0),
      0,
    );
    const affordable = Math.floor(mostMs / Math.max(roundMs, 1e-3));
    const rounds = Math.max(leastRounds, Math.min(mostRounds, affordable));
    return (await interleave(contenders, { rounds, seed })).samplesMs;
  } finally {
    setFaissThreads(availableParallelism());
  }
}
