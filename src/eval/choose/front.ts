/** What a front is drawn of: more recall is better, less time is better. */
export interface FrontAxes<T> {
  recall(point: T): number;
  cost(point: T): number;
}

/**
 * The points that no other beats in both recall and cost, in rising order of both. Of points of one
 * cost the one with the higher recall stays, and of equal recall the cheaper; a recall of 0 is no
 * point at all, because doing nothing is as good.
 *
 * After ann-benchmarks (`ann_benchmarks/plotting/utils.py`, `create_pointset`); Faiss's
 * `OperatingPoints` (`AutoTune.cpp`) keeps the same points where no two cost the same.
 */
export function paretoFront<T>(points: readonly T[], { recall, cost }: FrontAxes<T>): T[] {
  const sorted = points
    .filter((point) => recall(point) > 0)
    .sort((a, b) => cost(a) - cost(b) || recall(b) - recall(a));
  const front: T[] = [];
  let best = -Infinity;
  for (const point of sorted) {
    if (recall(point) <= best) continue;
    best = recall(point);
    front.push(point);
  }
  return front;
}

/** A value of a knob that was measured. */
export interface KnobPoint {
  readonly value: number;
  readonly recall: number;
  readonly cost: number;
}

/**
 * Whether a value of a knob needs no measurement: recall and cost rise with the knob, so that the
 * next larger measured value bounds the recall from above and the next smaller one the cost from
 * below. It is ruled out where a point at hand, of any index, is as good as both bounds.
 *
 * After Faiss's `ParameterSpace::update_bounds` and `explore` (`AutoTune.cpp`).
 */
export function ruledOut(
  value: number,
  measured: readonly KnobPoint[],
  all: readonly Pick<KnobPoint, "recall" | "cost">[],
): boolean {
  let mostRecall = 1;
  let leastCost = 0;
  for (const point of measured) {
    if (point.value >= value) mostRecall = Math.min(mostRecall, point.recall);
    if (point.value <= value) leastCost = Math.max(leastCost, point.cost);
  }
  return all.some(({ recall, cost }) => recall >= mostRecall && cost <= leastCost);
}
