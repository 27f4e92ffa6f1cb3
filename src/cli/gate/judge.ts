import { existsSync } from "node:fs";
import { changes, type Change } from "../../eval/gate/change.js";
import { loadGateConfig, readyConfig, type GateConfig } from "../../eval/gate/config.js";
import {
  isModelFile,
  openByCard,
  openPair,
  type CardDesk,
  type ContenderModel,
} from "../../eval/gate/contender.js";
import { diagnose, type Diagnosis } from "../../eval/gate/diagnosis.js";
import { gateDocument, type GateDocument } from "../../eval/gate/gate-record.js";
import { runGate, type ModelPair } from "../../eval/gate/gate.js";
import type { GateResult } from "../../eval/gate/judgement.js";
import { samplePictures } from "../../eval/gate/oracle/sample.js";
import { gateAgainstRecord } from "../../eval/gate/record-baseline.js";
import { runSystemGate } from "../../eval/gate/system/system-gate.js";
import { openSystems, pairOf } from "../../eval/gate/system/system-pair.js";
import type { GateWork } from "../../eval/gate/work.js";
import type { DatasetManifest } from "../../eval/config/dataset.js";
import { UserError } from "../../pipeline/errors.js";
import { choice } from "../options.js";
import { loadRecord } from "../record-folder.js";

/** What the command line says of the two sides, the data and the limits. */
export interface JudgeOptions {
  readonly candidate: string[];
  readonly baseline: string[];
  readonly candidateFolder?: string;
  readonly baselineFolder?: string;
  readonly data: string[];
  readonly config?: string;
  readonly change?: string;
  readonly diagnose: boolean;
  readonly runs?: string;
}

/** What a gate said, and the data that it was judged on. */
export interface Judged {
  readonly result: GateResult;
  readonly document: GateDocument;
  readonly datasets: readonly DatasetManifest[];
}

/**
 * Opens what the options name and judges it: a model, a whole pipeline, or a model beside a record.
 * @throws UserError of reading models, data and config, and those of the gates.
 */
export async function judge(
  options: JudgeOptions,
  desk: CardDesk,
  work: GateWork,
): Promise<Judged> {
  const named = options.config === undefined ? null : await loadGateConfig(options.config);
  if (named?.task === "system" || options.baseline.length + options.candidate.length > 2) {
    return judgeSystem(options, desk, work);
  }
  if (namesRecord(only(options.baseline))) return judgeAgainstRecord(options, work);
  const pair = await openPair(
    { path: only(options.baseline), modelFolder: options.baselineFolder },
    { path: only(options.candidate), modelFolder: options.candidateFolder },
    desk,
  );
  const config = await configOf(options, pair.baseline);
  const datasets = await Promise.all(options.data.map((path) => datasetFor(path, config, work)));
  const result = await runGate(pair, datasets, config, work);
  const asked = options.diagnose && result.verdict === "fail";
  const diagnosis = asked ? await whereItBroke(pair, datasets, result, work) : null;
  return { result, document: gateDocument(result, diagnosis), datasets };
}

/** The one path of a side. */
function only(paths: readonly string[]): string {
  return paths[0]!;
}

async function judgeSystem(options: JudgeOptions, desk: CardDesk, work: GateWork): Promise<Judged> {
  const config = await systemConfig(options);
  const place = (modelFolder: string | undefined) => (path: string) => ({ path, modelFolder });
  const pair = await openSystems(
    options.baseline.map(place(options.baselineFolder)),
    options.candidate.map(place(options.candidateFolder)),
    desk,
  );
  const datasets = await Promise.all(options.data.map((path) => datasetFor(path, config, work)));
  const result = await runSystemGate(pair, datasets, config, work);
  let diagnosis: Diagnosis | null = null;
  if (options.diagnose && result.verdict === "fail") {
    for (const role of pair.changed) {
      diagnosis = await whereItBroke(pairOf(pair, role), datasets, result, work);
      if (!diagnosis.healthy) break;
    }
  }
  return { result, document: gateDocument(result, diagnosis), datasets };
}

async function systemConfig(options: JudgeOptions): Promise<GateConfig> {
  const usual = readyConfig("system");
  const file = options.config ?? usual;
  const config = await loadGateConfig(file);
  if (config.task === "system") return withChange(config, options);
  throw new UserError({
    code: "wrong-task",
    message: "more than one model a side is a whole pipeline, and the gate is for one model",
    file,
    path: "task",
    expected: "system",
    found: config.task,
    fix: `give ${usual}, or leave --config out`,
  });
}

function withChange(config: GateConfig, { change }: JudgeOptions): GateConfig {
  if (change === undefined) return config;
  return { ...config, change: choice<Change>("--change", change, changes) };
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

async function judgeAgainstRecord(options: JudgeOptions, work: GateWork): Promise<Judged> {
  const candidateFile = only(options.candidate);
  if (isModelFile(candidateFile)) {
    throw new UserError({
      code: "card-needed",
      message: "beside a record nothing says how a model file is fed",
      file: candidateFile,
      fix: "give the candidate's card",
    });
  }
  const baseline = await loadRecord(only(options.baseline), options.runs);
  const place = { path: candidateFile, modelFolder: options.candidateFolder };
  const candidate = await openByCard(place);
  const config = await configOf(options, candidate);
  const datasets = await Promise.all(options.data.map((path) => datasetFor(path, config, work)));
  const result = await gateAgainstRecord(baseline, candidate, datasets, { config, work });
  return { result, document: gateDocument(result, null), datasets };
}

async function configOf(options: JudgeOptions, { card }: ContenderModel): Promise<GateConfig> {
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
  return withChange(config, options);
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
  const task = config.task === "system" ? "pipeline" : config.task;
  if (dataset.task === task) return dataset;
  throw new UserError({
    code: "wrong-task",
    message: "this data set is for another kind of model",
    file: dataset.file,
    path: "task",
    expected: task,
    found: dataset.task,
    fix: "give a data set of the models' task",
  });
}
