import { createHash } from "node:crypto";
import { z } from "zod";

/**
 * Baselines need no weights: a formula in place of a model file. Their cards name it, so that
 * whatever takes a model's card (galleries, experiments, caches) takes a baseline's too.
 */

const text = z.string().trim().min(1);
const side = z.int().min(1).max(512);
const common = {
  schema: z.literal(1),
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]*$/,
      "expected lower-case letters, digits, dots, dashes or underscores",
    ),
  version: text.describe("Counts changes of the formula."),
  description: text.optional(),
  notes: text.optional(),
};

export const baselineCardSchema = z.discriminatedUnion("baseline", [
  z.strictObject({
    ...common,
    task: z.literal("recognition"),
    baseline: z.literal("pixels"),
    side: side
      .default(32)
      .describe(
        "The picture is resized (linear) to this many pixels squared; they are the vector, " +
          "their mean taken off.",
      ),
  }),
  z.strictObject({
    ...common,
    task: z.literal("recognition"),
    baseline: z.literal("colour-histogram"),
    side: side
      .default(64)
      .describe("The picture is resized (linear) to this many pixels squared, which are counted."),
    levels: z
      .int()
      .min(2)
      .max(32)
      .default(8)
      .describe(
        "Levels a channel: the vector has their cube, the square roots of the shares (Hellinger).",
      ),
  }),
  z.strictObject({
    ...common,
    task: z.literal("recognition"),
    baseline: z.literal("random-projection"),
    side: side.default(32).describe("As for pixels, which are then projected."),
    size: z.int().min(8).max(4096).multipleOf(8).describe("Floats, or bits, of the result."),
    seed: z.int().min(0).describe("Of the Gaussian matrix."),
    binarise: z.enum(["none", "sign"]).default("none"),
  }),
  z.strictObject({ ...common, task: z.literal("detection"), baseline: z.literal("whole-image") }),
]);

export type BaselineCard = z.output<typeof baselineCardSchema>;

/** Names everything that decides a baseline's outputs. */
export function baselineVersion(card: BaselineCard): string {
  const settings = Object.entries(card).filter(
    ([key]) => !["name", "description", "notes"].includes(key),
  );
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex");
}
