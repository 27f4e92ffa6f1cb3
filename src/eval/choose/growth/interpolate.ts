import { settingKey, valueOf, type FigureName, type Point } from "../point.js";
import type { Sample } from "./law.js";

/**
 * A figure of an index at one size and one value of its knob: measured, or between the two values
 * next to it on the line through their logarithms. Null beyond the values that were measured.
 */
export function figureAt(
  points: readonly Point[],
  name: FigureName,
  knob: string | null,
  value: number,
): Omit<Sample, "size"> | null {
  const known = points
    .flatMap((point) => {
      const found = valueOf(point, name);
      const at = knob === null ? value : point.parameters[knob];
      return found === null || at === undefined
        ? []
        : [{ at, found, half: halfWidth(point, name) }];
    })
    .sort((a, b) => a.at - b.at);
  const exact = known.find(({ at }) => at === value);
  if (exact) return { value: exact.found, halfWidth: exact.half };
  const above = known.findIndex(({ at }) => at > value);
  if (above <= 0) return null;
  const [low, high] = [known[above - 1]!, known[above]!];
  const share = Math.log(value / low.at) / Math.log(high.at / low.at);
  return {
    value: low.found + share * (high.found - low.found),
    halfWidth: Math.max(low.half, high.half),
  };
}

/** The samples of a figure over the sizes, for one index and one value of its knob. */
export function samplesOver(points: readonly Point[], like: Point, name: FigureName): Sample[] {
  const key = settingKey(like.setting);
  const own = points.filter((p) => settingKey(p.setting) === key);
  const knob = like.setting.knob?.name ?? null;
  const value = knob === null ? 1 : like.parameters[knob]!;
  const sizes = [...new Set(own.map((p) => p.size))].sort((a, b) => a - b);
  return sizes.flatMap((size) => {
    const there = own.filter((p) => p.size === size);
    const figure = figureAt(there, name, knob, value);
    return figure === null ? [] : [{ size, ...figure }];
  });
}

function halfWidth({ figures }: Point, name: FigureName): number {
  const score = figures[name];
  if (score === undefined || score.value === null || score.interval === null) return 0;
  return (score.interval.high - score.interval.low) / 2;
}
