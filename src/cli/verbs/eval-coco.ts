import {
  boxFormatOf,
  readBoxDetections,
  readBoxTruth,
  type BoxReading,
} from "../../../datasets/formats/box-files.js";
import { idMatches, translationOf, type IdMatch } from "../../../datasets/formats/detection-ids.js";
import type {
  CocoDetections,
  CocoTruth,
  Leniency,
  Note,
} from "../../../datasets/formats/coco-set.js";
import type { VocBoxRule } from "../../../datasets/formats/voc-xml.js";
import type { CategoryScores, CocoEvaluation } from "../../eval/metrics/coco/coco.js";
import { evaluateCoco } from "../../eval/metrics/coco/coco.js";
import type { SizeOf } from "../../../datasets/formats/named-boxes.js";
import { vocAp, type VocAp } from "../../eval/metrics/coco/voc-ap.js";
import type { DetectionErrors } from "../../eval/metrics/coco/coco-errors.js";
import {
  type AreaRange,
  cocoAreas,
  linspace,
  type CocoOptions,
} from "../../eval/metrics/coco/coco-parameters.js";
import { intervalHead } from "../../eval/record/interval-text.js";
import { defaultIntervals, seedFor, type IntervalPlan } from "../../eval/stats/interval-plan.js";
import { measured, named } from "../../eval/stats/score.js";
import type { Interval, Score } from "../../eval/types.js";
import { oneOf, UserError } from "../../pipeline/errors.js";
import { categoryHint } from "../../eval/metrics/coco/coco-category-hint.js";
import { choice } from "../options.js";
import { intervalPlan, type IntervalOptions } from "../interval-options.js";
import { print, printJson, table, warn } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options extends Pick<IntervalOptions, "level" | "seed"> {
  readonly truth: string;
  readonly detections: string;
  readonly json?: true;
  readonly classes?: true;
  readonly errors?: true;
  readonly curves?: string;
  readonly intervals?: true | string;
  readonly vocBoxes?: string;
  readonly match?: string;
  readonly images?: string;
  readonly ap?: string;
  readonly agnostic?: true;
  readonly maxDets?: string;
  readonly areas?: string;
  readonly iou?: string;
  readonly honourIgnore?: true;
  readonly pycocotoolsIdZero?: true;
  readonly skipUnknown?: true;
  readonly allowNegative?: true;
}

export const verb: Verb = {
  build(command) {
    command
      .description(
        "Score detections against true boxes: COCO's AP and AR, equal to pycocotools 2.0.11.",
      )
      .requiredOption(
        "--truth <path>",
        "COCO annotation file, CVAT .xml, OpenImages .csv, or a folder of Pascal VOC .xml (image " +
          "ids are then the files' names without .xml, category ids count the sorted class " +
          "names from 1), LabelMe .json or YOLO .txt files",
      )
      .requiredOption(
        "--detections <file>",
        "COCO result file: a list of { image_id, category_id, bbox, score }; or a COCO object, " +
          "CVAT, OpenImages, LabelMe or YOLO with scores, found by file and class names",
      )
      .option(
        "--match <how>",
        `how ids of a result list are found in the truth: ${idMatches.join(", ")}`,
      )
      .option("--images <folder>", "pictures of YOLO and OpenImages: their boxes are shares")
      .option("--json", "print one JSON document")
      .option("--classes", "also print each category")
      .option(
        "--errors",
        "also sort the errors into TIDE's six types, with the AP that mending each would give",
      )
      .option("--curves <file>", "write precision-recall curves as JSON")
      .option(
        "--intervals [resamples]",
        `intervals by drawing images again (default: ${defaultIntervals.imageResamples} resamples)`,
      )
      .option(
        "--voc-boxes <rule>",
        "how VOC's corners are meant: inclusive (pixels from 1), as-is, or auto",
        "auto",
      )
      .option("--level <p>", `confidence of the intervals (default: ${defaultIntervals.level})`)
      .option("--seed <n>", `seed of the draws (default: ${defaultIntervals.seed})`)
      .option(
        "--ap <kind>",
        "also average precision as Pascal VOC has it, at IoU 0.5: 11point or integral; coco is " +
          "the default",
        "coco",
      )
      .option("--agnostic", "take all categories as one")
      .option("--max-dets <list>", "detections kept of each image and category (default: 1,10,100)")
      .option(
        "--areas <list>",
        "area ranges in px², as name:min:max,… (default: small, medium and large of COCO)",
      )
      .option(
        "--iou <list>",
        "IoU thresholds: numbers, or first:last:step (default: 0.50:0.95:0.05)",
      )
      .option(
        "--honour-ignore",
        "let boxes flagged `ignore` not count, nor what finds them; always so for VOC's " +
          "difficult objects",
      )
      .option(
        "--pycocotools-id-zero",
        "take a match with annotation id 0 for none, as pycocotools does",
      )
      .option("--skip-unknown", "leave out boxes on images that the truth does not list")
      .option("--allow-negative", "evaluate boxes of negative size: they overlap nothing")
      .action((options: Options) => run(options));
  },
};

