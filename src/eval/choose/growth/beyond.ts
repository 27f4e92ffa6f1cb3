import { isCodes, rowCount } from "../../../pipeline/types.js";
import { Workshop, seconds } from "../building/workshop.js";
import type { ChoiceOptions } from "../choice-options.js";
import { measurePoint } from "../measure.js";
import type { Point } from "../point.js";
import type { RungOptions } from "../rung.js";
import { effortOf } from "../search.js";
import { findTruth } from "../truth.js";
import { fillTo } from "./drawn.js";

/** The pick on more vectors than there are, and why no further. */
export interface Beyond {
  readonly points: readonly Point[];
  /** Null where the last size asked for was measured. */
  readonly why: string | null;
}

export interface BeyondOptions {
  readonly options: ChoiceOptions;
  readonly rungOptions: RungOptions;
  readonly pick: Point;
  readonly growTo: number;
}

/** Vectors held twice, here and by the process that builds. */
const mostBytes = 2 ** 30;
const step = 2;
const noCodes = "there is no model of codes to draw more from";

/**
 * Measures the pick on twice and four times the vectors there are, and so on to the size asked for
 * while time is left: what lacks is drawn from a mixture fitted to the vectors.
 */
export async function measureBeyond(beyond: BeyondOptions): Promise<Beyond> {
  const { options, rungOptions, pick, growTo } = beyond;
  const { rows } = options.data.gallery;
  if (isCodes(rows)) return { points: [], why: noCodes };
  const points: Point[] = [];
  for (let size = rowCount(rows) * step; ; size *= step) {
    const next = Math.min(size, growTo);
    if (next <= rowCount(rows)) return { points, why: null };
    if (next * rows.dim * 4 > mostBytes) {
      return { points, why: `${next.toLocaleString("en-US")} vectors are more than a GiB` };
    }
    const expectedMs = rungOptions.costs.totalMs(pick.setting, next) ?? Infinity;
    if (expectedMs > rungOptions.budget.leftMs) {
      const left = seconds(rungOptions.budget.leftMs);
      const of = next.toLocaleString("en-US");
      return {
        points,
        why: `${of} vectors would take about ${seconds(expectedMs)}; left: ${left}`,
      };
    }
    const made = await measureFilled(beyond, next);
    if ("why" in made) return { points, why: made.why };
    points.push(made.point);
    if (next >= growTo) return { points, why: null };
  }
}

async function measureFilled(
  { options, rungOptions, pick }: BeyondOptions,
  size: number,
): Promise<{ readonly point: Point } | { readonly why: string }> {
  const { data, k, seed } = options;
  const { clock, costs, budget } = rungOptions;
  const filled = await fillTo(data.gallery.rows, size, seed);
  if (filled === null) return { why: noCodes };
  const workshop = new Workshop(filled, data.metric);
  const start = clock();
  const expectedMs = costs.totalMs(pick.setting, size);
  const mostMs = Math.max(0, budget.leftMs);
  try {
    const order = { setting: pick.setting, size, expectedMs, mostMs, store: null };
    const work = await workshop.build(order);
    if ("why" in work) return { why: work.why };
    costs.noteBuild(pick.setting, { size, ms: clock() - start });
    const gallery = { rows: filled, labels: null };
    const { metric, sweepQueries: queries } = data;
    const truth = await findTruth({ gallery, queries, metric, size, k });
    const effort = effortOf(options);
    const { parameters } = pick;
    const point = await measurePoint(work.built, { truth, parameters, effort });
    work.built.index.close();
    return { point };
  } finally {
    await workshop.close();
  }
}
