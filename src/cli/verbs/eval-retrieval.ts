import { writeArrow } from "../../../datasets/formats/arrow.js";
import type { ImageList } from "../../../datasets/formats/paddleclas-list.js";
import {
  classMeans,
  classScores,
  confusions,
  predictions,
} from "../../eval/metrics/retrieval/retrieval-classes.js";
import type { LabelledRow } from "../../eval/metrics/index/neighbour-hits.js";
import { junkCount } from "../../eval/metrics/retrieval/junk-count.js";
import { quirkEffects, type QuirkEffect } from "../../eval/metrics/quirk-effects.js";
import {
  headlineOrder,
  type RetrievalEvidence,
  type RetrievalInput,
} from "../../eval/metrics/retrieval/ranking.js";
import { rankQueries } from "../../eval/metrics/retrieval/retrieval.js";
import { metricNames, rankingQuirks } from "../../eval/metrics/retrieval/retrieval-metric.js";
import { retrievalMetrics } from "../../eval/metrics/retrieval/retrieval-metrics.js";
import {
  retrievalScores,
  type RetrievalScores,
} from "../../eval/metrics/retrieval/retrieval-scores.js";
import { clusterNumbers } from "../../eval/stats/bootstrap.js";
import { UserError } from "../../pipeline/errors.js";
import { rulesOf, type QuirkName, type Rules } from "../../pipeline/protocol.js";
import { rowCount } from "../../pipeline/types.js";
import { addIntervalOptions, intervalPlan, type IntervalOptions } from "../interval-options.js";
import { choice, whole } from "../options.js";
import type { IntervalPlan } from "../../eval/stats/interval-plan.js";
import { progressBar } from "../progress.js";
import { addProtocolOption, protocolOf } from "../protocol-option.js";
import {
  isSameReading,
  loadRetrieval,
  type LoadedRetrieval,
  type RetrievalFiles,
} from "../retrieval-input.js";
import {
  classTable,
  confusionTable,
  quirkTable,
  scoreTable,
  summaryLine,
  type Head,
} from "../retrieval-text.js";
import { print, printJson, warn } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options extends IntervalOptions {
  readonly gallery: string;
  readonly galleryList: string;
  readonly query?: string;
  readonly queryList?: string;
  readonly leaveOneOut?: true;
  readonly protocol: string;
  readonly binary?: string;
  readonly normalize?: true;
  readonly k: string;
  readonly columns: string;
  readonly delimiter: string;
  readonly trainList?: string;
  readonly junkLabel?: string;
  readonly images?: string;
  readonly classes?: true;
  readonly confusions?: true;
  readonly quirks?: true;
  readonly cases?: string;
  readonly json?: true;
}

export const verb: Verb = {
  build(command) {
    addProtocolOption(addIntervalOptions(command, { clusters: true }))
      .description(
        `Score features: ${metricNames(retrievalMetrics)}, over the whole exact ranking, ` +
          "ties told.",
      )
      .requiredOption(
        "--gallery <file>",
        "gallery features, one row a picture: .npy, .fvecs or .arrow (packed codes: .npy, " +
          ".bvecs or .arrow)",
      )
      .requiredOption(
        "--gallery-list <file>",
        "PaddleClas list of the same rows: path, label and, where there is one, uid",
      )
      .option("--query <file>", "query features")
      .option("--query-list <file>", "list of the queries")
      .option(
        "--leave-one-out",
        "search the gallery with itself, each row left out of its own ranking",
      )
      .option(
        "--binary <form>",
        "compare binary codes: sign or round binarises the features, packed reads codes " +
          "(most significant bit first)",
      )
      .option("--normalize", "scale each vector to length 1 first")
      .option("--k <list>", "for recall@k and precision@k", "1,5,10")
      .option("--columns <n>", "columns of the lists: 2, 3 or auto", "auto")
      .option("--delimiter <name>", "delimiter of the lists: tab, space or auto", "auto")
      .option(
        "--junk-label <label>",
        "hold gallery pictures of this label against no query (-1 in Market-1501)",
      )
      .option("--train-list <file>", "training list: warn of pictures that were trained on")
      .option("--images <folder>", "image root: warn of listed pictures that are not there")
      .option("--classes", "also print each label")
      .option("--confusions", "also print which labels the first neighbour takes for which")
      .option("--quirks", "also print what each quirk of PaddleClas is worth on this set")
      .option("--cases <file.arrow>", "write one row a query: prediction, ranks, neighbours")
      .option("--json", "print one JSON document")
      .action((options: Options) => run(options));
  },
};

