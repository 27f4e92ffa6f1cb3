import { faissBuild, faissBuildDetails } from "../../pipeline/index/engine.js";
import { packageVersion } from "../../pipeline/package-version.js";
import { monotonicClock } from "../../pipeline/stopwatch.js";
import { isCodes, rowCount } from "../../pipeline/types.js";
import { Budget } from "./budget.js";
import { BuildStore, type BuildKey } from "./build-store.js";
import type { ChoiceOptions } from "./choice-options.js";
import { judge, pick, type Choice, type Judged } from "./pick.js";
import type { Point } from "./point.js";
import type { Omission } from "./rung.js";
import { Search } from "./search.js";
import { settingSpace, type SpaceOptions } from "./space.js";
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
  readonly spentMs: number;
}

/** Kept for what follows the sweep: a fifth of the budget, and no more than a minute. */
const reserveShare = 0.2;
const mostReserveMs = 60_000;

/**
 * Measures indexes on vectors, from small samples of them to all, and picks the fastest that keeps
 * the limits. The time is spent where the answer is open: at each size the better half goes on.
 *
 * @throws UserError where not even an exact search can be measured.
 */
export async function choose(options: ChoiceOptions): Promise<ChoiceOutcome> {
  const { data, signal = new AbortController().signal, clock = monotonicClock } = options;
  const budget = new Budget(options.budgetMs, clock);
  const reserveMs = Math.min(mostReserveMs, options.budgetMs * reserveShare);
  const store = new BuildStore(options.builds, buildKey(options));
  const space = settingSpace(spaceOptions(options));
  const search = new Search(options, store, { data, budget, clock, reserveMs, signal });
  try {
    await search.climb(space.settings);
    await search.refine();
    const judged = await search.decide();
    const choice = pick(judged);
    const unmeasured = { ...search.unmeasured(), ...space.left };
    return {
      ...choice,
      judged,
      smaller: search.smaller,
      smallerJudged: judge(search.smaller, options.limits),
      similarNeighbours: search.similarNeighbours(),
      why: whyNot(search.withSmaller(judged), choice, unmeasured),
      spentMs: budget.spentMs,
      omissions: search.omissions,
    };
  } finally {
    search.close();
    await store.prune();
  }
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
