import { rowCount } from "../../pipeline/types.js";
import { ladder, promote, type Candidate } from "./budget.js";
import type { BuildStore } from "./build-store.js";
import type { Built } from "./built.js";
import type { ChoiceOptions } from "./choice-options.js";
import { joinQueries } from "./choice-data.js";
import { measureChurn } from "./churn.js";
import { finalists } from "./finalists.js";
import { measureFinals } from "./finals.js";
import { recallStanding, type Limits } from "./limits.js";
import type { Effort } from "./measure.js";
import { bySpeed, judge, worstExcess, type Judged } from "./pick.js";
import {
  isYardstick,
  settingKey,
  valueOf,
  type Family,
  type Point,
  type Setting,
} from "./point.js";
import { CostBook, Rung, type Omission, type RungOptions } from "./rung.js";
import { refineKnob, type Enough } from "./sweep.js";
import { burstCosine } from "./warnings.js";
import { fewerQueries, findTruth, type Truth } from "./truth.js";

/** Recall that guides the sweep where no limit says. */
const usualRecall = 0.95;
/** At small sizes recall is higher than it will be: what falls this far short is out of reach. */
const slack = 0.05;
const fewQueries = 300;

/**
 * The course of one choice: up the ladder of sizes, closer to the limits, and the last comparison.
 */
export class Search {
  readonly smaller: Point[] = [];
  readonly #options: ChoiceOptions;
  readonly #rungOptions: RungOptions;
  readonly #store: BuildStore;
  readonly #costs = new CostBook();
  readonly #left: Omission[] = [];
  #full: Rung | null = null;

  constructor(options: ChoiceOptions, store: BuildStore, rungOptions: RungOptions) {
    this.#options = options;
    this.#store = store;
    this.#rungOptions = rungOptions;
  }

