import { join, relative } from "node:path";
import { cacheFolder, runsFolder } from "../../eval/config/paths.js";
import { answerOf, type ChoiceAnswer } from "../../eval/choose/answer.js";
import { writeChoiceRecord } from "../../eval/choose/choice-record.js";
import type { ChoiceEvents, ChoiceOptions } from "../../eval/choose/choice-options.js";
import { choose } from "../../eval/choose/choose.js";
import type { Limits } from "../../eval/choose/limits.js";
import { readChoiceData } from "../../eval/choose/read-data.js";
import { UserError, oneOf } from "../../pipeline/errors.js";
import { engineNames } from "../../pipeline/index/engine.js";
import type { IndexMetric } from "../../pipeline/types.js";
import { choiceText } from "../choice-text.js";
import { ExitCode } from "../exit-code.js";
import { choice, whole } from "../options.js";
import { progressBar, type ProgressBar } from "../progress.js";
import { byteSize, count, duration, ratio } from "../quantities.js";
import { print, printJson, warn } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options {
  gallery: string;
  labels?: string;
  queries?: string;
  queryLabels?: string;
  recall?: string;
  labelRecall?: string;
  p99?: string;
  qps?: string;
  memory?: string;
  build?: string;
  deletes?: true;
  appends?: string;
  growTo?: string;
  engines: string;
  budget: string;
  k: string;
  metric?: string;
  normalize?: true;
  packed?: true;
  seed: string;
  cache?: string;
  runs?: string;
  record: boolean;
  json?: true;
}

export const verb: Verb = {
  build(command) {
    command
      .description("Choose an index, with parameters, for your vectors and your limits.")
      .requiredOption(
        "--gallery <file>",
        ".npy, .fvecs, .bvecs, .fbin, .u8bin, .i8bin, .arrow, .hdf5, .parquet, a Faiss index, " +
          "or the folder of a gallery",
      )
      .option("--labels <file>", "label of each row: a PaddleClas list, JSON, or one a line")
      .option("--queries <file>", "vectors to ask for (default: some are held out of the gallery)")
      .option("--query-labels <file>", "their labels")
      .option("--recall <ratio>", "neighbour recall@k, at least")
      .option("--label-recall <ratio>", "label recall@1, at least")
      .option("--p99 <time>", "99th percentile of one query's time, at most: 5ms")
      .option("--qps <n>", "queries a second in batches on all threads, at least")
      .option("--memory <size>", "resident memory, at most: 500MB")
      .option("--build <time>", "time to build, at most: 10m")
      .option("--deletes", "entries must be removable")
      .option("--appends <n/day>", "vectors added a day")
      .option("--grow-to <n>", "predict the figures up to this size: 10M")
      .option("--engines <names>", "faiss, usearch, …, by commas", "faiss")
      .option("--budget <time>", "how long to measure", "10m")
      .option("--k <n>", "neighbours asked for", "10")
      .option("--metric <name>", "inner-product or l2 (default: as the file says)")
      .option("--normalize", "scale each vector to length 1 first")
      .option("--packed", "the rows are codes, most significant bit first")
      .option("--seed <text>", "draws the held-out queries", "choose")
      .option("--cache <folder>", "where built indexes are kept (default: as for observations)")
      .option("--runs <folder>", "where records go (default: runs/, or SHITU_RUNS)")
      .option("--no-record", "write no record")
      .option("--json", "machine output")
      .action(run);
  },
};

async function run(options: Options): Promise<void> {
  const limits = limitsOf(options);
  const settings = settingsOf(options);
  const growTo = options.growTo === undefined ? null : count("--grow-to", options.growTo);
  const startedAt = new Date().toISOString();
  const { data, warnings } = await readChoiceData(filesOf(options));
  const shown = stages();
  try {
    const full: ChoiceOptions = { ...settings, data, limits, events: shown.events };
    const outcome = await choose(full);
    const answer = answerOf({ options: full, outcome, growTo, warnings });
    shown.stop();
    if (options.json) printJson(answer);
    else tell(answer);
    if (options.record) {
      const finishedAt = new Date().toISOString();
      const input = { options: full, answer, startedAt, finishedAt };
      const folder = await writeChoiceRecord(runsFolder(options.runs), input);
      if (!options.json) print(`\nRecord: ${relative(process.cwd(), folder) || folder}`);
    }
    if (answer.pick === null) process.exitCode = ExitCode.belowBar;
  } finally {
    shown.stop();
  }
}

function tell(answer: ChoiceAnswer): void {
  print(choiceText(answer));
  for (const { message } of answer.warnings) warn(message);
}

function filesOf(options: Options) {
  const { gallery, labels, queries, queryLabels, normalize, packed, seed, metric } = options;
  const metrics: readonly IndexMetric[] = ["inner-product", "l2"];
  return {
    gallery,
    seed,
    normalize: normalize ?? false,
    packed: packed ?? false,
    ...(labels !== undefined && { labels }),
    ...(queries !== undefined && { queries }),
    ...(queryLabels !== undefined && { queryLabels }),
    ...(metric !== undefined && { metric: choice("--metric", metric, metrics) }),
  };
}

function settingsOf({ k, budget, engines, seed, cache }: Options) {
  return {
    k: whole("--k", k),
    budgetMs: duration("--budget", budget),
    engines: enginesOf(engines),
    builds: join(cacheFolder(cache), "..", "indexes"),
    seed,
  };
}

function limitsOf(options: Options): Limits {
  const { recall, labelRecall, p99, qps, memory, build, deletes, appends } = options;
  const limits: Limits = {
    ...(recall !== undefined && { recall: ratio("--recall", recall) }),
    ...(labelRecall !== undefined && { labelRecall: ratio("--label-recall", labelRecall) }),
    ...(p99 !== undefined && { p99Ms: duration("--p99", p99) }),
    ...(qps !== undefined && { queriesPerSecond: count("--qps", qps) }),
    ...(memory !== undefined && { memoryBytes: byteSize("--memory", memory) }),
    ...(build !== undefined && { buildMs: duration("--build", build) }),
    ...(deletes && { deletes }),
    ...(appends !== undefined && {
      appendsPerDay: count("--appends", appends.replace(/\/day$/, "")),
    }),
  };
  if (recall === undefined && labelRecall === undefined) {
    throw new UserError({
      code: "no-recall-limit",
      message: "without a limit on recall the fastest index is one that finds nothing",
      expected: "--recall or --label-recall",
      found: "neither",
      fix: "give one, such as --recall 0.95",
    });
  }
  return limits;
}

/** `faiss` brings the two-stage index along, which is made of Faiss's codes. */
function enginesOf(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (!(engineNames as readonly string[]).includes(name)) {
      throw new UserError({
        code: "unknown-engine",
        message: `no index engine ${JSON.stringify(name)}`,
        path: "--engines",
        expected: oneOf(engineNames),
        found: name,
      });
    }
  }
  return names.includes("faiss") ? [...new Set([...names, "two-stage"])] : names;
}

/** A bar for each stage, in turn. */
function stages(): { events: ChoiceEvents; stop: () => void } {
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
