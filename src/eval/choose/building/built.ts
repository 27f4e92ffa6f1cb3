import { openIndex } from "../../../pipeline/index/engine.js";
import { binarise } from "../../../pipeline/index/binarise.js";
import { monotonicClock } from "../../../pipeline/stopwatch.js";
import {
  isCodes,
  rowCount,
  type Codes,
  type IndexMetric,
  type VectorIndex,
  type Vectors,
} from "../../../pipeline/types.js";
import type { Setting } from "../point.js";
import { factoryAt } from "../space.js";

/** An index that holds `size` vectors, with what building it took. */
export interface Built {
  readonly setting: Setting;
  readonly factory: string;
  readonly size: number;
  readonly index: VectorIndex;
  readonly trainMs: number;
  readonly addMs: number;
  /** What its training found worth a warning. */
  readonly warnings: readonly string[];
}

/** What is put into an index of a setting, or asked of it: the vectors, or their signs. */
export function encoded(rows: Vectors | Codes, { codes }: Pick<Setting, "codes">): Vectors | Codes {
  if (codes === "real" || isCodes(rows)) return rows;
  const signs = binarise(rows.data, rows.dim, "sign");
  if ("nanRow" in signs) throw new Error(`NaN in row ${signs.nanRow} of checked vectors`);
  return signs;
}

/** An empty index of a setting for so many rows like these. */
export async function emptyIndex(
  setting: Setting,
  rows: Vectors | Codes,
  metric: IndexMetric,
): Promise<{ index: VectorIndex; factory: string }> {
  const factory = factoryAt(setting, rowCount(rows));
  const shape = isCodes(rows)
    ? ({ kind: "binary", metric: "hamming", dim: rows.bits } as const)
    : ({ kind: "real", metric, dim: rows.dim } as const);
  return { factory, index: await openIndex({ engine: setting.engine, factory, ...shape }) };
}

/**
 * Trains and fills an index, on all threads.
 *
 * @throws UserError what the engine refuses.
 */
export async function build(
  setting: Setting,
  vectors: Vectors | Codes,
  metric: IndexMetric,
): Promise<Built> {
  const rows = encoded(vectors, setting);
  const { index, factory } = await emptyIndex(setting, rows, metric);
  try {
    const start = monotonicClock();
    if (!index.trained) await index.train(rows);
    const trained = monotonicClock();
    // Before adding: HNSW builds its graph with efConstruction.
    if (Object.keys(setting.build).length > 0) index.set(setting.build);
    await index.add(rows);
    const added = monotonicClock();
    return {
      setting,
      factory,
      size: index.size,
      index,
      trainMs: trained - start,
      addMs: added - trained,
      warnings: index.warnings,
    };
  } catch (error) {
    index.close();
    throw error;
  }
}