const shownClasses = 200;
const shownConfusions = 20;

async function run(options: Options): Promise<void> {
  const ks = options.k.split(",").map((k) => whole("--k", k));
  const protocol = protocolOf(options);
  const plan = intervalPlan(options);
  if (options.cases !== undefined && !/\.(arrow|feather)$/.test(options.cases)) {
    throw new UserError({
      code: "bad-option",
      message: "--cases writes Arrow",
      expected: "a name that ends in .arrow",
      found: options.cases,
    });
  }
  const columns = choice("--columns", options.columns, ["auto", "2", "3"]);
  const { gallery, galleryList, query, queryList, trainList, images } = options;
  const files: RetrievalFiles = {
    gallery,
    galleryList,
    leaveOneOut: options.leaveOneOut ?? false,
    rules: rulesOf(protocol),
    normalize: options.normalize ?? false,
    ...(query !== undefined && { query }),
    ...(queryList !== undefined && { queryList }),
    ...(trainList !== undefined && { trainList }),
    ...(options.junkLabel !== undefined && { junkLabel: options.junkLabel }),
    ...(images !== undefined && { images }),
    ...(options.binary !== undefined && {
      binary: choice("--binary", options.binary, ["sign", "round", "packed"]),
    }),
    list: {
      columns: columns === "auto" ? "auto" : columns === "2" ? 2 : 3,
      delimiter: choice("--delimiter", options.delimiter, ["auto", "tab", "space"]),
    },
  };
  const loaded = await loadRetrieval(files);
  const bar = progressBar("ranking", "queries");
  const evidence = await rankQueries(loaded.input, { protocol, ks, progress: bar.report }).finally(
    () => {
      bar.stop();
    },
  );
  const { level, resamples, seed, clusters } = plan;
  const result = retrievalScores(evidence, {
    level,
    resamples,
    seed,
    ...(clusters === "label" && { clusters: clusterNumbers(loaded.input.queryLabels) }),
  });
  const effects = options.quirks ? await retrievalQuirks(files, loaded, ks) : null;
  if (options.cases !== undefined) await writeCases(options.cases, evidence, loaded);
  const warnings = [
    ...loaded.findings.map((f) => `${f.file}: ${f.message} (${f.examples[0]})`),
    ...loaded.warnings,
    ...aboutTies(evidence, result),
  ];
  if (options.json) {
    printJson({
      ...head(loaded, evidence, result, plan),
      scores: result.scores,
      cmc: result.cmc,
      ...(options.classes && {
        classes: classScores(evidence, level),
        classMeans: classMeans(classScores(evidence, level)),
      }),
      ...(options.confusions && { confusions: confusions(evidence) }),
      ...(effects && { quirks: effects }),
      findings: loaded.findings,
      warnings,
    });
    return;
  }
  print(summaryLine(head(loaded, evidence, result, plan)));
  print(`\n${scoreTable(result)}`);
  for (const why of new Set(result.scores.flatMap((s) => (s.value === null ? [s.why] : []))))
    print(`-: ${why}`);
  if (options.classes) print(`\n${classTable(classScores(evidence, level), shownClasses)}`);
  if (options.confusions) print(`\n${confusionTable(confusions(evidence), shownConfusions)}`);
  if (effects) print(`\n${quirkTable(effects)}`);
  for (const text of warnings) warn(text);
}

/**
 * What each quirk that applies is worth: those of the ranking, and of reading the files where a
 * label holds a space or features are binarised. The set is ranked once for each.
 */
async function retrievalQuirks(
  files: RetrievalFiles,
  loaded: LoadedRetrieval,
  ks: readonly number[],
): Promise<QuirkEffect[]> {
  const reading = (rules: Rules) =>
    isSameReading(rules, files.rules) ? loaded : loadRetrieval({ ...files, rules });
  const { galleryList, queryList } = await reading(rulesOf("standard"));
  const spaced = [...galleryList.rows, ...queryList.rows].some((row) => /\s/.test(row.label));
  const binarised = files.binary === "sign" || files.binary === "round";
  const names: QuirkName[] = [...rankingQuirks];
  if (spaced) names.push("labels");
  if (binarised) names.push("codes");
  return quirkEffects(names, async (rules) => {
    const { input } = await reading(rules);
    return retrievalScores(await rankQueries(input, { rules, ks }), { resamples: 0 }).scores;
  });
}

