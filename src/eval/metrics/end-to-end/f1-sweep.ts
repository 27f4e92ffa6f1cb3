import { byStrictness, type AcceptanceRule } from "../../../pipeline/acceptance.js";
import { steps, type ImageEvidence } from "./f1-evidence.js";
import { Counts, type F1Point } from "./f1-counts.js";
import { tally, type F1Definition, type Tally } from "./f1-tally.js";

/** An operating point of the sweep: everything at this score or better is accepted. */
export interface SweepPoint extends F1Point {
  readonly threshold: number;
}

/**
 * Precision, recall and F1 at every distinct score, strictest first. Each picture is counted once
 * for each of its own scores; all scores are then sorted once, and a point changes only the
 * pictures that have that very score: O(S log S) for S crops.
 */
export function sweepF1(
  images: readonly ImageEvidence[],
  definition: F1Definition,
  rule: AcceptanceRule,
): SweepPoint[] {
  const counts = new Counts(definition);
  const events: { score: number; image: number; tallies: readonly Tally[] }[] = [];
  const current: (readonly Tally[])[] = images.map((evidence, image) => {
    const nothing = tally(definition, evidence.truth, []);
    counts.add(nothing);
    for (const step of steps(evidence.recognitions, rule)) {
      events.push({
        score: step.score,
        image,
        tallies: tally(definition, evidence.truth, step.accepted),
      });
    }
    return nothing;
  });
  const stricter = byStrictness(rule.better);
  events.sort((a, b) => stricter(a.score, b.score));
  const points: SweepPoint[] = [];
  events.forEach(({ score, image, tallies }, i) => {
    counts.add(current[image]!, -1);
    counts.add(tallies);
    current[image] = tallies;
    if (events[i + 1]?.score !== score) points.push({ threshold: score, ...counts.point });
  });
  return points;
}

/** The point of the highest F1; the strictest of equals. Null where no point has one. */
export function bestPoint(points: readonly SweepPoint[]): SweepPoint | null {
  let best: SweepPoint | null = null;
  for (const point of points) {
    // Averages are kept by adding and subtracting: differences below rounding are none.
    if (point.f1 !== null && (best === null || point.f1 > best.f1! + 1e-12)) best = point;
  }
  return best;
}

/**
 * At most `most` points of a curve, the first, the last and the best among them: for reports, never
 * for choosing.
 */
export function thinned(points: readonly SweepPoint[], most: number): SweepPoint[] {
  if (points.length <= most) return [...points];
  const keep = new Set([0, points.length - 1]);
  const best = bestPoint(points);
  if (best) keep.add(points.indexOf(best));
  for (let i = 0; keep.size < most && i < most; i++)
    keep.add(Math.round((i * (points.length - 1)) / (most - 1)));
  return [...keep].sort((a, b) => a - b).map((i) => points[i]!);
}
