import type { Unit } from "../types.js";
import { valueOf, type FigureName, type Point } from "./point.js";

/** What an index must keep to. Undefined: no such limit. Milliseconds, bytes, ratios, all raw. */
export interface Limits {
  /** Neighbour recall@k, at least. */
  readonly recall?: number;
  /** Label recall@1, at least. */
  readonly labelRecall?: number;
  readonly p99Ms?: number;
  /** In batches, on all threads. */
  readonly queriesPerSecond?: number;
  readonly memoryBytes?: number;
  readonly buildMs?: number;
  /** Entries must be removable. */
  readonly deletes?: boolean;
  readonly appendsPerDay?: number;
}

export type LimitName = keyof Limits;

interface NumericLimit {
  readonly name: Exclude<LimitName, "deletes">;
  readonly option: string;
  readonly what: string;
  readonly figure: FigureName;
  readonly unit: Unit;
  readonly bound: "least" | "most";
  /** A value without an interval was measured once: another run may differ by this share. */
  readonly spread?: number;
  /** And by so much, however small the value. */
  readonly noise?: number;
  /** From the limit's own unit to the figure's. */
  readonly toFigure?: (limit: number) => number;
}

const dayS = 86_400;

/** The limits on figures, in the order in which they are told. */
export const numericLimits: readonly NumericLimit[] = [
  {
    name: "recall",
    option: "--recall",
    what: "neighbour recall",
    figure: "neighbourRecall",
    unit: "ratio",
    bound: "least",
  },
  {
    name: "labelRecall",
    option: "--label-recall",
    what: "label recall@1",
    figure: "labelRecall",
    unit: "ratio",
    bound: "least",
  },
  {
    name: "p99Ms",
    option: "--p99",
    what: "99th percentile of a query's time",
    figure: "p99Ms",
    unit: "ms",
    bound: "most",
  },
  {
    name: "queriesPerSecond",
    option: "--qps",
    what: "queries a second",
    figure: "queriesPerSecond",
    unit: "per-second",
    bound: "least",
    spread: 0.15,
  },
  {
    name: "memoryBytes",
    option: "--memory",
    what: "memory",
    figure: "memoryBytes",
    unit: "bytes",
    bound: "most",
    spread: 0.02,
    // An allocator takes more than it was asked for, and not the same in two processes.
    noise: 2 ** 20,
  },
  {
    name: "buildMs",
    option: "--build",
    what: "build time",
    figure: "buildMs",
    unit: "ms",
    bound: "most",
    spread: 0.15,
  },
  {
    name: "appendsPerDay",
    option: "--appends",
    what: "vectors added a second",
    figure: "addsPerSecond",
    unit: "per-second",
    bound: "least",
    spread: 0.15,
    toFigure: (perDay) => perDay / dayS,
  },
];

/** One limit held against one point. */
export interface LimitCheck {
  readonly limit: LimitName;
  readonly option: string;
  readonly what: string;
  readonly unit: Unit | "flag";
  /** In the figure's unit. */
  readonly needs: number;
  /** Null where it was not measured, which meets no limit. */
  readonly found: number | null;
  /**
   * `met` and `broken` hold over the figure's whole interval; `unsure`: the limit lies within it.
   */
  readonly verdict: "met" | "unsure" | "broken";
  /** By how much it is missed, as a share of the limit: 0 where the value itself meets it. */
  readonly excess: number;
}

/** Holds every given limit against a point. */
export function checkLimits(point: Point, limits: Limits): LimitCheck[] {
  const checks = numericLimits.flatMap((kind): LimitCheck[] => {
    const limit = limits[kind.name];
    return limit === undefined ? [] : [checkNumber(point, kind, limit)];
  });
  if (limits.deletes === true) checks.push(checkDeletes(point));
  return checks;
}

function checkNumber(point: Point, kind: NumericLimit, limit: number): LimitCheck {
  const { name, option, what, unit, figure, bound } = kind;
  const needs = kind.toFigure?.(limit) ?? limit;
  const head = { limit: name, option, what, unit, needs };
  const score = point.figures[figure];
  const found = valueOf(point, figure);
  if (found === null || score === undefined || score.value === null) {
    return { ...head, found: null, verdict: "broken", excess: Infinity };
  }
  const [low, high] = score.interval
    ? [score.interval.low, score.interval.high]
    : around(found, found * (kind.spread ?? 0) + (kind.noise ?? 0));
  const surely = bound === "least" ? low >= needs : high <= needs;
  const never = bound === "least" ? high < needs : low > needs;
  const distance = bound === "least" ? needs - found : found - needs;
  const verdict = verdictOf(surely, never);
  return { ...head, found, verdict, excess: Math.max(0, distance / Math.abs(needs)) };
}

function checkDeletes({ removable }: Point): LimitCheck {
  return {
    limit: "deletes",
    option: "--deletes",
    what: "removal of entries",
    unit: "flag",
    needs: 1,
    found: removable ? 1 : 0,
    verdict: removable ? "met" : "broken",
    excess: removable ? 0 : Infinity,
  };
}

/** How a point stands: within all limits for sure, perhaps, or not. */
export function standing(checks: readonly LimitCheck[]): LimitCheck["verdict"] {
  if (checks.some((c) => c.verdict === "broken")) return "broken";
  return checks.some((c) => c.verdict === "unsure") ? "unsure" : "met";
}

function verdictOf(surely: boolean, never: boolean): LimitCheck["verdict"] {
  if (surely) return "met";
  return never ? "broken" : "unsure";
}

function around(value: number, by: number): readonly [number, number] {
  return [value - by, value + by];
}

const recallLimits: readonly LimitName[] = ["recall", "labelRecall"];

/** How a point stands to the limits on recall, which a knob can mend. */
export function recallStanding(point: Point, limits: Limits): LimitCheck["verdict"] {
  const mendable = checkLimits(point, limits).filter((c) => recallLimits.includes(c.limit));
  return standing(mendable);
}
