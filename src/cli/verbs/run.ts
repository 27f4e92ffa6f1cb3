import { relative } from "node:path";
import { loadConfig } from "../../eval/config/config.js";
import { ExitCode } from "../exit-code.js";
import { runWithProgress } from "../experiment-run.js";
import { Interrupted, sayInterrupted } from "../interrupted.js";
import { recordText } from "../record-text.js";
import { print, printJson, visible } from "../terminal.js";
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
      .option(
        "--set <a.b=value>",
        "change a value of the config; may be given often",
        (v: string, all: string[]) => [...all, v],
        [] as string[],
      )
      .option("--runs <folder>", "where records go (default: runs/, or SHITU_RUNS)")
      .option(
        "--cache <folder>",
        "where observations are cached (default: .cache/observations, or SHITU_CACHE)",
      )
      .option("--resume", "go on with a run that was cut off")
      .option("--fresh", "throw away what a cut-off run had finished")
      .option("--json", "machine output: the record")
      .action(run);
  },
};

async function run(file: string, { set, json, ...settings }: Options): Promise<void> {
  const loaded = await loadConfig(file, set);
  try {
    const { record, folder } = await runWithProgress(loaded, settings);
    if (json) printJson(record);
    else {
      print(recordText(record));
      print(`\nRecord: ${visible(relative(process.cwd(), folder) || folder)}`);
    }
    if (record.state === "failed") process.exitCode = ExitCode.belowBar;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    sayInterrupted();
  }
}
