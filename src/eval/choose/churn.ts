import { monotonicClock } from "../../pipeline/stopwatch.js";
import { UserError } from "../../pipeline/errors.js";
import { measured, undefinedScore } from "../stats/score.js";
import { takeRows } from "./data/choice-data.js";
import { encoded, type Built } from "./building/built.js";
import { recallFigures } from "./measure.js";
import type { Figures } from "./point.js";
import type { Truth } from "./truth.js";

const share = 10;

/**
 * Takes every tenth vector out and puts it in again: how fast that goes, and what it leaves of the
 * recall. The index is not as it was after this.
 */
export async function measureChurn(built: Built, truth: Truth): Promise<Figures> {
  const { index, size, setting } = built;
  const places = Float64Array.from({ length: Math.floor(size / share) }, (_, i) => i * share);
  if (places.length === 0) return {};
  try {
    const start = monotonicClock();
    await index.remove(places);
    const removed = monotonicClock();
    await index.add(encoded(takeRows(truth.gallery.rows, places), setting), places);
    const found = await index.search(encoded(truth.queries.rows, setting), truth.ask);
    const { neighbourRecall } = recallFigures(found, truth, false);
    return {
      removesPerSecond: measured((1000 * places.length) / Math.max(removed - start, 1e-3), size),
      ...(neighbourRecall && { churnRecall: neighbourRecall }),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const why = error.complaint.message;
    return { removesPerSecond: undefinedScore(why), churnRecall: undefinedScore(why) };
  }
}