async function run(options: Options): Promise<void> {
  const leniency: Leniency = {
    skipUnknown: options.skipUnknown ?? false,
    allowNegative: options.allowNegative ?? false,
  };
  const format = await boxFormatOf(options.truth);
  const sizeOf = options.images === undefined ? null : await sizesUnder(options.images);
  const reading = { ...leniency, ...(sizeOf && { sizeOf }) };
  const truth = await readBoxTruth(options.truth, {
    ...reading,
    format,
    boxes: vocRule(options.vocBoxes ?? "auto"),
  });
  const honourIgnore = format === "voc-xml" || options.honourIgnore === true;
  const asked: CocoOptions = {
    agnostic: options.agnostic ?? false,
    honourIgnore,
    pycocotoolsIdZero: options.pycocotoolsIdZero ?? false,
    ...(options.iou !== undefined && { iouThresholds: thresholds(options.iou) }),
    ...(options.maxDets !== undefined && { maxDets: numbers("--max-dets", options.maxDets) }),
    ...(options.areas !== undefined && { areas: areaRanges(options.areas) }),
  };
  const match = (options.match ?? "").split(",").filter((m) => m !== "");
  const how = match.map((m): IdMatch => choice("--match", m, idMatches));
  const detections = await readBoxDetections(options.detections, truth, { ...reading, match: how });
  const hints = await categoryHint(
    truth,
    detections,
    ({ category }) => readShifted(options.detections, truth, reading, how, category),
    asked,
  );
  const evaluated = evaluateCoco(truth, detections, asked);
  const evaluation =
    options.intervals === undefined
      ? evaluated
      : await withIntervals(
          evaluated,
          intervalPlan(options),
          options.intervals === true
            ? defaultIntervals.imageResamples
            : number("--intervals", options.intervals),
        );
  const errors = options.errors
    ? (await import("../../eval/metrics/coco/coco-errors.js")).explainErrors(truth, detections, {
        honourIgnore,
      })
    : null;
  if (options.curves !== undefined) {
    const [{ precisionRecallCurves }, { writeAtomic }] = await Promise.all([
      import("../../eval/metrics/coco/coco-curves.js"),
      import("../../pipeline/atomic-file.js"),
    ]);
    await writeAtomic(
      options.curves,
      `${JSON.stringify(precisionRecallCurves(evaluation, truth))}\n`,
    );
  }
  const notes = [
    ...labelled(options.truth, truth.notes, asked),
    ...labelled(options.detections, detections.notes, asked),
    ...labelled(options.truth, evaluated.limits, asked),
    ...labelled(options.detections, hints, asked),
  ];
  const kind = choice("--ap", options.ap ?? "coco", ["coco", "11point", "integral"]);
  const voc = kind === "coco" ? null : vocAp(truth, detections, kind);
  if (options.json) {
    const categories = options.classes ? evaluation.categories() : null;
    printJson({
      ...document(evaluation, truth, categories, errors, notes),
      ...(voc && { vocAp: voc }),
    });
    return;
  }
  printSummary(evaluation);
  if (voc) printVocAp(voc, truth, options.classes === true);
  if (options.classes) printCategories(evaluation, truth);
  if (errors) printErrors(errors);
  for (const { file, count, message, first } of notes)
    warn(`${file}: ${count} ${message} (first: ${first})`);
}

async function sizesUnder(root: string): Promise<SizeOf> {
  return (await import("../../pipeline/image/picture-sizes.js")).pictureSizes(root);
}

/** Detections with their category ids under another rule, those beyond the truth left out. */
async function readShifted(
  file: string,
  truth: CocoTruth,
  reading: BoxReading,
  match: readonly IdMatch[],
  category: (id: number) => number,
): Promise<CocoDetections> {
  const { image, category: own } = translationOf(truth, match);
  const translation = { image, category: (id: number | string) => category(own(id)) };
  return readBoxDetections(file, truth, { ...reading, translation });
}

function vocRule(value: string): VocBoxRule | "auto" {
  if (value === "auto" || value === "inclusive" || value === "as-is") return value;
  throw new UserError({
    code: "coco-option",
    message: "not a rule for VOC's boxes",
    path: "--voc-boxes",
    expected: oneOf(["auto", "inclusive", "as-is"]),
    found: value,
    fix: "leave it out to let the boxes tell",
  });
}

