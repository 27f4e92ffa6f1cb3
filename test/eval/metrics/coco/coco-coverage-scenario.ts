import type { Interval } from "../../../../src/eval/types.js";
import type { CocoDetections, CocoTruth } from "../../../../datasets/formats/coco-set.js";
import { type CocoMatches, evaluateCoco } from "../../../../src/eval/metrics/coco/coco.js";
import { cocoInterval } from "../../../../src/eval/metrics/coco/coco-interval.js";
import { apStatistic } from "../../../../src/eval/metrics/coco/coco-resample.js";
import { bootstrap } from "../../../../src/eval/stats/bootstrap.js";
import { Random } from "../../../../src/eval/stats/random.js";

/**
 * A population of images: in hard ones objects are missed more often and scores are lower. Frequent
 * and rare categories.
 */
export interface Population {
  readonly images: number;
  readonly categories: number;
  /** Objects an image, on average. */
  readonly objects: number;
}

/** A set of images drawn from the population, matched. */
export function drawSet(random: Random, { images, categories, objects }: Population): CocoMatches {
  const truth = { image: [] as number[], category: [] as number[], box: [] as number[] };
  const found = {
    image: [] as number[],
    category: [] as number[],
    box: [] as number[],
    score: [] as number[],
  };
  const category = (): number => Math.floor(categories * random.next() ** 2);
  for (let i = 0; i < images; i++) {
    const hardness = random.next();
    for (let j = 1 + random.below(2 * objects - 1); j > 0; j--) {
      const k = category();
      truth.image.push(i);
      truth.category.push(k);
      truth.box.push(150 * j, 0, 100, 100);
      if (random.next() < 0.95 - 0.5 * hardness) {
        found.image.push(i);
        found.category.push(random.next() < 0.9 ? k : random.below(categories));
        found.box.push(150 * j, 0, 100, 100 * (1 - 0.6 * random.next() ** 2));
        found.score.push(random.next() * (1 - 0.4 * hardness));
      }
      if (random.next() < 0.5) {
        found.image.push(i);
        found.category.push(category());
        found.box.push(150 * j, 500, 100, 100);
        found.score.push(random.next() ** 2);
      }
    }
  }
  const n = truth.image.length;
  const set: CocoTruth = {
    images: Array.from({ length: images }, (_, id) => ({
      id,
      width: 0,
      height: 0,
      fileName: null,
    })),
    categories: Array.from({ length: categories }, (_, id) => ({ id, name: String(id) })),
    image: Int32Array.from(truth.image),
    category: Int32Array.from(truth.category),
    box: Float64Array.from(truth.box),
    area: new Float64Array(n).fill(10_000),
    crowd: new Uint8Array(n),
    ignore: new Uint8Array(n),
    id: Float64Array.from({ length: n }, (_, g) => g + 1),
    notes: [],
  };
  const detections: CocoDetections = {
    image: Int32Array.from(found.image),
    category: Int32Array.from(found.category),
    box: Float64Array.from(found.box),
    score: Float64Array.from(found.score),
    notes: [],
  };
  return evaluateCoco(set, detections, {
    maxDets: [100],
    areas: [{ name: "all", min: 0, max: 1e10 }],
  }).matches;
}

export interface Coverage {
  /** Mean AP of the sets. */
  readonly mean: number;
  /** Share of the sets whose interval held it. */
  readonly aroundValue: number;
  readonly percentile: number | null;
}

/**
 * How often intervals of AP (at one IoU threshold, or the mean over all) hold the mean AP of sets
 * of as many images.
 */
export function apCoverage(
  population: Population,
  {
    draws,
    resamples,
    threshold,
    percentiles = true,
  }: {
    readonly draws: number;
    readonly resamples: number;
    readonly threshold?: number;
    readonly percentiles?: boolean;
  },
): Coverage {
  const drawn = Array.from({ length: draws }, (_, i) => {
    const statistic = apStatistic(drawSet(new Random("AP").split(i), population), {
      ...(threshold !== undefined && { threshold }),
    });
    const around = cocoInterval(statistic, { resamples, seed: i });
    const percentile = percentiles
      ? bootstrap(statistic, { method: "percentile", resamples, seed: i })
      : around;
    if (
      around.value === null ||
      percentile.value === null ||
      !around.interval ||
      !percentile.interval
    )
      throw new Error("no interval");
    return { value: around.value, around: around.interval, percentile: percentile.interval };
  });
  const mean = drawn.reduce((sum, d) => sum + d.value / draws, 0);
  const share = (interval: (d: (typeof drawn)[number]) => Interval): number =>
    drawn.filter((d) => interval(d).low <= mean && mean <= interval(d).high).length / draws;
  return {
    mean,
    aroundValue: share((d) => d.around),
    percentile: percentiles ? share((d) => d.percentile) : null,
  };
}
