import { UserError } from "../../../pipeline/errors.js";

/** Bounds of an object's area in px², both inclusive. */
export interface AreaRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

export interface CocoOptions {
  /** Of a match, each in (0, 1], at most 32. Default: 0.50:0.05:0.95. */
  readonly iouThresholds?: readonly number[];
  /**
   * Detections kept of each image and category, best first. Default: 1, 10, 100. AP is at the
   * largest.
   */
  readonly maxDets?: readonly number[];
  /**
   * At most 32; the first is the one that AP, AP50, AP75 and AR@k speak of. Default: all, small,
   * medium, large.
   */
  readonly areas?: readonly AreaRange[];
  /** Take all categories as one (pycocotools: useCats = 0). Default: false. */
  readonly agnostic?: boolean;
  /**
   * Boxes flagged `ignore` do not count, and a detection that finds one costs nothing, as boxes out
   * of the area range. Default: false; pycocotools overwrites the flag unread.
   */
  readonly honourIgnore?: boolean;
  /**
   * As pycocotools, where a match with the annotation of id 0 reads as no match. Default: false.
   */
  readonly pycocotoolsIdZero?: boolean;
}

export interface CocoParameters {
  readonly iouThresholds: Float64Array;
  readonly recallThresholds: Float64Array;
  /** Ascending. */
  readonly maxDets: Int32Array;
  readonly areas: readonly AreaRange[];
  readonly agnostic: boolean;
  readonly honourIgnore: boolean;
  readonly pycocotoolsIdZero: boolean;
}

/** COCO's: https://cocodataset.org/#detection-eval; pycocotools' Params.setDetParams. */
export const cocoAreas: readonly AreaRange[] = [
  { name: "all", min: 0, max: 1e5 ** 2 },
  { name: "small", min: 0, max: 32 ** 2 },
  { name: "medium", min: 32 ** 2, max: 96 ** 2 },
  { name: "large", min: 96 ** 2, max: 1e5 ** 2 },
];

/**
 * `count` values from start to stop with numpy.linspace's rounding: start + i * step, the last one
 * exactly `stop`.
 */
export function linspace(start: number, stop: number, count: number): Float64Array {
  const step = (stop - start) / (count - 1);
  return Float64Array.from({ length: count }, (_, i) =>
    i === count - 1 ? stop : i * step + start,
  );
}

/** Fills in the defaults. Throws UserError `coco-option` on a value that has no meaning. */
export function cocoParameters(options: CocoOptions = {}): CocoParameters {
  const iouThresholds = options.iouThresholds
    ? Float64Array.from(options.iouThresholds)
    : linspace(0.5, 0.95, 10);
  const maxDets = Int32Array.from(options.maxDets ?? [1, 10, 100]).sort();
  const areas = options.areas ?? cocoAreas;
  refuse(
    "iouThresholds",
    iouThresholds.length < 1 ||
      iouThresholds.length > 32 ||
      iouThresholds.some((t) => !(t > 0 && t <= 1)),
    "1 to 32 numbers above 0 and up to 1",
    iouThresholds,
  );
  refuse(
    "maxDets",
    maxDets.length < 1 ||
      (options.maxDets ?? []).some((m) => !Number.isInteger(m) || m < 1 || m > 2 ** 31 - 1),
    "integers of at least 1",
    options.maxDets ?? [],
  );
  refuse(
    "areas",
    areas.length < 1 || areas.length > 32 || areas.some((a) => !(0 <= a.min && a.min <= a.max)),
    "1 to 32 ranges with 0 <= min <= max",
    areas.map((a) => `${a.name}:${a.min}:${a.max}`),
  );
  return {
    iouThresholds,
    maxDets,
    areas,
    recallThresholds: linspace(0, 1, 101),
    agnostic: options.agnostic ?? false,
    honourIgnore: options.honourIgnore ?? false,
    pycocotoolsIdZero: options.pycocotoolsIdZero ?? false,
  };
}

function refuse(option: string, wrong: boolean, expected: string, found: ArrayLike<unknown>): void {
  if (wrong)
    throw new UserError({
      code: "coco-option",
      message: "has no meaning",
      path: option,
      expected,
      found: Array.from(found).join(", ") || "nothing",
      fix: "correct the option",
    });
}
