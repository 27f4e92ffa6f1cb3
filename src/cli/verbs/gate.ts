import { existsSync } from "node:fs";
import { writeAtomic } from "../../pipeline/atomic-file.js";
import { UserError } from "../../pipeline/errors.js";
import { changes, type Change } from "../../eval/gate/change.js";
import { loadGateConfig, readyConfig, type GateConfig } from "../../eval/gate/config.js";
import {
  CardDesk,
  isModelFile,
  openByCard,
  openPair,
  type ContenderModel,
} from "../../eval/gate/contender.js";
import { diagnose, type Diagnosis } from "../../eval/gate/diagnosis.js";
import { samplePictures } from "../../eval/gate/oracle/sample.js";
import { gateDocument, writeGateRecord, type GateDocument } from "../../eval/gate/gate-record.js";
import { runGate, type GateResult, type ModelPair } from "../../eval/gate/gate.js";
import { openWork, type GateWork } from "../../eval/gate/work.js";
import type { DatasetManifest } from "../../eval/config/dataset.js";
import { cacheFolder, runsFolder } from "../../eval/config/paths.js";
import { gateAgainstRecord } from "../../eval/gate/record-baseline.js";
import { ExitCode } from "../exit-code.js";
import { gateText } from "../gate/gate-text.js";
import { annotations, junitXml, markdown } from "../gate/machine-output.js";
import { settingsOf } from "../gate/settings.js";
import { choice, whole } from "../options.js";
import { loadRecord } from "../record-folder.js";
import { progressBar } from "../progress.js";
import { Interrupted } from "../interrupted.js";
import { print, printJson } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options {
  candidate: string;
  baseline: string;
  candidateFolder?: string;
  baselineFolder?: string;
  data: string[];
  config?: string;
  change?: string;
  set: string[];
  flips: string;
  junit?: string;
  markdown?: string;
  annotations?: boolean;
  diagnose: boolean;
  record: boolean;
  runs?: string;
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
        "--candidate <card|model.onnx>",
        "the new export; a model file alone is judged under the baseline's card",
      )
      .requiredOption("--baseline <card|model.onnx|record>", "what it is judged against")
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
    const { result, document } = await judge(options, desk, work);
    bar.stop();
    const finishedAt = new Date().toISOString();
    const folder = options.record
      ? await writeGateRecord(runsFolder(options.runs), result, document, { startedAt, finishedAt })
      : null;
    await tell(document, folder, { ...options, flips });
    if (!result.accepted) process.exitCode = ExitCode.belowBar;
  } finally {
    bar.stop();
    process.off("SIGINT", onSignal);
    await work.resources.close();
    await desk.close();
  }
}

async function judge(
  options: Options,
  desk: CardDesk,
  work: GateWork,
): Promise<{ result: GateResult; document: GateDocument }> {
  if (namesRecord(options.baseline)) return judgeAgainstRecord(options, work);
  const pair = await openPair(
    { path: options.baseline, modelFolder: options.baselineFolder },
    { path: options.candidate, modelFolder: options.candidateFolder },
    desk,
  );
  const config = await configOf(options, pair.baseline);
  const datasets = await Promise.all(options.data.map((path) => datasetFor(path, config, work)));
  const result = await runGate(pair, datasets, config, work);
  const asked = options.diagnose && result.verdict === "fail";
  const diagnosis = asked ? await whereItBroke(pair, datasets, result, work) : null;
  return { result, document: gateDocument(result, diagnosis) };
}

/** Pictures of each data set that a failed gate's diagnosis looks at. */
const diagnosed = 32;

async function whereItBroke(
  pair: ModelPair,
  datasets: readonly DatasetManifest[],
  { change }: GateResult,
  work: GateWork,
): Promise<Diagnosis> {
  const sample = await Promise.all(datasets.map((d) => samplePictures(d, diagnosed, work)));
  return (await diagnose(pair, sample.flat(), { change, progress: work.progress })).diagnosis;
}

/** Anything that is neither a model file nor a card. */
function namesRecord(baseline: string): boolean {
  return !isModelFile(baseline) && !/\.ya?ml$/i.test(baseline);
}

async function judgeAgainstRecord(
  options: Options,
  work: GateWork,
): Promise<{ result: GateResult; document: GateDocument }> {
  if (isModelFile(options.candidate)) {
    throw new UserError({
      code: "card-needed",
      message: "beside a record nothing says how a model file is fed",
      file: options.candidate,
      fix: "give the candidate's card",
    });
  }
  const baseline = await loadRecord(options.baseline, options.runs);
  const place = { path: options.candidate, modelFolder: options.candidateFolder };
  const candidate = await openByCard(place);
  const config = await configOf(options, candidate);
  const datasets = await Promise.all(options.data.map((path) => datasetFor(path, config, work)));
  const result = await gateAgainstRecord(baseline, candidate, datasets, { config, work });
  return { result, document: gateDocument(result, null) };
}

async function configOf(options: Options, { card }: ContenderModel): Promise<GateConfig> {
  const binary = card.task === "recognition" && card.recognition.binarise !== "none";
  const usual = readyConfig(card.task).replace(/recognition\.yaml$/, (name) =>
    binary ? "binary.yaml" : name,
  );
  const file = options.config ?? usual;
  const config = await loadGateConfig(file);
  if (config.task !== card.task) {
    throw new UserError({
      code: "wrong-task",
      message: "the gate is for another task than the models",
      file,
      path: "task",
      expected: card.task,
      found: config.task,
      fix: `give ${usual}, or leave --config out`,
    });
  }
  if (options.change === undefined) return config;
  return { ...config, change: choice<Change>("--change", options.change, changes) };
}

async function datasetFor(
  path: string,
  config: GateConfig,
  work: GateWork,
): Promise<DatasetManifest> {
  if (!existsSync(path)) {
    throw new UserError({
      code: "file-unreadable",
      message: "no such file",
      file: path,
      fix: "give the manifest of a data set: shitu datasets list",
    });
  }
  const dataset = await work.resources.dataset(path);
  if (dataset.task === config.task) return dataset;
  throw new UserError({
    code: "wrong-task",
    message: "this data set is for another kind of model",
    file: dataset.file,
    path: "task",
    expected: config.task,
    found: dataset.task,
    fix: "give a data set of the models' task",
  });
}

async function tell(
  document: GateDocument,
  folder: string | null,
  options: Omit<Options, "flips"> & { readonly flips: number },
): Promise<void> {
  if (options.junit !== undefined) await writeAtomic(options.junit, junitXml(document));
  if (options.markdown !== undefined) await writeAtomic(options.markdown, markdown(document));
  if (options.json) printJson({ record: folder, ...document });
  else {
    print(gateText(document, options));
    if (folder !== null) print(`\nrecord  ${folder}`);
  }
  // Workflow commands are read from either stream; standard output stays one JSON document.
  const lines = options.annotations ? annotations(document) : [];
  for (const line of lines) (options.json ? process.stderr : process.stdout).write(`${line}\n`);
}
