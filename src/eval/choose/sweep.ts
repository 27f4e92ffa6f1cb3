import type { Built } from "./building/built.js";
import { ruledOut, type KnobPoint } from "./front.js";
import { measurePoint, type Effort } from "./measure.js";
import { valueOf, type Knob, type Parameters, type Point } from "./point.js";
import { listsOf } from "./space.js";
import type { Truth } from "./truth.js";

export interface SweepOptions {
  readonly truth: Truth;
  readonly effort: Effort;
  /** Points of all indexes at this size, this sweep's own added as they come. */
  readonly all: Point[];
  /** Told whether there is time for another point. */
  readonly go: () => boolean;
}

/**
 * Measures an index at the values of its knob, from the smallest on; values that the bounds rule
 * out, and those beyond what the index holds, are left out.
 */
export async function sweepKnob(built: Built, options: SweepOptions): Promise<Point[]> {
  const own: Point[] = [];
  for (const parameters of sweptParameters(built)) {
    if (own.length > 0 && !options.go()) break;
    if (isRuledOut(parameters, own, options.all)) continue;
    own.push(await measureInto(built, parameters, options));
  }
  return own;
}

async function measureInto(
  built: Built,
  parameters: Parameters,
  { truth, effort, all }: SweepOptions,
): Promise<Point> {
  const point = await measurePoint(built, { truth, parameters, effort });
  all.push(point);
  return point;
}

function sweptParameters({ setting, factory, size }: Built): Parameters[] {
  const { knob } = setting;
  if (knob === null) return [{}];
  const values = knob.values.filter((v) => v <= largestOf(knob, factory, size));
  return (values.length > 0 ? values : [knob.values[0]!]).map((v) => ({ [knob.name]: v }));
}

/** More lists than there are, or a longer shortlist than there are vectors, change nothing. */
export function largestOf(knob: Knob, factory: string, size: number): number {
  const bound = knob.name === "nprobe" ? listsOf(factory) : size;
  return Math.max(1, Math.min(knob.largest, bound));
}

function isRuledOut(parameters: Parameters, own: readonly Point[], all: readonly Point[]): boolean {
  const [value] = Object.values(parameters);
  if (value === undefined) return false;
  return ruledOut(value, own.flatMap(knobPoint), all.flatMap(knobPoint));
}

function knobPoint(point: Point): KnobPoint[] {
  const recall = valueOf(point, "neighbourRecall");
  const cost = valueOf(point, "p50Ms");
  if (recall === null || cost === null) return [];
  return [{ value: Object.values(point.parameters)[0] ?? 0, recall, cost }];
}

/** Knob values next to each other closer than this need nothing between them. */
const closeEnough = 1.1;
const mostRefinements = 5;

/** Whether a point keeps what rises with the knob. */
export type Enough = (point: Point) => "yes" | "no" | "unsure";

/**
 * Closes in on the smallest value of a knob that is enough, by bisection in its logarithm between
 * the last value that is not and the first that is.
 */
export async function refineKnob(
  built: Built,
  known: readonly Point[],
  enough: Enough,
  options: SweepOptions,
): Promise<Point[]> {
  const { knob } = built.setting;
  if (knob === null) return [];
  const points = [...known];
  const made: Point[] = [];
  while (made.length < mostRefinements && options.go()) {
    const next = nextValue(knob, points, enough, largestOf(knob, built.factory, built.size));
    if (next === null) break;
    const point = await measureInto(built, { [knob.name]: next }, options);
    made.push(point);
    points.push(point);
  }
  return made;
}

/** The value to try next; null where the gap is closed, or cannot be. */
export function nextValue(
  knob: Knob,
  points: readonly Point[],
  enough: Enough,
  largest: number,
): number | null {
  const valued = points
    .map((point) => ({ value: point.parameters[knob.name] ?? 0, state: enough(point) }))
    .sort((a, b) => a.value - b.value);
  const above = valued.find((p) => p.state === "yes");
  const below = valued.findLast((p) => p.state !== "yes" && p.value < (above?.value ?? Infinity));
  if (above === undefined) {
    const last = valued.at(-1)?.value ?? knob.values[0]!;
    return last < largest ? Math.min(largest, 2 * last) : null;
  }
  if (below === undefined) return above.value > 1 ? Math.floor(above.value / 2) : null;
  if (above.value / below.value <= closeEnough) return null;
  const middle = Math.round(Math.sqrt(above.value * below.value));
  return middle > below.value && middle < above.value ? middle : null;
}
