import { rowCount } from "../../pipeline/types.js";
import type { Built } from "./building/built.js";
import type { BuildStore } from "./building/build-store.js";
import type { ChoiceOptions } from "./choice-options.js";
import { measureChurn } from "./churn.js";
import { finalists } from "./finalists.js";
import { measureFinals } from "./finals.js";
import { judge, type Judged } from "./pick.js";
import { settingKey, valueOf, type Point } from "./point.js";
import { byStanding } from "./promise.js";
import type { Rung, RungOptions } from "./rung.js";
import { effortOf, type Found } from "./search.js";

export interface DecideOptions {
  readonly options: ChoiceOptions;
  readonly found: Found;
  readonly store: BuildStore;
  readonly rungOptions: RungOptions;
}

const mostRounds = 3;

/**
 * Compares the best with one another on all queries, adds what is measured of an index as a whole,
 * and holds every point against the limits.
 */
export async function decide(decision: DecideOptions): Promise<Judged[]> {
  const { options, found } = decision;
  const { full } = found;
  // A limit on memory says who comes into the last comparison.
  if (options.limits.memoryBytes !== undefined) await footprints(decision);
  await compareBest(decision);
  await footprints(decision);
  await churn(decision);
  return judge(full.points, options.limits);
}

async function compareBest({ options, found, rungOptions }: DecideOptions): Promise<void> {
  const { full, truth } = found;
  options.events.stage("comparing the best");
  const compared = new Set<Point>();
  for (let round = 0; round < mostRounds; round++) {
    if (round > 0 && rungOptions.budget.leftMs < 0) break;
    const next = finalists(judge(full.points, options.limits), full.open);
    // The fastest that fit have all been compared: the order stands.
    if (next.every(({ point }) => compared.has(point))) break;
    const again = await measureFinals(next, {
      truth,
      seed: options.seed,
      mostMs: finalsMs(rungOptions),
      leastRounds: effortOf(options).leastSamples,
    });
    again.forEach(({ point }, i) => {
      full.points[full.points.indexOf(next[i]!.point)] = point;
      compared.add(point);
    });
  }
}

function finalsMs({ reserveMs, budget }: RungOptions): number {
  return Math.max(200, Math.min(reserveMs / 4, budget.leftMs / 3));
}

/** A process to load an index in, and what it reads in a millisecond. */
const startMs = 700;
const bytesPerMs = 400_000;

/** What each index holds in memory, the most promising first, while time is left. */
async function footprints({ options, found, store, rungOptions }: DecideOptions): Promise<void> {
  const { full } = found;
  options.events.stage("memory, each index in a process of its own");
  const waiting = fastestFirst(full, options).filter(
    ({ setting }) =>
      !full.points.some(
        (p) => settingKey(p.setting) === settingKey(setting) && p.figures.memoryBytes,
      ),
  );
  for (const [done, built] of waiting.entries()) {
    options.events.progress(done, waiting.length);
    const expected = startMs + built.index.bytes() / bytesPerMs;
    if (done > 0 && rungOptions.budget.leftMs < expected) return;
    await full.footprint(built, store);
  }
}

async function churn({ options, found, rungOptions }: DecideOptions): Promise<void> {
  const { full } = found;
  options.events.stage("removing and adding again");
  const built = fastestFirst(full, options);
  for (const [done, index] of built.entries()) {
    options.events.progress(done, built.length);
    if (rungOptions.budget.leftMs < churnCost(index, full)) continue;
    full.amend(index.setting, await measureChurn(index, full.truth));
  }
}

/** A tenth is added again, and all queries of the sweep are asked at the last setting. */
function churnCost({ setting, addMs }: Built, full: Rung): number {
  const own = full.points.filter((p) => settingKey(p.setting) === settingKey(setting));
  const slowest = Math.min(...own.map((p) => valueOf(p, "queriesPerSecond") ?? Infinity));
  return addMs / 10 + (1000 * rowCount(full.truth.queries.rows)) / slowest;
}

function fastestFirst(full: Rung, { limits }: ChoiceOptions): Built[] {
  const order = judge(full.points, limits).sort(byStanding);
  const settings = [...new Set(order.map((j) => settingKey(j.point.setting)))];
  return settings.flatMap((key) => full.open.get(key) ?? []);
}
