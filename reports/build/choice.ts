import { z } from "zod";
import type { ChoiceView } from "../analysis/choice-view.js";

const size = { size: z.number(), value: z.number() };
const growth = z.object({
  figures: z.array(
    z.object({
      figure: z.string(),
      samples: z.array(z.object(size)),
      predictions: z.array(
        z.object({
          ...size,
          ci: z.tuple([z.number(), z.number()]).nullable(),
          extrapolated: z.boolean(),
        }),
      ),
    }),
  ),
});

/** The part of an answer of `shitu choose` that a page shows; the points are the record's cells. */
const answerSchema = z.object({
  schema: z.literal(1),
  gallery: z.object({ vectors: z.number() }),
  faiss: z.string(),
  pick: z.object({ name: z.string() }).nullable(),
  sure: z.boolean(),
  families: z.array(
    z.object({
      family: z.string(),
      because: z.string(),
      why: z.string(),
      best: z.object({ name: z.string() }).nullable(),
    }),
  ),
  growth: z.union([growth, z.object({ why: z.string() })]).nullable(),
  warnings: z.array(z.object({ message: z.string() })),
});

/**
 * What a record's `choice.json` says; null where it holds none.
 *
 * @throws where it is no answer of `shitu choose`.
 */
export function choiceView(value: unknown): ChoiceView | null {
  if (typeof value === "object" && value !== null && Object.keys(value).length === 0) return null;
  const answer = answerSchema.parse(value);
  return {
    vectors: answer.gallery.vectors,
    pick: answer.pick?.name ?? null,
    sure: answer.sure,
    faiss: answer.faiss,
    families: answer.families.map((f) => ({ ...f, best: f.best?.name ?? null })),
    growth: answer.growth !== null && "figures" in answer.growth ? answer.growth.figures : [],
    warnings: answer.warnings.map((w) => w.message),
  };
}
