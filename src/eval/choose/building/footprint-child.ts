import { faissBuild, loadIndex } from "../../../pipeline/index/engine.js";
import { UserError } from "../../../pipeline/errors.js";
import type { SavedBuild } from "./build-store.js";
import type { FootprintAnswer } from "./footprint.js";

/** The process in which one saved index is loaded, to see what that takes. */

async function measure(saved: SavedBuild): Promise<FootprintAnswer> {
  faissBuild(); // the addon is loaded before the clock starts
  const collect = (globalThis as { gc?: () => void }).gc;
  collect?.();
  const before = process.memoryUsage.rss();
  const start = performance.now();
  const index = await loadIndex(saved);
  const coldLoadMs = performance.now() - start;
  collect?.();
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - before);
  index.close();
  return { coldLoadMs, memoryBytes };
}

const answer = await measure(JSON.parse(process.argv[2]!) as SavedBuild).catch(
  (error: unknown): FootprintAnswer => {
    if (error instanceof UserError) return { failed: error.message };
    throw error;
  },
);
process.send!(answer, undefined, {}, () => process.exit(0));
