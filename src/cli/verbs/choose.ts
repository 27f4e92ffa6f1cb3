import { join, relative } from "node:path";
import { cacheFolder, runsFolder } from "../../eval/config/paths.js";
import { answerOf, type ChoiceAnswer } from "../../eval/choose/answer.js";
import { writeChoiceRecord } from "../../eval/choose/choice-record.js";
import type { ChoiceEvents, ChoiceOptions } from "../../eval/choose/choice-options.js";
import { choose } from "../../eval/choose/choose.js";
import { readChoiceData } from "../../eval/choose/data/read-data.js";
import { monotonicClock } from "../../pipeline/stopwatch.js";
import type { IndexMetric } from "../../pipeline/types.js";
import { choiceText } from "../choice-text.js";
import { chooseTask, enginesOf, limitsOf, type ChooseOptions } from "../choose-options.js";
import { ExitCode } from "../exit-code.js";
import { choice, whole } from "../options.js";
import { progressBar, type ProgressBar } from "../progress.js";
import { count, duration } from "../quantities.js";
import { print, printJson, warn } from "../terminal.js";
import type { Verb } from "../verb.js";

export const verb: Verb = {
  build(command) {
    command
      .description("Choose an index, with parameters, for your vectors and your limits.")
      .argument("[config]", "a choice written down, such as configs/choose/table7-scale.yaml")
      .option(
        "--gallery <file>",
        ".npy, .fvecs, .bvecs, .fbin, .u8bin, .i8bin, .arrow, .hdf5, .parquet, a Faiss index, " +
          "the folder of a gallery or of a record; with --card a list or a folder of pictures",
      )
      .option("--labels <file>", "label of each row: a PaddleClas list, JSON, or one a line")
      .option("--queries <file>", "vectors to ask for (default: some are held out of the gallery)")
      .option("--query-labels <file>", "their labels")
      .option("--card <card.yaml>", "embed the pictures of the gallery with this model first")
      .option("--model-folder <folder>", "folder of the model file, where it is not the card's")
      .option("--images <folder>", "root of the lists' paths (default: the folder of each list)")
      .option("--cell <id>", "of a record: whose vectors (default: its first of retrieval)")
      .option("--set <assignment...>", "a setting of the config: settings.data=FOLDER")
      .option("--recall <ratio>", "neighbour recall@k, at least")
      .option("--label-recall <ratio>", "label recall@1, at least")
      .option("--p99 <time>", "99th percentile of one query's time, at most: 5ms")
      .option("--qps <n>", "queries a second in batches on all threads, at least")
      .option("--memory <size>", "resident memory, at most: 500MB")
      .option("--build <time>", "time to build, at most: 10m")
      .option("--deletes", "entries must be removable")
      .option("--appends <n/day>", "vectors added a day")
      .option("--grow-to <n>", "predict the figures up to this size: 10M")
      .option("--engines <names>", "faiss, usearch, …, by commas (default: faiss)")
      .option("--budget <time>", "how long it may take, reading included (default: 10m)")
      .option("--k <n>", "neighbours asked for (default: 10)")
      .option("--metric <name>", "inner-product or l2 (default: as the file says)")
      .option("--normalize", "scale each vector to length 1 first")
      .option("--packed", "the rows are codes, most significant bit first")
      .option("--seed <text>", "draws the held-out queries (default: choose)")
      .option("--cache <folder>", "where built indexes are kept (default: as for observations)")
      .option("--runs <folder>", "where records go (default: runs/, or SHITU_RUNS)")
      .option("--no-record", "write no record")
      .option("--json", "machine output")
      .action(run);
  },
};

async function run(config: string | undefined, given: ChooseOptions): Promise<void> {
  const startedMs = monotonicClock();
  const startedAt = new Date().toISOString();
  const { options, source } = await chooseTask(given, config);
  const limits = limitsOf(options);
  const settings = settingsOf(options);
  const shown = stages();
  try {
    shown.events.stage("reading");
    const reading = readingOf(options, settings.seed, shown);
    const { data, warnings } = await readChoiceData(source, reading);
    const full: ChoiceOptions = { ...settings, data, limits, startedMs, events: shown.events };
    const outcome = await choose(full);
    const answer = answerOf({ options: full, outcome, warnings });
    shown.stop();
    if (options.json) printJson(answer);
    else tell(answer);
    if (options.record) await keepRecord({ options: full, answer, startedAt }, options);
    if (answer.pick === null) process.exitCode = ExitCode.belowBar;
  } finally {
    shown.stop();
  }
}

async function keepRecord(
  input: { options: ChoiceOptions; answer: ChoiceAnswer; startedAt: string },
  { runs, json }: ChooseOptions,
): Promise<void> {
  const finishedAt = new Date().toISOString();
  const folder = await writeChoiceRecord(runsFolder(runs), { ...input, finishedAt });
  if (!json) print(`\nRecord: ${relative(process.cwd(), folder) || folder}`);
}

function tell(answer: ChoiceAnswer): void {
  print(choiceText(answer));
  for (const { message } of answer.warnings) warn(message);
}

function settingsOf({ k = "10", budget = "10m", engines = "faiss", ...more }: ChooseOptions) {
  return {
    ...(more.growTo !== undefined && { growTo: count("--grow-to", more.growTo) }),
    k: whole("--k", k),
    budgetMs: duration("--budget", budget),
    engines: enginesOf(engines),
    builds: join(cacheFolder(more.cache), "..", "indexes"),
    seed: more.seed ?? "choose",
  };
}

function readingOf({ normalize, metric, cache }: ChooseOptions, seed: string, stage: Stages) {
  const metrics: readonly IndexMetric[] = ["inner-product", "l2"];
  return {
    normalize: normalize ?? false,
    seed,
    ...(metric !== undefined && { metric: choice("--metric", metric, metrics) }),
    work: {
      cacheRoot: cacheFolder(cache),
      signal: new AbortController().signal,
      progress: stage.events.progress,
    },
  };
}

interface Stages {
  readonly events: ChoiceEvents;
  readonly stop: () => void;
}

/** A bar for each stage, in turn. */
function stages(): Stages {
  let bar: ProgressBar | undefined;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    stop,
    events: {
      stage: (text) => {
        stop();
        bar = progressBar(text, "indexes");
      },
      progress: (done, total) => bar?.report(done, total),
    },
  };
}
