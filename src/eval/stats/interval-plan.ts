/**
 * How intervals are made: resolved once, from a config or the command line, and handed to whatever
 * makes one.
 */
export interface IntervalPlan {
  /** Confidence of every interval. */
  readonly level: number;
  /** Draws of a bootstrap over items. */
  readonly resamples: number;
  /** Draws of a bootstrap over whole images (AP, F1, the waterfall), which cost more. */
  readonly imageResamples: number;
  /** 0 leaves each bootstrap the seed of its own purpose. */
  readonly seed: number | string;
  /** What counts as independent: each item, or all items of one label together. */
  readonly clusters: "item" | "label";
}

/** The one place that says 95%. */
export const defaultIntervals: IntervalPlan = {
  level: 0.95,
  resamples: 2000,
  imageResamples: 1000,
  seed: 0,
  clusters: "label",
};

/** The chance that an interval, or a test, is wrong: 0.05 at 0.95, without the noise of binary. */
export function alphaOf(level: number): number {
  return Number((1 - level).toPrecision(12));
}

/**
 * The level of each of several intervals that are to hold all at once with the level's confidence
 * (Bonferroni).
 */
export function familyLevel(level: number, count: number): number {
  return 1 - alphaOf(level) / Math.max(1, count);
}

/** The level of the two-sided interval whose ends are one-sided bounds at `level` each. */
export function twoSidedLevel(level: number): number {
  return 2 * level - 1;
}

/** The seed of one purpose under a plan; a plan of seed 0 adds nothing to the purpose's own. */
export function seedFor({ seed }: Pick<IntervalPlan, "seed">, purpose: string): string {
  return seed === 0 ? purpose : `${seed}/${purpose}`;
}