/** The same with an interval on each number of the summary, where the bootstrap can tell one. */
async function withIntervals(
  evaluation: CocoEvaluation,
  plan: IntervalPlan,
  resamples: number,
): Promise<CocoEvaluation> {
  if (!Number.isInteger(resamples) || resamples < 100 || resamples > 1e6) {
    throw new UserError({
      code: "coco-option",
      message: "not a number of resamples",
      path: "--intervals",
      expected: "an integer of 100 to 1000000",
      found: String(resamples),
      fix: `leave it out for ${defaultIntervals.imageResamples}`,
    });
  }
  const [{ cocoStatistic }, { cocoInterval }] = await Promise.all([
    import("../../eval/metrics/coco/coco-resample.js"),
    import("../../eval/metrics/coco/coco-interval.js"),
  ]);
  const summary = evaluation.summary.map((score) => {
    const statistic =
      score.value === null ? undefined : cocoStatistic(evaluation.matches, score.metric);
    const seed = seedFor(plan, `eval coco ${score.metric}`);
    const estimate = statistic && cocoInterval(statistic, { resamples, level: plan.level, seed });
    if (!estimate || estimate.value === null || score.value === null) return score;
    return named(score, measured(score.value, score.n, estimate.interval, estimate.whyNoInterval));
  });
  return { ...evaluation, summary };
}

interface FileNote extends Note {
  readonly file: string;
}

/** Notes worth telling under these options. */
function labelled(
  file: string,
  notes: readonly Note[],
  { pycocotoolsIdZero, honourIgnore }: CocoOptions,
): FileNote[] {
  return notes
    .filter(
      ({ code }) =>
        !(code === "id-zero" && pycocotoolsIdZero) && !(code === "ignore-flag" && honourIgnore),
    )
    .map((note) => ({
      file,
      ...note,
      ...(note.code === "ignore-flag" && {
        message:
          `${note.message}, which counts for nothing here as in pycocotools; ` +
          "--honour-ignore heeds it",
      }),
    }));
}

