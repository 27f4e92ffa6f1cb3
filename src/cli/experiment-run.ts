import { CellProcess } from "../eval/run/cell-process.js";
import type { LoadedConfig } from "../eval/config/config.js";
import { cacheFolder, runsFolder } from "../eval/config/paths.js";
import type { RunRecord } from "../eval/record/record.js";
import { runExperiment, type CellTime } from "../eval/run/runner.js";
import { progressBar, type ProgressBar } from "./progress.js";
import { Interrupted } from "./interrupted.js";
import { cellName } from "./record-text.js";
import { colour, visible, warn } from "./terminal.js";

export interface RunSettings {
  readonly runs?: string;
  readonly cache?: string;
  readonly resume?: boolean;
  readonly fresh?: boolean;
  /** As in `RunOptions`. */
  readonly keepFailures?: boolean;
  /** A process that measures and goes on after this run; without it the run has one of its own. */
  readonly cells?: CellProcess;
  /** Told how long each cell took. */
  readonly onTime?: (took: CellTime) => void;
}

/**
 * Runs a config with a bar for each cell and a line when it is done, on standard error. The first
 * Ctrl-C says what is waited for and stops after the item in hand, a second one at once; both leave
 * a run that can be resumed.
 *
 * @throws Interrupted
 */
export async function runWithProgress(
  loaded: LoadedConfig,
  { runs, cache, resume = false, fresh = false, keepFailures = false, cells, onTime }: RunSettings,
): Promise<{ record: RunRecord; folder: string }> {
  const abort = new AbortController();
  let bar: ProgressBar | undefined;
  let inHand = "what is in hand";
  const own = cells ? null : new CellProcess();
  const onSignal = (): void => {
    bar?.stop();
    if (abort.signal.aborted) {
      // What was finished is on disk: nothing waits for what is in hand.
      (cells ?? own!).kill();
      return;
    }
    process.stderr.write(`stopping: waiting for ${inHand}; Ctrl-C again ends it at once\n`);
    abort.abort(new Interrupted());
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    return await runExperiment(loaded, {
      process: cells ?? own!,
      runs: runsFolder(runs),
      cache: cacheFolder(cache),
      resume,
      fresh,
      keepFailures,
      signal: abort.signal,
      events: {
        cellStarted(labels, kind, place, total) {
          bar?.stop();
          inHand = cellName({ kind, labels });
          bar = progressBar(`[${place + 1}/${total}] ${cellName({ kind, labels })}`, "items");
          return bar.report;
        },
        cellOutdated({ cell }, changed) {
          warn(`${cellName(cell)} is measured anew, these have changed: ${changed.join(", ")}`);
        },
        damaged(files, folder) {
          warn(`${folder}: damaged, and measured anew: ${files.join(", ")}`);
        },
        cellFinished({ cell }, resumed, took) {
          if (took) onTime?.(took);
          bar?.stop();
          bar = undefined;
          const state =
            cell.state === "completed"
              ? colour.green(resumed ? "done before" : "done")
              : colour.red(`failed: ${visible(cell.message)}`);
          process.stderr.write(`${cellName(cell)}: ${state}\n`);
        },
      },
    });
  } finally {
    bar?.stop();
    await own?.close();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}
