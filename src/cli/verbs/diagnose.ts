import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { changes, type Change } from "../../eval/gate/change.js";
import { cardText, correctedCard } from "../../eval/gate/chain/corrected-card.js";
import type { Chain } from "../../eval/gate/chain/chain.js";
import {
  CardDesk,
  isModelFile,
  openByCard,
  openPair,
  type ContenderModel,
} from "../../eval/gate/contender.js";
import { diagnose } from "../../eval/gate/diagnosis.js";
import { compareDumps, isDumpFolder } from "../../eval/gate/dumps.js";
import { samplePictures, type SampledPicture } from "../../eval/gate/oracle/sample.js";
import { openWork, type GateWork } from "../../eval/gate/work.js";
import { cacheFolder } from "../../eval/config/paths.js";
import { writeAtomic } from "../../pipeline/atomic-file.js";
import { UserError } from "../../pipeline/errors.js";
import { decode } from "../../pipeline/image/image.js";
import { readOnnx } from "../../pipeline/onnx/read-model.js";
import { ExitCode } from "../exit-code.js";
import { dumpsText } from "../gate/dumps-text.js";
import { diagnosisText, type WrittenCard } from "../gate/diagnosis-text.js";
import { settingsOf } from "../gate/settings.js";
import { choice, whole } from "../options.js";
import { progressBar } from "../progress.js";
import { print, printJson } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options {
  candidate: string;
  baseline: string;
  candidateFolder?: string;
  baselineFolder?: string;
  image?: string[];
  data?: string[];
  pictures: string;
  change?: string;
  set: string[];
  writeCard?: string;
  cache?: string;
  json?: boolean;
}

const gather = (value: string, all: string[]): string[] => [...all, value];

export const verb: Verb = {
  build(command) {
    command
      .description(
        "Find where an export parts from the last one: stage by stage, by the usual mistakes, " +
          "layer by layer. Exit code 1 where it does.",
      )
      .requiredOption("--candidate <card|model.onnx>", "the export that is in doubt")
      .requiredOption(
        "--baseline <card|model.onnx|folder>",
        "the one that is trusted; or a folder of tensors (x0.npy, y0.npy, NAME.npy)",
      )
      .option("--image <picture...>", "pictures to look at; no labels are needed")
      .option("--data <manifest...>", "data sets to take pictures from; labels give task scores")
      .option("--pictures <n>", "pictures of each data set", "32")
      .option(
        "--change <kind>",
        `what was done to the model: ${changes.join(", ")} (default: told from the files)`,
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
      .option(
        "--write-card <card.yaml>",
        "write the corrected card; never over a file that is there",
      )
      .option(
        "--cache <folder>",
        "where observations are cached (default: .cache/observations, or SHITU_CACHE)",
      )
      .option("--json", "machine output")
      .action(run);
  },
};

async function run(options: Options): Promise<void> {
  if (isDumpFolder(options.baseline)) return besideDumps(options);
  const most = whole("--pictures", options.pictures);
  const change =
    options.change === undefined ? undefined : choice<Change>("--change", options.change, changes);
  const bar = progressBar("diagnose", "explanations");
  const desk = new CardDesk();
  const work = openWork(cacheFolder(options.cache), settingsOf(options.set), {
    progress: bar.report,
    signal: new AbortController().signal,
  });
  try {
    const pair = await openPair(
      { path: options.baseline, modelFolder: options.baselineFolder },
      { path: options.candidate, modelFolder: options.candidateFolder },
      desk,
    );
    const sample = await picturesOf(options, most, work);
    const settings = { progress: bar.report, ...(change !== undefined && { change }) };
    const { diagnosis, corrected } = await diagnose(pair, sample, settings);
    bar.stop();
    const written = await writeCard(options.writeCard, pair.candidate, corrected);
    if (options.json) printJson({ ...diagnosis, card: written });
    else print(diagnosisText(diagnosis, written));
    if (!diagnosis.healthy) process.exitCode = ExitCode.belowBar;
  } finally {
    bar.stop();
    await work.resources.close();
    await desk.close();
  }
}

/** Tensors that another framework dumped, beside what the candidate gives. */
async function besideDumps(options: Options): Promise<void> {
  const change =
    options.change === undefined ? "same" : choice<Change>("--change", options.change, changes);
  const place = { path: options.candidate, modelFolder: options.candidateFolder };
  const model = isModelFile(options.candidate)
    ? await readOnnx(options.candidate)
    : (await openByCard(place)).onnx;
  const comparison = await compareDumps(options.baseline, model, change);
  if (options.json) printJson(comparison);
  else print(dumpsText(comparison));
  if (!comparison.healthy) process.exitCode = ExitCode.belowBar;
}

async function picturesOf(
  { image = [], data = [] }: Options,
  most: number,
  work: GateWork,
): Promise<SampledPicture[]> {
  const sample: SampledPicture[] = [];
  for (const file of image) {
    sample.push({ pixels: await decode(file), label: null, objects: null });
  }
  for (const path of data) {
    const dataset = await work.resources.dataset(path);
    sample.push(...(await samplePictures(dataset, most, work)));
  }
  return sample;
}

async function writeCard(
  file: string | undefined,
  candidate: ContenderModel,
  corrected: Chain | null,
): Promise<WrittenCard> {
  if (file === undefined) return { file: null, why: null };
  if (existsSync(file)) {
    throw new UserError({
      code: "file-exists",
      message: "a card is there already",
      file,
      fix: "give another name, or move it away",
    });
  }
  if (corrected === null) return { file: null, why: "no change of the card mends it" };
  const { card, unsaid } = correctedCard(candidate.card, corrected);
  if (unsaid.length > 0) {
    return { file: null, why: `a card cannot say it (${unsaid.join(", ")}): mend the export` };
  }
  await writeAtomic(file, cardText(card, relative(dirname(resolve(file)), candidate.file)));
  return { file, why: null };
}
