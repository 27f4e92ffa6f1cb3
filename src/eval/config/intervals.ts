import { z } from "zod";
import { defaultIntervals, type IntervalPlan } from "../stats/interval-plan.js";

/** `intervals:` of a config: how the intervals of all its scores are made. */
export const intervalsSchema = z
  .strictObject({
    level: z
      .number()
      .gt(0.5)
      .lt(1)
      .default(defaultIntervals.level)
      .describe("confidence of every interval"),
    resamples: z
      .number()
      .int()
      .min(100)
      .max(1e6)
      .default(defaultIntervals.resamples)
      .describe("draws of a bootstrap over items"),
    imageResamples: z
      .number()
      .int()
      .min(100)
      .max(1e6)
      .default(defaultIntervals.imageResamples)
      .describe("draws of a bootstrap over whole images (AP, F1, the waterfall), which cost more"),
    seed: z
      .union([z.string(), z.number()])
      .default(defaultIntervals.seed)
      .describe("of the draws; 0 leaves each bootstrap the seed of its own purpose"),
    clusters: z
      .enum(["item", "label"])
      .default(defaultIntervals.clusters)
      .describe("what retrieval takes as independent: each query, or all queries of a label"),
  })
  .describe("how intervals are made; left out: as the defaults say");

/** The plan of a config. */
export function intervalsOf(config: {
  readonly intervals?: z.infer<typeof intervalsSchema> | undefined;
}): IntervalPlan {
  return config.intervals ?? defaultIntervals;
}
