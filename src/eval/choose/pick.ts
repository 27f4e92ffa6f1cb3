import { checkLimits, standing, type LimitCheck, type Limits } from "./limits.js";
import { settingKey, valueOf, type Point } from "./point.js";

/** A point with how it stands to the limits. */
export interface Judged {
  readonly point: Point;
  readonly checks: readonly LimitCheck[];
  readonly standing: LimitCheck["verdict"];
}

export interface Choice {
  /**
   * The fastest that keeps every limit over the whole of its intervals; where none does, the
   * fastest whose values do (`sure` is then false); null where none does either.
   */
  readonly pick: Judged | null;
  readonly sure: boolean;
  /** The fastest of another index that does as well. */
  readonly runnerUp: Judged | null;
  /** Where there is no pick: the points nearest to the limits, nearest first. */
  readonly nearest: readonly Judged[];
}

const nearestShown = 5;

/** Points that lack a time are no candidates. */
export function judge(points: readonly Point[], limits: Limits): Judged[] {
  return points
    .filter((point) => valueOf(point, "p50Ms") !== null)
    .map((point) => {
      const checks = checkLimits(point, limits);
      return { point, checks, standing: standing(checks) };
    });
}

/**
 * The fastest point, by the median time of a query, that keeps every limit; equal times go to the
 * smaller memory, then to the higher recall.
 */
export function pick(judged: readonly Judged[]): Choice {
  const sure = judged.filter((j) => j.standing === "met").sort(bySpeed);
  const perhaps = judged.filter((j) => j.standing !== "broken" && worstExcess(j) === 0);
  const fitting = sure.length > 0 ? sure : perhaps.sort(bySpeed);
  const [best = null] = fitting;
  const other = (j: Judged): boolean =>
    best !== null && settingKey(j.point.setting) !== settingKey(best.point.setting);
  return {
    pick: best,
    sure: sure.length > 0,
    runnerUp: fitting.find(other) ?? null,
    nearest: best === null ? [...judged].sort(byExcess).slice(0, nearestShown) : [],
  };
}

export function bySpeed(a: Judged, b: Judged): number {
  const of = (j: Judged, name: "p50Ms" | "memoryBytes"): number =>
    valueOf(j.point, name) ?? Infinity;
  const time = of(a, "p50Ms") - of(b, "p50Ms");
  if (time !== 0) return time;
  const memory = of(a, "memoryBytes") - of(b, "memoryBytes");
  if (memory !== 0 && !Number.isNaN(memory)) return memory;
  return recallOf(b) - recallOf(a);
}

function recallOf({ point }: Judged): number {
  return valueOf(point, "neighbourRecall") ?? -1;
}

/** The largest share by which any limit is missed. */
export function worstExcess({ checks }: Judged): number {
  return Math.max(0, ...checks.map((c) => c.excess));
}

/** Fewer limits missed beyond reach first, then the smaller excess, then speed. */
function byExcess(a: Judged, b: Judged): number {
  const [x, y] = [worstExcess(a), worstExcess(b)];
  if (x !== y) return x < y ? -1 : 1;
  const sum = (j: Judged): number => j.checks.reduce((s, c) => s + Math.min(c.excess, 1e9), 0);
  return sum(a) - sum(b) || bySpeed(a, b);
}
