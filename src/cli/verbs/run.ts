import { relative } from "node:path";
import { loadConfig } from "../../eval/config.js";
import { cacheFolder, runsFolder } from "../../eval/paths.js";
import { runExperiment } from "../../eval/runner.js";
import { ExitCode } from "../exit-code.js";
import { progressBar, type ProgressBar } from "../progress.js";
import { cellName, recordText } from "../record-text.js";
import { colour, print, printJson, visible } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options {
  set: string[];
  runs?: string;
  cache?: string;
  resume?: boolean;
  fresh?: boolean;
  json?: boolean;
}

export const verb: Verb = {
  build(command) {
    command
      .description("Run an experiment config and write its record.")
      .argument("<config.yaml>", "experiment config")
      .option("--set <a.b=value>", "change a value of the config; may be given often", (v: string, all: string[]) => [...all, v], [] as string[])
      .option("--runs <folder>", "where records go (default: runs/, or SHITU_RUNS)")
      .option("--cache <folder>", "where observations are cached (default: .cache/observations, or SHITU_CACHE)")
      .option("--resume", "go on with a run that was cut off")
      .option("--fresh", "throw away what a cut-off run had finished")
      .option("--json", "machine output: the record")
      .action(run);
  },
};

async function run(file: string, options: Options): Promise<void> {
  const loaded = await loadConfig(file, options.set);
  const abort = new AbortController();
  const onSignal = (): void => { abort.abort(new Interrupted()); };
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  let bar: ProgressBar | undefined;
  try {
    const { record, folder } = await runExperiment(loaded, {
      runs: runsFolder(options.runs),
      cache: cacheFolder(options.cache),
      resume: options.resume ?? false,
      fresh: options.fresh ?? false,
      signal: abort.signal,
      events: {
        cellStarted(labels, kind, place, total) {
          bar?.stop();
          bar = progressBar(`[${place + 1}/${total}] ${cellName({ kind, labels })}`, "items");
          return bar.report;
        },
        cellFinished({ cell }, resumed) {
          bar?.stop();
          bar = undefined;
          const state = cell.state === "completed" ? colour.green(resumed ? "done before" : "done") : colour.red(`failed: ${visible(cell.message)}`);
          process.stderr.write(`${cellName(cell)}: ${state}\n`);
        },
      },
    });
    if (options.json) printJson(record);
    else {
      print(recordText(record));
      print(`\nRecord: ${relative(process.cwd(), folder) || folder}`);
    }
    if (record.state === "failed") process.exitCode = ExitCode.belowBar;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.stderr.write("\nstopped; what was finished is kept: go on with --resume\n");
    process.exitCode = 130;
  } finally {
    bar?.stop();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

class Interrupted extends Error {}