function printSummary({ parameters, counts, summary }: CocoEvaluation): void {
  const count = (n: number, one: string, many = `${one}s`): string =>
    `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
  const crowds = counts.crowds > 0 ? ` (${count(counts.crowds, "crowd")})` : "";
  const categories = parameters.agnostic
    ? "all categories as one"
    : count(counts.categories, "category", "categories");
  print(
    `${count(counts.images, "image")}, ` +
      `${count(counts.truths, "true box", "true boxes")}${crowds}, ` +
      `${count(counts.detections, "detection")}, ${categories}\n`,
  );
  const { iouThresholds, maxDets, areas } = parameters;
  const all =
    iouThresholds.length > 3
      ? `${iouThresholds[0]!.toFixed(2)}:${iouThresholds[iouThresholds.length - 1]!.toFixed(2)}`
      : iouThresholds.join(", ");
  const most = maxDets[maxDets.length - 1]!;
  const intervals = summary.map((score) => (score.value === null ? null : score.interval));
  const withIntervals = intervals.some((interval) => interval !== null);
  print(
    table(
      [
        { head: "metric" },
        { head: "IoU" },
        { head: "area" },
        { head: "max dets", align: "right" },
        { head: "value", align: "right" },
        ...(withIntervals ? [{ head: intervalHead(intervals) }] : []),
        { head: "true boxes", align: "right" },
      ],
      summary.map((score, i) => [
        score.metric,
        score.metric === "AP50" ? "0.50" : score.metric === "AP75" ? "0.75" : all,
        areas.slice(1).find((area) => score.metric.slice(3) === area.name)?.name ?? areas[0]!.name,
        /^AR@(\d+)$/.exec(score.metric)?.[1] ?? most,
        shown(score),
        ...(withIntervals ? [range(intervals[i])] : []),
        score.value === null ? null : score.n.toLocaleString("en"),
      ]),
    ),
  );
  for (const why of new Set(summary.flatMap((score) => (score.value === null ? [score.why] : []))))
    print(`-: ${why}`);
}

function printCategories(evaluation: CocoEvaluation, truth: CocoTruth): void {
  print("");
  print(
    table(
      [
        { head: "category" },
        { head: "id", align: "right" },
        { head: "AP", align: "right" },
        { head: "AP50", align: "right" },
        { head: "AP75", align: "right" },
        { head: "AR", align: "right" },
        { head: "true boxes", align: "right" },
      ],
      evaluation
        .categories()
        .map(({ category, truths, ap, ap50, ap75, ar }) => [
          truth.categories[category]?.name ?? "all as one",
          truth.categories[category]?.id ?? null,
          shown(ap),
          shown(ap50),
          shown(ap75),
          shown(ar),
          truths.toLocaleString("en"),
        ]),
    ),
  );
}

function printVocAp(
  { interpolation, mean, categories }: VocAp,
  truth: CocoTruth,
  all: boolean,
): void {
  const name = interpolation === "11point" ? "11-point" : "integral";
  print(`\nVOC AP at IoU 0.50, ${name}: ${shown(mean) ?? "-"} (mean over categories)`);
  if (!all) return;
  const rows = categories.map(({ category, ap }) => [truth.categories[category]!.name, shown(ap)]);
  print(table([{ head: "category" }, { head: `VOC AP ${name}`, align: "right" }], rows));
}

function printErrors({
  ap,
  foreground,
  background,
  errors,
  falsePositives,
  falseNegatives,
}: DetectionErrors): void {
  print(
    `\nErrors at IoU ${foreground} (background below ${background}), AP ${shown(ap) ?? "-"}; ` +
      "what AP would gain without them:",
  );
  print(
    table(
      [{ head: "error" }, { head: "count", align: "right" }, { head: "AP gain", align: "right" }],
      [
        ...errors.map(({ type, count, deltaAp }) => [
          type,
          count.toLocaleString("en"),
          shown(deltaAp),
        ]),
        ["all false positives", null, shown(falsePositives)],
        ["all unfound boxes", null, shown(falseNegatives)],
      ],
    ),
  );
}

/** What --json prints: every number raw. */
function document(
  evaluation: CocoEvaluation,
  truth: CocoTruth,
  categories: readonly CategoryScores[] | null,
  errors: DetectionErrors | null,
  notes: readonly FileNote[],
): object {
  const { parameters, counts, summary } = evaluation;
  return {
    schema: 1,
    counts,
    parameters: {
      ...parameters,
      iouThresholds: Array.from(parameters.iouThresholds),
      maxDets: Array.from(parameters.maxDets),
      recallThresholds: parameters.recallThresholds.length,
    },
    scores: summary,
    ...(categories && {
      categories: categories.map(({ category, ...scores }) => ({
        id: truth.categories[category]?.id ?? null,
        name: truth.categories[category]?.name ?? null,
        ...scores,
      })),
    }),
    ...(errors && {
      errors: {
        foreground: errors.foreground,
        background: errors.background,
        maxDets: errors.maxDets,
        ap: errors.ap,
        types: errors.errors,
        falsePositives: errors.falsePositives,
        falseNegatives: errors.falseNegatives,
      },
    }),
    notes,
  };
}

function range(interval: Interval | null | undefined): string | null {
  return interval ? `${interval.low.toFixed(4)} to ${interval.high.toFixed(4)}` : null;
}

function shown(score: Score): string | null {
  return score.value === null ? null : score.value.toFixed(4);
}

function numbers(option: string, text: string): number[] {
  return text.split(",").map((part) => number(option, part.trim()));
}

/** `0.5,0.75`, or `0.5:0.95:0.05` (by 0.05 unless said), as the table names its default. */
function thresholds(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [first, last, step = 0.05, ...more] = part.split(":").map((p) => number("--iou", p));
    if (last === undefined) return [first!];
    const count = Math.round((last - first!) / step) + 1;
    if (more.length > 0 || !(step > 0) || !(count >= 2 && count <= 32))
      throw new UserError({
        code: "coco-option",
        message: "not a range of IoU thresholds",
        path: "--iou",
        expected: "first:last:step, of 2 to 32 thresholds",
        found: JSON.stringify(part),
        fix: "write for example --iou 0.5:0.95:0.05",
      });
    return [...linspace(first!, last, count)];
  });
}

function number(option: string, text: string): number {
  const value = text === "inf" ? Infinity : Number(text);
  if (text !== "" && !Number.isNaN(value)) return value;
  throw new UserError({
    code: "coco-option",
    message: "not a number",
    path: option,
    found: JSON.stringify(text),
    fix: "separate numbers by commas",
  });
}

/** `name:min:max,…`; the range of all sizes goes first unless one is named so. */
function areaRanges(text: string): AreaRange[] {
  const ranges = text.split(",").map((part): AreaRange => {
    const [name, min, max, ...more] = part.trim().split(":");
    if (!name || min === undefined || max === undefined || more.length > 0) {
      throw new UserError({
        code: "coco-option",
        message: "not an area range",
        path: "--areas",
        expected: "name:min:max",
        found: JSON.stringify(part),
        fix: "write for example --areas small:0:1024,large:1024:inf",
      });
    }
    return { name, min: number("--areas", min), max: number("--areas", max) };
  });
  return ranges[0]?.name === "all" ? ranges : [cocoAreas[0]!, ...ranges];
}
