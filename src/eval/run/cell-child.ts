import { endWithParent } from "../../pipeline/end-with-parent.js";
import { UserError } from "../../pipeline/errors.js";
import { intervalsOf } from "../config/intervals.js";
import { asSystemError } from "../../pipeline/system-errors.js";
import { canonicalJson } from "../observe/cache.js";
import type { CellAnswer, CellRequest } from "./cell-process.js";
import { Resources, SharedWork } from "../observe/resources.js";
import { measureHere } from "./measured-cell.js";
import { cellId, planExperiment } from "./runner.js";

/**
 * The process in which cells are measured: takes one at a time from its parent, and ends when the
 * parent is gone.
 */

/** Milliseconds between two messages of progress. */
const progressEveryMs = 100;

const work = new SharedWork();
let open: {
  readonly key: string;
  readonly resources: Resources;
  readonly plans: ReturnType<typeof planExperiment>;
} | null = null;
let abort = new AbortController();

function say(answer: CellAnswer): Promise<void> {
  return new Promise((resolve) => {
    process.send!(answer, undefined, {}, () => {
      resolve();
    });
  });
}

async function measure({
  loaded,
  cache,
  cell,
  block,
}: Extract<CellRequest, { ask: "measure" }>): Promise<void> {
  abort = new AbortController();
  try {
    const key = canonicalJson([loaded, cache]);
    if (open?.key !== key) {
      await open?.resources.close();
      const resources = new Resources(loaded, cache, work);
      open = { key, resources, plans: planExperiment(loaded, resources) };
    }
    const plan = (await open.plans).find((p) => cellId(p) === cell);
    if (!plan) throw new Error(`no cell ${cell} in ${loaded.file}`);
    let last = 0;
    if (block !== undefined) {
      const times = await plan.timing!.block(block, open.resources, abort.signal);
      await say({ say: "times", times });
      return;
    }
    const measured = await measureHere(plan, {
      resources: open.resources,
      signal: abort.signal,
      intervals: intervalsOf(loaded.config),
      progress: (done, total) => {
        const now = performance.now();
        if (now - last < progressEveryMs && done < total) return;
        last = now;
        void say({ say: "progress", done, total });
      },
    });
    await say({ say: "outcome", ...measured });
  } catch (error) {
    const known = error instanceof UserError ? error : asSystemError(error);
    if (abort.signal.aborted) await say({ say: "stopped" });
    else if (known) await say({ say: "complaint", complaint: known.complaint });
    else
      await say({
        say: "fault",
        stack: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
  }
}

endWithParent(Number(process.argv[2]));
// Ctrl-C reaches the whole group of processes; the parent says what becomes of it.
process.on("SIGINT", () => undefined).on("SIGTERM", () => undefined);
process.on("disconnect", () => {
  process.exit(0);
});
process.on("message", (request: CellRequest) => {
  if (request.ask === "stop") abort.abort(new Error("stopped"));
  else void measure(request);
});
