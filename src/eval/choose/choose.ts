// choose/: vectors and limits in; the index to take, why not another, and all that was measured
// out. It never sees a picture, and no index ever holds a query that it is asked.
import { faissBuild, faissBuildDetails } from "../../pipeline/index/engine.js";
import { packageVersion } from "../../pipeline/package-version.js";
import { monotonicClock } from "../../pipeline/stopwatch.js";
import { isCodes, rowCount } from "../../pipeline/types.js";
import { Budget } from "./budget.js";
import { BuildStore, type BuildKey } from "./building/build-store.js";
import { Workshop } from "./building/workshop.js";
import type { ChoiceOptions } from "./choice-options.js";
import { CostBook } from "./cost-book.js";
import { decide } from "./decide.js";
import { measureBeyond, type Beyond } from "./growth/beyond.js";
import { judge, pick, type Choice, type Judged } from "./pick.js";
import type { Family, Point } from "./point.js";
import type { Omission, RungOptions } from "./rung.js";
import { Search, type Found } from "./search.js";
import { settingSpace, type SpaceOptions } from "./space.js";
import { burstCosine } from "./warnings.js";
import { whyNot, type WhyNot } from "./why-not.js";

/** All that was measured, and what follows from it. */
export interface ChoiceOutcome extends Choice {
  /** At the gallery's own size. */
  readonly judged: readonly Judged[];
  /** At the sizes below, for the growth. */
  readonly smaller: readonly Point[];
  readonly smallerJudged: readonly Judged[];
  /** Share of held-out queries with an all but equal vector in the gallery; null where unknown. */
  readonly similarNeighbours: number | null;
  readonly why: readonly WhyNot[];
  /** Settings that were not measured at the full size. */
  readonly omissions: readonly Omission[];
  /** The pick on more vectors than there are; null where none were asked for. */
  readonly beyond: Beyond | null;
  readonly spentMs: number;
}

/** Kept for what follows the sweep: a fifth of the budget, and no more than a minute; */
const reserveShare = 0.2;
const mostReserveMs = 60_000;
/** and for sizes beyond the gallery's own, where they are asked for. */
const beyondShare = 0.15;

/**
 * Measures indexes on vectors, from small samples of them to all, and picks the fastest that keeps
 * the limits. The time is spent where the answer is open: at each size the better half goes on.
 *
 * @throws UserError where not even an exact search can be measured.
 */
export async function choose(options: ChoiceOptions): Promise<ChoiceOutcome> {
  const { data, signal = new AbortController().signal, clock = monotonicClock } = options;
  const budget = new Budget(options.budgetMs, clock, options.startedMs);
  const store = new BuildStore(options.builds, buildKey(options));
  const workshop = new Workshop(data.gallery.rows, data.metric);
  const reserveMs = reserveOf(options);
  const costs = new CostBook();
  const rungOptions: RungOptions = { data, budget, clock, reserveMs, signal, workshop, costs };
  const space = settingSpace(spaceOptions(options));
  const search = new Search(options, store, rungOptions);
  try {
    const found = await search.run(space.settings);
    const judged = await decide({ options, found, store, rungOptions });
    const outcome = outcomeOf(options, found, judged, space.left);
    const beyond = await beyondOf(options, outcome, rungOptions);
    return { ...outcome, beyond, spentMs: budget.spentMs };
  } finally {
    search.close();
    await workshop.close();
    await store.prune();
  }
}

function reserveOf({ budgetMs, growTo }: ChoiceOptions): number {
  const usual = Math.min(mostReserveMs, budgetMs * reserveShare);
  return growTo === undefined ? usual : usual + budgetMs * beyondShare;
}

async function beyondOf(
  options: ChoiceOptions,
  { pick: best }: Choice,
  rungOptions: RungOptions,
): Promise<Beyond | null> {
  const { growTo } = options;
  if (growTo === undefined || best === null) return null;
  return measureBeyond({ options, rungOptions, pick: best.point, growTo });
}

function outcomeOf(
  options: ChoiceOptions,
  found: Found,
  judged: readonly Judged[],
  left: Readonly<Partial<Record<Family, string>>>,
): Omit<ChoiceOutcome, "spentMs" | "beyond"> {
  const { limits } = options;
  const { smaller, omissions } = found;
  const choice = pick(judged);
  const unmeasured = { ...Object.fromEntries(omissions.map((o) => [o.family, o.why])), ...left };
  const smallerJudged = judge(smaller, limits);
  return {
    ...choice,
    judged,
    smaller,
    smallerJudged,
    similarNeighbours: similarNeighbours(options, found),
    why: whyNot([...judged, ...largestOnly(judged, smallerJudged)], choice, unmeasured),
    omissions,
  };
}

/** Of families that did not come to the full size, the points of the largest that they came to. */
function largestOnly(judged: readonly Judged[], smaller: readonly Judged[]): Judged[] {
  const there = new Set(judged.map((j) => j.point.setting.family));
  const left = smaller.filter((j) => !there.has(j.point.setting.family));
  const largest = new Map<Family, number>();
  for (const { point } of left) {
    const { family } = point.setting;
    largest.set(family, Math.max(point.size, largest.get(family) ?? 0));
  }
  return left.filter(({ point }) => point.size === largest.get(point.setting.family));
}

/**
 * Share of the held-out queries whose nearest neighbour is all but equal; null where queries were
 * given, or where an inner product is no cosine.
 */
function similarNeighbours({ data }: ChoiceOptions, { truth }: Found): number | null {
  const { exact } = truth;
  if (!data.heldOut || data.metric !== "inner-product") return null;
  const nearest = exact.scores.filter((_, i) => i % exact.k === 0);
  if (nearest.some((score) => score > 1.001)) return null;
  return nearest.filter((score) => score >= burstCosine).length / nearest.length;
}

function spaceOptions({ data, engines, k }: ChoiceOptions): SpaceOptions {
  const { rows } = data.gallery;
  return {
    kind: isCodes(rows) ? "binary" : "real",
    dim: isCodes(rows) ? rows.bits : rows.dim,
    size: rowCount(rows),
    faiss: faissBuildDetails()?.version ?? "0.0.0",
    engines,
    k,
  };
}

function buildKey({ data, seed }: ChoiceOptions): BuildKey {
  const packages = ["usearch", "faiss-node"].map((p) => `${p} ${packageVersion(p) ?? "absent"}`);
  return {
    data: `${data.version} ${data.metric}`,
    size: rowCount(data.gallery.rows),
    seed,
    engines: [faissBuild(), ...packages].join(", "),
  };
}
