import type { RankedDetections } from "./coco-ranking.js";

/**
 * The six error types of TIDE (Bolya, Foley, Hays and Hoffman 2020, "TIDE: A General Toolbox for
 * Identifying Object Detection Errors", section 2.2), with t_f = foreground and t_b = background. A
 * false positive is the first of
 *
 * - localisation: its best IoU with a true box of its category is in [t_b, t_f]
 * - classification: its best IoU with a true box of another category is t_f or more
 * - duplicate: its best IoU with a true box of its category that a better detection took is t_f or
 *   more
 * - background: its best IoU with any true box is t_b or less
 * - both: the rest
 *
 * and a true box is missed where it is neither found nor the target of a localisation or
 * classification error.
 */
export const errorTypes = [
  "classification",
  "localisation",
  "both",
  "duplicate",
  "background",
  "missed",
] as const;
export type ErrorType = (typeof errorTypes)[number];

export const typeIndex = Object.fromEntries(errorTypes.map((type, i) => [type, i])) as Readonly<
  Record<ErrorType, number>
>;

/**
 * What is known of each detection and true box after matching; `apAfterMending` mends some of it
 * and computes AP anew.
 */
export interface ErrorEvidence {
  readonly categories: number;
  readonly ranked: RankedDetections;
  /** P categories of detections. */
  readonly category: Int32Array;
  /** P: 1 true positive, 0 false positive, -1 neither (on a crowd). */
  readonly outcome: Int8Array;
  /** P: index into `errorTypes`, or -1. */
  readonly type: Int8Array;
  /**
   * P: the true box that a localisation or classification error would have found, where it is the
   * best to do so; else -1.
   */
  readonly mends: Int32Array;
  /** G categories of true boxes. */
  readonly truthCategory: Int32Array;
  /** K true boxes that count. */
  readonly positives: Int32Array;
  /** K true boxes that are missed in TIDE's sense, and that were not found for whatever reason. */
  readonly missed: Int32Array;
  readonly unfound: Int32Array;
}
