import { UserError } from "../../pipeline/errors.js";
import { rowCount } from "../../pipeline/types.js";
import { ladder, promote } from "./budget.js";
import type { BuildStore } from "./building/build-store.js";
import type { ChoiceOptions } from "./choice-options.js";
import { joinQueries } from "./data/choice-data.js";
import { recallStanding } from "./limits.js";
import type { Effort } from "./measure.js";
import { bySpeed, judge } from "./pick.js";
import { isYardstick, settingKey, valueOf, type Point, type Setting } from "./point.js";
import { byPromise } from "./promise.js";
import { Rung, type Omission, type RungOptions } from "./rung.js";
import { refineKnob, type Enough } from "./sweep.js";
import { fewerQueries, findTruth, type Truth } from "./truth.js";

const fewQueries = 300;
const lightEffort: Effort = {
  leastSamples: 60,
  mostSamples: 200,
  timingMs: 60,
  batchRounds: 1,
};
/** Share of the time left that a sample may take. */
const sampleShare = 0.2;
const answers = { met: "yes", unsure: "unsure", broken: "no" } as const;

/** What a search has found: all that was measured at the full size, and on samples. */
export interface Found {
  readonly full: Rung;
  /** All queries with their neighbours; those of the sweep come first. */
  readonly truth: Truth;
  readonly smaller: readonly Point[];
  readonly omissions: readonly Omission[];
}

/** How much is spent on a point: a limit on the 99th percentile needs some 400 samples. */
export function effortOf({ limits, budgetMs }: ChoiceOptions): Effort {
  const leastSamples = limits.p99Ms === undefined ? 100 : 400;
  const timingMs = Math.min(400, budgetMs / 500);
  return { leastSamples, mostSamples: 1000, timingMs, batchRounds: 3 };
}

/** The course of one search: up the ladder of sizes, then closer to the limits of recall. */
export class Search {
  readonly #options: ChoiceOptions;
  readonly #rungOptions: RungOptions;
  readonly #store: BuildStore;
  readonly #smaller: Point[] = [];
  readonly #left: Omission[] = [];
  #full: Rung | null = null;

  constructor(options: ChoiceOptions, store: BuildStore, rungOptions: RungOptions) {
    this.#options = options;
    this.#store = store;
    this.#rungOptions = rungOptions;
  }

  async run(settings: readonly Setting[]): Promise<Found> {
    const promising = await this.#climb(settings);
    const { full, truth } = await this.#measureAll(promising);
    await this.#refine(full);
    const omissions = [...this.#left, ...full.omissions];
    return { full, truth, smaller: this.#smaller, omissions };
  }

  close(): void {
    this.#full?.close();
  }

  /**
   * Measures the settings on samples; of each the better half goes on to the next. A sample that
   * would cost more than its share of the time is passed over.
   */
  async #climb(settings: readonly Setting[]): Promise<readonly Setting[]> {
    const sizes = ladder(rowCount(this.#options.data.gallery.rows)).slice(0, -1);
    let alive = settings;
    for (const [place, size] of sizes.entries()) {
      if (place > 0 && !this.#isWorth(alive, size)) continue;
      this.#stage(size);
      const { data, k } = this.#options;
      const { gallery, sweepQueries: queries, metric } = data;
      const truth = await findTruth({ gallery, queries, metric, size, k });
      const rung = new Rung(fewerQueries(truth, fewQueries), this.#rungOptions, sampleShare);
      await this.#each(alive, (setting) => rung.tryOut(setting, lightEffort));
      this.#smaller.push(...rung.points);
      alive = this.#promote(alive, rung);
    }
    return alive;
  }

  /** Whether a sample's share of the time is enough for the more promising half. */
  #isWorth(alive: readonly Setting[], size: number): boolean {
    const { budget, reserveMs, costs } = this.#rungOptions;
    const half = alive.slice(0, Math.ceil(alive.length / 2));
    const expected = half.reduce((sum, s) => sum + (costs.totalMs(s, size) ?? 0), 0);
    return expected <= sampleShare * (budget.leftMs - reserveMs);
  }

  async #measureAll(settings: readonly Setting[]): Promise<Pick<Found, "full" | "truth">> {
    const { data, k } = this.#options;
    const { gallery, metric, sweepQueries } = data;
    const size = rowCount(gallery.rows);
    this.#stage(size);
    const truth = await findTruth({ gallery, queries: joinQueries(data), metric, size, k });
    const forSweep = fewerQueries(truth, rowCount(sweepQueries.rows));
    const full = (this.#full = new Rung(forSweep, this.#rungOptions, 1));
    const effort = effortOf(this.#options);
    await this.#each(settings, (setting) => full.measure(setting, effort, this.#store));
    if (full.points.length === 0) throw nothingMeasured(full.omissions);
    return { full, truth };
  }

  /** Closes in on the limits of recall, index by index. */
  async #refine(full: Rung): Promise<void> {
    const { events, limits } = this.#options;
    const { budget, reserveMs } = this.#rungOptions;
    events.stage("closing in on the limits");
    const enough: Enough = (point) => answers[recallStanding(point, limits)];
    const settings = [...full.open.values()].map((b) => b.setting);
    const order = byPromise(settings, full.points, limits).map(({ item }) => item);
    await this.#each(order, async (setting) => {
      const known = full.points.filter((p) => settingKey(p.setting) === settingKey(setting));
      if (!this.#worthRefining(known, full.points)) return;
      await refineKnob(full.open.get(settingKey(setting))!, known, enough, {
        truth: full.truth,
        effort: effortOf(this.#options),
        all: full.points,
        go: () => budget.leftMs > reserveMs,
      });
    });
  }

  #stage(size: number): void {
    this.#options.events.stage(`${size.toLocaleString("en-US")} vectors`);
  }

  async #each(settings: readonly Setting[], work: (s: Setting) => Promise<void>): Promise<void> {
    const { events } = this.#options;
    for (const [done, setting] of settings.entries()) {
      events.progress(done, settings.length);
      await work(setting);
    }
    events.progress(settings.length, settings.length);
  }

  #promote(alive: readonly Setting[], rung: Rung): Setting[] {
    const promoted = promote(byPromise(alive, rung.points, this.#options.limits));
    // What could not be trained on so few, or was passed over, may still be measured further up.
    const waiting = rung.omissions.filter((o) => o.cause !== "build").map((o) => o.setting);
    const goOn = new Set([...alive.filter(isYardstick), ...promoted, ...waiting]);
    this.#left.push(...rung.omissions.filter(({ setting }) => !goOn.has(setting)));
    return [...goOn];
  }

  /** Whether more values of its knob could make an index the fastest. */
  #worthRefining(known: readonly Point[], all: readonly Point[]): boolean {
    if (known.length === 0) return false;
    const [best] = judge(all, this.#options.limits)
      .filter((j) => j.standing === "met")
      .sort(bySpeed);
    if (best === undefined) return true;
    const fastest = Math.min(...known.map((p) => valueOf(p, "p50Ms") ?? Infinity));
    return fastest < valueOf(best.point, "p50Ms")!;
  }
}

/** The exact search is measured whatever it takes: without it, something is broken. */
function nothingMeasured(omissions: readonly Omission[]): UserError {
  const [first] = omissions;
  return new UserError({
    code: "index-build",
    message: "no index could be built",
    found: first ? `${first.setting.factory}: ${first.why}` : "no engine has a setting for these",
    fix: "look at memory and disk space; shitu doctor says what else may be missing",
  });
}