function head(
  { input, similarity }: LoadedRetrieval,
  evidence: RetrievalEvidence,
  { queries, unanswerable }: RetrievalScores,
  { level, clusters }: IntervalPlan,
): Head {
  const { gallery } = input;
  return {
    protocol: evidence.protocol,
    similarity,
    queries,
    gallery: rowCount(gallery),
    labels: new Set(input.galleryLabels).size,
    leaveOneOut: input.leaveOneOut ?? false,
    junkRule: input.galleryUids !== undefined,
    junk: junkCount(rowsOf(input, "query"), rowsOf(input, "gallery"), input.leaveOneOut ?? false),
    unanswerable,
    undecidedFirst: evidence.undecidedFirst,
    intervalLevel: level,
    intervalUnit: clusters === "label" ? "label" : "query",
  };
}

/** Labels and uids of one side, as `junkCount` takes them. */
function rowsOf(input: RetrievalInput, side: "query" | "gallery"): LabelledRow[] {
  const labels = side === "query" ? input.queryLabels : input.galleryLabels;
  const uids = side === "query" ? input.queryUids : input.galleryUids;
  return (labels ?? []).map((label, i) => ({ label, uid: uids?.[i] ?? null }));
}

function aboutTies(
  evidence: RetrievalEvidence,
  { queries, unanswerable }: RetrievalScores,
): string[] {
  const notes: string[] = [];
  if (evidence.undecidedFirst > 0)
    notes.push(
      `for ${evidence.undecidedFirst} of ${queries} queries right and wrong items tie for ` +
        "the first place: the value is the mean over all orders of the ties",
    );
  if (evidence.rules.ties === "stable")
    notes.push(
      "this protocol has one order of ties, the smaller row first; another sort would give " +
        "other numbers",
    );
  if (unanswerable > 0)
    notes.push(
      `${unanswerable} of ${queries} queries have no valid positive in the gallery and are ` +
        "not in n",
    );
  return notes;
}

/** One row a query; the columns that records have come first. */
async function writeCases(
  file: string,
  evidence: RetrievalEvidence,
  { queryList, galleryList }: { queryList: ImageList; galleryList: ImageList },
): Promise<void> {
  const { top, topRows, topScores, positives, values } = evidence;
  const own = values[headlineOrder(evidence)]!;
  const [best, worst] = [values.optimistic ?? own, values.pessimistic ?? own];
  const predicted = predictions(evidence);
  const n = positives.length;
  const each = <T>(of: (q: number) => T): T[] => Array.from({ length: n }, (_, q) => of(q));
  const ranked = (ranks: Float64Array) => each((q) => (positives[q]! > 0 ? ranks[q]! - 1 : null));
  await writeArrow(file, {
    item: queryList.rows.map((r) => r.path),
    outcome: each((q) =>
      positives[q] === 0 ? "none" : predicted[q] === queryList.rows[q]!.label ? "hit" : "miss",
    ),
    truth: queryList.rows.map((r) => r.label),
    prediction: predicted,
    score: each((q) => (topRows[q * top]! < 0 ? null : topScores[q * top]!)),
    rank: ranked(best.firstRank),
    neighbours: each((q) => {
      const rows = Array.from(topRows.subarray(q * top, (q + 1) * top)).filter((row) => row >= 0);
      return JSON.stringify(
        rows.map((row, i) => [
          galleryList.rows[row]!.label,
          topScores[q * top + i]!,
          galleryList.rows[row]!.path,
        ]),
      );
    }),
    uid: queryList.rows.map((r) => r.uid ?? null),
    positives,
    rankPessimistic: ranked(worst.firstRank),
    ...Object.fromEntries(
      evidence.scored.map(({ name, metric: { atK, column }, k }) => [
        atK ? `${column}@${k}` : column,
        own.of[name]!,
      ]),
    ),
  });
}
