import { writeAtomic } from "../../pipeline/atomic-file.js";
import { changes } from "../../eval/gate/change.js";
import { CardDesk } from "../../eval/gate/contender.js";
import { writeGateRecord } from "../../eval/gate/gate-record.js";
import { openWork } from "../../eval/gate/work.js";
import { cacheFolder, runsFolder } from "../../eval/config/paths.js";
import { ExitCode } from "../exit-code.js";
import { gateText } from "../gate/gate-text.js";
import { gateHtml } from "../gate/html/gate-html.js";
import { gatePictures } from "../gate/html/gate-pictures.js";
import { judge, type Judged, type JudgeOptions } from "../gate/judge.js";
import { annotations, junitXml, markdown } from "../gate/machine-output.js";
import { settingsOf } from "../gate/settings.js";
import { whole } from "../options.js";
import { progressBar } from "../progress.js";
import { Interrupted } from "../interrupted.js";
import { print, printJson } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options extends JudgeOptions {
  set: string[];
  flips: string;
  junit?: string;
  markdown?: string;
  html?: string;
  annotations?: boolean;
  record: boolean;
  cache?: string;
  json?: boolean;
}

const gather = (value: string, all: string[]): string[] => [...all, value];

export const verb: Verb = {
  build(command) {
    command
      .description(
        "Judge a new export against the last one: task losses, agreement of outputs, cost. " +
          "Exit code 0 for pass, 1 for fail.",
      )
      .requiredOption(
        "--candidate <card|model.onnx...>",
        "the new export; a model file alone is judged under the baseline's card",
      )
      .requiredOption(
        "--baseline <card|model.onnx|record...>",
        "what it is judged against; of a whole pipeline, detector and embedder",
      )
      .requiredOption("--data <manifest...>", "labelled data: one manifest or several")
      .option("--config <gate.yaml>", "limits (default: configs/gates/TASK.yaml)")
      .option(
        "--change <kind>",
        `what was done to the model: ${changes.join(", ")} (default: as the config says)`,
      )
      .option(
        "--candidate-folder <folder>",
        "folder of the candidate's file, where its card is kept apart",
      )
      .option("--baseline-folder <folder>", "the same for the baseline")
      .option(
        "--set <settings.name=value>",
        "a setting of the manifests; may be given often",
        gather,
        [],
      )
      .option("--flips <n>", "flipped items listed for each data set", "5")
      .option("--junit <file.xml>", "write JUnit XML")
      .option("--markdown <file.md>", "write a summary for a pull request's comment")
      .option("--html <file.html>", "write one self-contained file, with pictures of what flipped")
      .option("--annotations", "print GitHub annotations")
      .option("--no-diagnose", "do not look where a failed candidate broke")
      .option("--no-record", "write no record under runs/")
      .option("--runs <folder>", "where records go (default: runs/, or SHITU_RUNS)")
      .option(
        "--cache <folder>",
        "where observations are cached (default: .cache/observations, or SHITU_CACHE)",
      )
      .option("--json", "machine output")
      .action(gate);
  },
};

async function gate(options: Options): Promise<void> {
  const flips = whole("--flips", options.flips, 0);
  const startedAt = new Date().toISOString();
  const bar = progressBar("gate", "pictures");
  const abort = new AbortController();
  const onSignal = (): void => abort.abort(new Interrupted());
  process.once("SIGINT", onSignal);
  const desk = new CardDesk();
  const work = openWork(cacheFolder(options.cache), settingsOf(options.set), {
    progress: bar.report,
    signal: abort.signal,
  });
  try {
    const judged = await judge(options, desk, work);
    const { result, document } = judged;
    bar.stop();
    const finishedAt = new Date().toISOString();
    const folder = options.record
      ? await writeGateRecord(runsFolder(options.runs), result, document, { startedAt, finishedAt })
      : null;
    await tell(judged, { folder, finishedAt }, { ...options, flips });
    if (!result.accepted) process.exitCode = ExitCode.belowBar;
  } finally {
    bar.stop();
    process.off("SIGINT", onSignal);
    await work.resources.close();
    await desk.close();
  }
}

async function tell(
  { document, datasets }: Judged,
  { folder, finishedAt }: { readonly folder: string | null; readonly finishedAt: string },
  options: Omit<Options, "flips"> & { readonly flips: number },
): Promise<void> {
  if (options.junit !== undefined) await writeAtomic(options.junit, junitXml(document));
  if (options.markdown !== undefined) await writeAtomic(options.markdown, markdown(document));
  if (options.html !== undefined) {
    const pictures = await gatePictures(document, datasets);
    await writeAtomic(options.html, gateHtml(document, pictures, { judgedAt: finishedAt }));
  }
  if (options.json) printJson({ record: folder, ...document });
  else {
    print(gateText(document, options));
    if (folder !== null) print(`\nrecord  ${folder}`);
  }
  // Workflow commands are read from either stream; standard output stays one JSON document.
  const lines = options.annotations ? annotations(document) : [];
  for (const line of lines) (options.json ? process.stderr : process.stdout).write(`${line}\n`);
}
