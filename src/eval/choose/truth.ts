import { openIndex } from "../../pipeline/index/engine.js";
import {
  isCodes,
  rowCount,
  type Codes,
  type IndexMetric,
  type Neighbours,
  type Vectors,
} from "../../pipeline/types.js";
import { allowance } from "../metrics/index/neighbour-hits.js";
import { rescore } from "../metrics/index/neighbour-recall.js";
import { firstRows, type LabelledVectors } from "./data/choice-data.js";

/** Queries with their exact neighbours among the first `size` rows of a gallery. */
export interface Truth {
  readonly size: number;
  readonly gallery: LabelledVectors;
  readonly queries: LabelledVectors;
  readonly metric: IndexMetric;
  readonly k: number;
  /** How many to ask an index for, so that k valid ones remain after the junk rule. */
  readonly ask: number;
  readonly exact: Neighbours;
}

export interface TruthOptions {
  readonly gallery: LabelledVectors;
  readonly queries: LabelledVectors;
  readonly metric: IndexMetric;
  readonly size: number;
  readonly k: number;
}

/**
 * Exact neighbours by a scan of Faiss, their scores computed again in double, so that equal scores
 * are equal.
 */
export async function findTruth({
  gallery,
  queries,
  metric,
  size,
  k,
}: TruthOptions): Promise<Truth> {
  const rows = firstRows(gallery.rows, size);
  const labels = gallery.labels?.slice(0, size) ?? null;
  const both = queries.labels !== null && labels !== null;
  const more = both ? allowance(queries.labels, labels, false) : 0;
  const ask = Math.min(k + more, size);
  const index = await openIndex({ engine: "faiss", ...shapeOf(rows, metric) });
  try {
    await index.add(rows);
    const found = await index.search(queries.rows, ask);
    const exact = rescore(found, queries.rows, rows, metric);
    return { size, gallery: { rows, labels }, queries, metric, k: Math.min(k, size), ask, exact };
  } finally {
    index.close();
  }
}

function shapeOf(rows: Vectors | Codes, metric: IndexMetric) {
  if (isCodes(rows)) {
    return { factory: "BFlat", kind: "binary", metric: "hamming", dim: rows.bits } as const;
  }
  return { factory: "Flat", kind: "real", metric, dim: rows.dim } as const;
}

/** The first n queries of a truth: enough where less precision will do. */
export function fewerQueries(truth: Truth, n: number): Truth {
  if (n >= rowCount(truth.queries.rows)) return truth;
  const { rows, labels } = truth.queries;
  const { k, rows: found, scores } = truth.exact;
  return {
    ...truth,
    queries: { rows: firstRows(rows, n), labels: labels?.slice(0, n) ?? null },
    exact: { k, rows: found.subarray(0, n * k), scores: scores.subarray(0, n * k) },
  };
}