  get omissions(): readonly Omission[] {
    return [...this.#left, ...(this.#full?.omissions ?? [])];
  }

  /** Measures the settings at every size; at each, the better half goes on to the next. */
  async climb(settings: readonly Setting[]): Promise<void> {
    const { data, events } = this.#options;
    const sizes = ladder(rowCount(data.gallery.rows));
    let alive = settings;
    for (const [place, size] of sizes.entries()) {
      events.stage(`${size.toLocaleString("en-US")} vectors`);
      const last = place === sizes.length - 1;
      const rung = new Rung(await this.#truth(size, last), this.#costs, this.#rungOptions);
      if (last) this.#full = rung;
      for (const [done, setting] of alive.entries()) {
        events.progress(done, alive.length);
        if (last) await rung.measure(setting, this.#effort(), this.#store);
        else await rung.tryOut(setting, lightEffort);
      }
      events.progress(alive.length, alive.length);
      if (last) return;
      this.smaller.push(...rung.points);
      alive = this.#promote(alive, rung);
    }
  }

  /** Closes in on the limits of recall, index by index. */
  async refine(): Promise<void> {
    const full = this.#required();
    const { events, limits } = this.#options;
    const { budget, reserveMs } = this.#rungOptions;
    events.stage("closing in on the limits");
    const enough: Enough = (point) => answers[recallStanding(point, limits)];
    const order = this.#byPromise(
      [...full.open.values()].map((b) => b.setting),
      full,
    );
    for (const [done, { item: setting }] of order.entries()) {
      events.progress(done, order.length);
      const known = full.points.filter((p) => settingKey(p.setting) === settingKey(setting));
      if (!this.#worthRefining(known, full.points)) continue;
      const built = full.open.get(settingKey(setting))!;
      await refineKnob(built, known, enough, {
        truth: full.truth,
        effort: this.#effort(),
        all: full.points,
        go: () => budget.leftMs > reserveMs,
      });
    }
  }

  /**
   * Compares the best with one another on all queries, and holds every point against the limits.
   */
  async decide(): Promise<Judged[]> {
    const full = this.#required();
    const { limits, data, events } = this.#options;
    if (limits.memoryBytes !== undefined) await this.#footprints(full);
    events.stage("comparing the best");
    const queries = joinQueries(data);
    const truth = await findTruth({ ...this.#truthOf(full.truth.size), queries });
    const compared = new Set<Point>();
    for (let round = 0; round < mostRounds; round++) {
      if (round > 0 && this.#rungOptions.budget.leftMs < 0) break;
      const next = finalists(judge(full.points, limits), full.open);
      // The fastest that fit have all been compared: the order stands.
      if (next.every(({ point }) => compared.has(point))) break;
      const again = await measureFinals(next, {
        truth,
        seed: this.#options.seed,
        mostMs: this.#finalsMs(),
        leastRounds: this.#effort().leastSamples,
      });
      again.forEach(({ point }, i) => {
        full.points[full.points.indexOf(next[i]!.point)] = point;
        compared.add(point);
      });
    }
    await this.#footprints(full);
    await this.#churn(full);
    return judge(full.points, limits);
  }

  /**
   * Share of the held-out queries whose nearest neighbour is all but equal; null where queries were
   * given, or where an inner product is no cosine.
   */
  similarNeighbours(): number | null {
    const { data } = this.#options;
    const { exact } = this.#required().truth;
    if (!data.heldOut || data.metric !== "inner-product") return null;
    const nearest = exact.scores.filter((_, i) => i % exact.k === 0);
    if (nearest.some((score) => score > 1.001)) return null;
    return nearest.filter((score) => score >= burstCosine).length / nearest.length;
  }

  /** Why nothing of a family was measured at any size. */
  unmeasured(): Readonly<Partial<Record<Family, string>>> {
    return Object.fromEntries(this.omissions.map(({ family, why }) => [family, why]));
  }

  /**
   * With the points of the largest size measured, for families that did not come to the full one.
   */
  withSmaller(judged: readonly Judged[]): Judged[] {
    const there = new Set(judged.map((j) => j.point.setting.family));
    const left = this.smaller.filter((p) => !there.has(p.setting.family));
    const largest = new Map<Family, number>();
    for (const { setting, size } of left) {
      largest.set(setting.family, Math.max(size, largest.get(setting.family) ?? 0));
    }
    const shown = left.filter((p) => p.size === largest.get(p.setting.family));
    return [...judged, ...judge(shown, this.#options.limits)];
  }

  close(): void {
    this.#full?.close();
  }

  #required(): Rung {
    if (this.#full === null) throw new Error("climb comes first");
    return this.#full;
  }

  async #truth(size: number, last: boolean): Promise<Truth> {
    const truth = await findTruth(this.#truthOf(size));
    return last ? truth : fewerQueries(truth, fewQueries);
  }

  #truthOf(size: number) {
    const { data, k } = this.#options;
    return { gallery: data.gallery, queries: data.sweepQueries, metric: data.metric, size, k };
  }

  /** A limit on the 99th percentile needs some 400 samples for its interval. */
  #effort(): Effort {
    const { limits, budgetMs } = this.#options;
    const leastSamples = limits.p99Ms === undefined ? 100 : 400;
    return { leastSamples, mostSamples: 1000, timingMs: Math.min(400, budgetMs / 500) };
  }

  #finalsMs(): number {
    const { reserveMs, budget } = this.#rungOptions;
    return Math.max(200, Math.min(reserveMs / 4, budget.leftMs / 3));
  }

  #promote(alive: readonly Setting[], rung: Rung): Setting[] {
    const measured = this.#byPromise(alive, rung);
    // What could not be trained on so few is measured when there are more.
    const waiting = alive.filter((s) => s.leastSize > rung.truth.size);
    const promoted = promote(measured);
    const places = new Map([...promoted, ...waiting].map((s) => [s, alive.indexOf(s)]));
    for (const { setting, why } of rung.omissions) {
      if (!places.has(setting)) this.#left.push({ setting, family: setting.family, why });
    }
    // The yardstick first, then the most promising.
    const flatFirst = (s: Setting): number => (isYardstick(s) ? 0 : 1);
    return [...places.keys()].sort((a, b) => flatFirst(a) - flatFirst(b));
  }

  /** Settings that were measured in a rung, the most promising first. */
  #byPromise(settings: readonly Setting[], rung: Rung): Candidate<Setting>[] {
    const known = looseLimits(this.#options.limits);
    const judged = judge(rung.points, known);
    const candidates = settings.flatMap((item): Candidate<Setting>[] => {
      const own = judged.filter((j) => settingKey(j.point.setting) === settingKey(item));
      if (own.length === 0) return [];
      const [best] = own.filter((j) => worstExcess(j) === 0).sort(bySpeed);
      return [
        {
          item,
          family: item.family,
          costMs: best ? (valueOf(best.point, "p50Ms") ?? Infinity) : Infinity,
          excess: Math.min(...own.map(worstExcess)),
          fixed: isYardstick(item),
        },
      ];
    });
    return candidates.sort((a, b) => compare(a.costMs, b.costMs) || compare(a.excess, b.excess));
  }

  /** Whether more values of its knob could make an index the fastest. */
  #worthRefining(known: readonly Point[], all: readonly Point[]): boolean {
    const { limits } = this.#options;
    if (known.length === 0) return false;
    const [best] = judge(all, limits)
      .filter((j) => j.standing === "met")
      .sort(bySpeed);
    if (best === undefined) return true;
    const fastest = Math.min(...known.map((p) => valueOf(p, "p50Ms") ?? Infinity));
    return fastest < valueOf(best.point, "p50Ms")!;
  }

  /** What each index holds in memory, the most promising first, while time is left. */
  async #footprints(full: Rung): Promise<void> {
    const { budget } = this.#rungOptions;
    const { events } = this.#options;
    events.stage("memory, each index in a process of its own");
    const waiting = this.#fastestFirst(full).filter(
      ({ setting }) => !full.points.some((p) => isOf(p, setting) && p.figures.memoryBytes),
    );
    for (const [done, built] of waiting.entries()) {
      events.progress(done, waiting.length);
      if (done > 0 && budget.leftMs < 0) return;
      await full.footprint(built, this.#store);
    }
  }

  #fastestFirst(full: Rung): Built[] {
    const order = judge(full.points, this.#options.limits).sort(byStanding);
    const settings = [...new Set(order.map((j) => settingKey(j.point.setting)))];
    return settings.flatMap((key) => full.open.get(key) ?? []);
  }

  async #churn(full: Rung): Promise<void> {
    const { budget } = this.#rungOptions;
    const { events } = this.#options;
    events.stage("removing and adding again");
    const built = this.#fastestFirst(full);
    for (const [done, index] of built.entries()) {
      events.progress(done, built.length);
      if (budget.leftMs < 0) return;
      full.amend(index.setting, await measureChurn(index, full.truth));
    }
  }
}

/** What is asked of an index at a size below the full one: memory and rates are not known there. */
function looseLimits({ recall = usualRecall, labelRecall, p99Ms, deletes }: Limits): Limits {
  return {
    recall: recall - slack,
    ...(labelRecall !== undefined && { labelRecall: labelRecall - slack }),
    ...(p99Ms !== undefined && { p99Ms }),
    ...(deletes !== undefined && { deletes }),
  };
}

const lightEffort: Effort = { leastSamples: 60, mostSamples: 200, timingMs: 60 };
const answers = { met: "yes", unsure: "unsure", broken: "no" } as const;
const mostRounds = 3;
const standings = ["met", "unsure", "broken"];

function isOf(point: Point, setting: Setting): boolean {
  return settingKey(point.setting) === settingKey(setting);
}

/** What keeps the limits comes first, the fastest of it before the others. */
function byStanding(a: Judged, b: Judged): number {
  return standings.indexOf(a.standing) - standings.indexOf(b.standing) || bySpeed(a, b);
}

function compare(a: number, b: number): number {
  if (a === b) return 0; // also where both are infinite
  return a < b ? -1 : 1;
}
