import type { Family, FigureName, Point, Setting } from "../../../src/eval/choose/point.js";
import type { Score } from "../../../src/eval/types.js";

/** A figure that is known exactly, or within an interval. */
export function figure(value: number, ci: readonly [number, number] | null = null): Score {
  const interval = ci && {
    low: ci[0],
    high: ci[1],
    level: 0.95,
    method: "wilson",
    units: 100,
  };
  return { value, n: 100, interval };
}

export function setting(family: Family, factory: string): Setting {
  return { family, engine: "faiss", factory, codes: "real", build: {}, knob: null, leastSize: 1 };
}

/** A point with the figures given, as numbers or scores. */
export function point(
  family: Family,
  factory: string,
  figures: Readonly<Partial<Record<FigureName, number | Score>>>,
  more: Partial<Point> = {},
): Point {
  const scores = Object.entries(figures).map(([name, value]) => [
    name,
    typeof value === "number" ? figure(value) : value,
  ]);
  return {
    setting: setting(family, factory),
    factory,
    parameters: {},
    size: 1000,
    figures: Object.fromEntries(scores) as Point["figures"],
    throughput: [],
    removable: !family.includes("HNSW"),
    warnings: [],
    ...more,
  };
}
