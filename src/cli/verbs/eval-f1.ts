import { writeAtomic } from "../../pipeline/atomic-file.js";
import type { AcceptanceRule } from "../../pipeline/acceptance.js";
import { UserError } from "../../pipeline/errors.js";
import { rulesOf } from "../../pipeline/protocol.js";
import type { BootstrapOptions } from "../../eval/stats/bootstrap.js";
import { cropRecall } from "../../eval/metrics/end-to-end/f1-crop-recall.js";
import type { ImageEvidence } from "../../eval/metrics/end-to-end/f1-evidence.js";
import { f1ByLabel, type LabelF1 } from "../../eval/metrics/end-to-end/f1-labels.js";
import { sweepF1, thinned } from "../../eval/metrics/end-to-end/f1-sweep.js";
import {
  f1Definitions,
  f1Names,
  type F1Definition,
} from "../../eval/metrics/end-to-end/f1-tally.js";
import { heldOutF1, plainF1, type HeldOutF1 } from "../../eval/metrics/end-to-end/f1-cross-fit.js";
import { f1At, scoreOf, type F1Result } from "../../eval/metrics/end-to-end/f1.js";
import {
  adviseThreshold,
  openSetCrops,
  openSetCurve,
  openSetQueries,
  type OpenSetCurve,
  type ThresholdAdvice,
} from "../../eval/metrics/end-to-end/threshold.js";
import { waterfall, type Waterfall } from "../../eval/metrics/end-to-end/waterfall.js";
import { lossMeanings, lossStages } from "../../eval/metrics/end-to-end/waterfall-evidence.js";
import { quirkEffects, type QuirkEffect } from "../../eval/metrics/quirk-effects.js";
import { readEvidence, writeEvidence, type Evidence } from "../../eval/observe/evidence-file.js";
import { levelsText } from "../../eval/record/interval-text.js";
import { named } from "../../eval/stats/score.js";
import type { Score } from "../../eval/types.js";
import { gatherEvidence, type EvidenceOptions } from "../f1-input.js";
import { addIntervalOptions, intervalPlan, type IntervalOptions } from "../interval-options.js";
import { choice, finite } from "../options.js";
import { addProtocolOption, protocolOf } from "../protocol-option.js";
import { quirkTable } from "../retrieval-text.js";
import { print, printJson, table, warn } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options extends EvidenceOptions, IntervalOptions {
  readonly evidence?: string;
  readonly writeEvidence?: string;
  readonly success: string;
  readonly better: string;
  readonly protocol: string;
  readonly threshold?: string;
  readonly suppressIou: string;
  readonly far: string;
  readonly interval: string;
  readonly curves?: string;
  readonly labels?: true;
  readonly quirks?: true;
  readonly json?: true;
}

export const verb: Verb = {
  build(command) {
    addProtocolOption(addIntervalOptions(command))
      .description(
        "Score recognitions of whole pictures: F1 by four definitions, crop-recall@k, " +
          "thresholds for unknown objects, and where objects are lost.",
      )
      .option(
        "--truth <file>",
        'JSON: { "images": [{ "image", "objects": [{ "label", "box": [x0, y0, x1, y1] }] }] ' +
          "}, a label of null being an object that the gallery lacks; or a COCO annotation " +
          "file, whose category names are the labels",
      )
      .option(
        "--observations <file>",
        "what `shitu recognize --json` prints, or one observation a line (.jsonl)",
      )
      .option(
        "--better <which>",
        "which scores are better: higher (inner product) or lower (Hamming or L2 distance)",
        "higher",
      )
      .option("--threshold <s>", "also score all pictures at this threshold, as a run had it")
      .option(
        "--suppress-iou <r>",
        "overlap above which the lesser of two recognitions is dropped",
        "0.05",
      )
      .option("--unknown-label <label...>", "labels of objects that the gallery lacks")
      .option("--exact-index", "the index was exhaustive, so that it lost nothing")
      .option(
        "--exact <file>",
        "observations of the same crops with an exhaustive index: tells what the index lost",
      )
      .option(
        "--oracle <file>",
        "observations of the truth boxes (`shitu recognize --boxes`): tells what perfect " +
          "boxes would gain",
      )
      .option("--oracle-exact <file>", "the same with an exhaustive index")
      .option(
        "--success <what>",
        "when an object counts as recognised in the waterfall: label (an answer bears its " +
          "label) or box (and overlaps it)",
        "label",
      )
      .option(
        "--evidence <file>",
        "in place of all files above: what --write-evidence wrote (.json or .arrow)",
      )
      .option(
        "--write-evidence <file>",
        "write truth, crops and neighbours joined, as .json or .arrow",
      )
      .option("--far <list>", "false-accept rates to find thresholds for", "0.01,0.05,0.1")
      .option(
        "--interval <method>",
        "bootstrap over pictures: bca or percentile (the macro average always has the jackknife's)",
        "bca",
      )
      .option("--labels", "also print the F1 of each label, at --threshold or as D chose it")
      .option("--quirks", "also print what each quirk of PaddleClas is worth on this set")
      .option("--curves <file>", "write the curves as JSON")
      .option("--by-file-name", "compare file names only, without folders")
      .option("--allow-missing", "count objects of pictures without an observation as missed")
      .option("--json", "print one JSON document")
      .action((options: Options) => run(options));
  },
};

async function run(options: Options): Promise<void> {
  const better = choice("--better", options.better, ["higher", "lower"]);
  const protocol = protocolOf(options);
  const rule: AcceptanceRule = {
    better,
    suppressIou: fraction("--suppress-iou", options.suppressIou),
    rules: rulesOf(protocol),
  };
  const method = choice("--interval", options.interval, ["bca", "percentile"]);
  const { level, resamples, seed } = intervalPlan(options);
  const bootstrap: BootstrapOptions = {
    method,
    level,
    resamples,
    seed,
  };
  const targets = options.far.split(",").map((part) => fraction("--far", part));
  const threshold =
    options.threshold === undefined ? null : finite("--threshold", options.threshold);
  const success = choice("--success", options.success, ["label", "box"]);

  const gathered = await evidenceOf(options);
  if (options.writeEvidence !== undefined)
    await writeEvidence(evidenceName(options.writeEvidence), gathered);
  const evidence = scoredEvidence(gathered);
  const { images } = evidence;
  const definitions = f1Definitions.map((definition) => ({
    definition,
    name: f1Names[definition],
    heldOut: heldOutF1(images, definition, rule, { level, seed }),
    atThreshold: threshold === null ? null : f1At(images, definition, rule, threshold, bootstrap),
  }));
  const ks = [1, 2, 3, 5];
  const crops = cropRecall(images, ks, rule, level).map((score, i) => ({ k: ks[i]!, ...score }));
  const openSet = (["picture", "crop"] as const).map((unit) => {
    const curve = openSetCurve(
      unit === "picture" ? openSetQueries(images, better) : openSetCrops(images),
      better,
    );
    return {
      unit,
      curve,
      advice: targets.map((far) => adviseThreshold(curve, far, "estimate", level)),
    };
  });
  const losses = lossesOf(
    gathered,
    rule,
    success,
    threshold ?? definitions[success === "label" ? 1 : 2]!.heldOut.threshold,
    bootstrap,
  );

  const macro = definitions.find((d) => d.definition === "D")!;
  const labels = options.labels
    ? f1ByLabel(images, rule, threshold ?? macro.heldOut.threshold)
    : null;
  const quirkWorth = options.quirks ? await f1Quirks(images, rule, { threshold, seed, ks }) : null;
  if (options.curves !== undefined) {
    const curves = {
      schema: 1,
      f1: Object.fromEntries(f1Definitions.map((d) => [d, sweepF1(images, d, rule)])),
      openSet: Object.fromEntries(openSet.map((o) => [o.unit, o.curve.points])),
    };
    await writeAtomic(options.curves, `${JSON.stringify(curves)}\n`);
  }
  if (options.json) {
    printJson({
      schema: 1,
      rule: { better, suppressIou: rule.suppressIou, protocol },
      bootstrap,
      counts: countsOf(evidence),
      definitions,
      cropRecall: crops,
      // The whole curves are what --curves is for.
      openSet: openSet.map(({ unit, curve, advice }) => ({
        unit,
        known: curve.known,
        distractors: curve.distractors,
        auroc: curve.auroc,
        advice,
      })),
      curves: Object.fromEntries(
        f1Definitions.map((d) => [d, thinned(sweepF1(images, d, rule), 60)]),
      ),
      waterfall: losses,
      ...(labels && { labels }),
      ...(quirkWorth && { quirks: quirkWorth }),
      unobserved: evidence.unobserved,
    });
    return;
  }
  printF1(evidence, definitions, threshold);
  if (labels) printLabels(labels);
  print(
    `\ncrop-recall@k, before threshold and suppression: ` +
      `${crops.map((c) => `@${c.k} ${shown(c)}`).join(" · ")}`,
  );
  for (const { unit, curve, advice } of openSet) printOpenSet(unit, curve, advice);
  if ("why" in losses) warn(`no waterfall: ${losses.why}`);
  else printWaterfall(losses);
  if (quirkWorth) print(`\n${quirkTable(quirkWorth)}`);
  for (const { image, why } of evidence.unobserved.slice(0, 5))
    warn(`${image}: ${why}; its objects count as missed`);
  if (evidence.unobserved.length > 5)
    warn(`and ${evidence.unobserved.length - 5} more pictures without an observation`);
}

/** What each quirk that applies is worth: F1 by definition, and crop-recall@k. */
async function f1Quirks(
  images: readonly ImageEvidence[],
  rule: AcceptanceRule,
  { threshold, seed, ks }: { threshold: number | null; seed: number | string; ks: number[] },
): Promise<QuirkEffect[]> {
  const lowIsBetter = rule.better === "lower";
  return quirkEffects(
    lowIsBetter ? ["suppressionOrder", "equalScores"] : ["equalScores"],
    (rules) => {
      const own = { ...rule, rules };
      const name = (metric: string) => ({ metric, unit: "ratio", better: "higher" }) as const;
      return [
        ...f1Definitions.map((d) =>
          named(name(`F1 ${d}`), plainF1(images, d, own, { threshold, seed })),
        ),
        ...cropRecall(images, ks, own).map((score, i) =>
          named(name(`crop-recall@${ks[i]}`), score),
        ),
      ];
    },
  );
}

/** The evidence, from its own file or from truth and observations. */
async function evidenceOf(options: Options): Promise<Evidence> {
  if (options.evidence === undefined) return gatherEvidence(options);
  const given = (
    [
      ["truth", "--truth"],
      ["observations", "--observations"],
      ["exact", "--exact"],
      ["exactIndex", "--exact-index"],
      ["oracle", "--oracle"],
      ["oracleExact", "--oracle-exact"],
      ["unknownLabel", "--unknown-label"],
      ["byFileName", "--by-file-name"],
      ["allowMissing", "--allow-missing"],
    ] as const
  ).find(([name]) => options[name] !== undefined);
  if (given)
    throw new UserError({
      code: "bad-option",
      message: `--evidence and ${given[1]} exclude each other`,
      fix: "an evidence file holds it all",
    });
  return readEvidence(options.evidence);
}

function evidenceName(file: string): string {
  if (/\.(json|arrow)$/.test(file)) return file;
  throw new UserError({
    code: "bad-option",
    message: "--write-evidence takes a file ending in .json or .arrow",
    found: file,
  });
}

/** What F1, crop-recall and the open-set curves see of it. */
interface ScoredEvidence {
  readonly images: readonly ImageEvidence[];
  readonly unobserved: readonly { readonly image: string; readonly why: string }[];
}

function scoredEvidence({ images }: Evidence): ScoredEvidence {
  return {
    images: images.map(({ image, truth, unknown, crops }) => ({
      image,
      truth,
      unknown,
      recognitions: crops.map(({ box, found }) => ({
        box,
        label: found?.label ?? null,
        score: found?.score ?? 0,
      })),
    })),
    unobserved: images.flatMap(({ image, unobserved }) =>
      unobserved === null ? [] : [{ image, why: unobserved }],
    ),
  };
}

type Losses = Waterfall & { readonly threshold: number; readonly success: "label" | "box" };

const noExact =
  "no exact neighbours were given (--exact, --exact-index), so that what the index lost " +
  "counts as lost by the embedding";
const noOracleExact = "no exact neighbours of the truth boxes were given (--oracle-exact)";

function lossesOf(
  { images, exact, oracleExact }: Evidence,
  rule: AcceptanceRule,
  success: "label" | "box",
  threshold: number | null,
  bootstrap: BootstrapOptions,
): Losses | { readonly why: string } {
  if (threshold === null)
    return { why: "no threshold was given, and the calibration half gives none" };
  const crops = images.map(({ image, truth, crops: found, oracle }) => ({
    image,
    truth,
    crops: found,
    ...(oracle && { oracle }),
  }));
  const lacking = {
    ...(!exact && { exact: noExact }),
    ...(!oracleExact && { oracleExact: noOracleExact }),
  };
  return {
    ...waterfall(crops, { ...rule, threshold, success }, { ...bootstrap, lacking }),
    threshold,
    success,
  };
}

function countsOf({ images, unobserved }: ScoredEvidence): Record<string, number> {
  const sum = (of: (i: (typeof images)[number]) => number): number =>
    images.reduce((s, i) => s + of(i), 0);
  return {
    images: images.length,
    distractorImages: images.filter((i) => i.truth.length === 0).length,
    objects: sum((i) => i.truth.length),
    unknownObjects: sum((i) => i.unknown?.length ?? 0),
    labels: new Set(images.flatMap((i) => i.truth.map((t) => t.label))).size,
    crops: sum((i) => i.recognitions.length),
    unobserved: unobserved.length,
  };
}

function printF1(
  evidence: ScoredEvidence,
  definitions: readonly {
    definition: F1Definition;
    name: string;
    heldOut: HeldOutF1;
    atThreshold: F1Result | null;
  }[],
  threshold: number | null,
): void {
  const c = countsOf(evidence);
  print(
    `${c.images} pictures (${c.distractorImages} without gallery objects), ${c.objects} ` +
      `objects of ${c.labels} labels, ${c.unknownObjects} unknown objects, ${c.crops} crops\n`,
  );
  print(
    `F1 of each half at the threshold that is best on the other, mean of ` +
      `${definitions[0]!.heldOut.splits} splits:`,
  );
  const right = { align: "right" } as const;
  const intervals = definitions.map(({ heldOut: { f1 } }) =>
    f1.value === null ? null : f1.interval,
  );
  print(
    table(
      [
        { head: "" },
        { head: "definition" },
        { head: "threshold", ...right },
        { head: "F1", ...right },
        { head: levelsText(intervals), ...right },
        ...(threshold === null ? [] : [{ head: `F1 of all at ${threshold}`, ...right }]),
      ],
      definitions.map(({ definition, name, heldOut: h, atThreshold }) => {
        return [
          definition,
          name,
          h.threshold === null ? null : number(h.threshold),
          value(h.f1),
          interval(h.f1),
          ...(atThreshold ? [shown(scoreOf(atThreshold))] : []),
        ];
      }),
    ),
  );
  for (const why of new Set(definitions.flatMap(({ heldOut: h }) => reasons(h.f1))))
    print(`-: ${why}`);
  for (const {
    definition,
    heldOut: { f1 },
  } of definitions) {
    if (f1.value !== null && f1.whyNoInterval !== undefined)
      print(`${definition}: no interval: ${f1.whyNoInterval}`);
  }
}

function printOpenSet(
  unit: "picture" | "crop",
  curve: OpenSetCurve,
  advice: readonly ThresholdAdvice[],
): void {
  if (curve.distractors === 0) return;
  print(
    `\nRefusing the unknown, a query a ${unit}: ${curve.known} known, ${curve.distractors} ` +
      `distractors, AUROC ${shown(curve.auroc)}`,
  );
  print(
    table(
      [
        { head: "false accepts at most", align: "right" },
        { head: "threshold", align: "right" },
        { head: "false accepts", align: "right" },
        { head: "identified", align: "right" },
      ],
      advice.map((a) => [
        a.targetFar,
        a.threshold === null ? null : number(a.threshold),
        shown(a.far),
        shown(a.identified),
      ]),
    ),
  );
  for (const why of new Set(advice.flatMap((a) => (a.why === undefined ? [] : [a.why]))))
    print(`-: ${why}`);
}

function printWaterfall({ shares, counts, counterfactuals, threshold, success }: Losses): void {
  print(
    `\nWhere objects are lost, at threshold ${number(threshold)}, recognised by ` +
      `${success === "label" ? "label alone" : "label and box"}:`,
  );
  print(
    table(
      [
        { head: "stage" },
        { head: "objects", align: "right" },
        { head: "share", align: "right" },
        { head: "meaning" },
      ],
      lossStages.map((stage) => [
        stage,
        shares[stage].value === null ? null : counts[stage],
        shown(shares[stage]),
        lossMeanings[stage],
      ]),
    ),
  );
  print("\nWhat would be recognised:");
  print(
    table(
      [{ head: "if" }, { head: "share", align: "right" }, { head: "gain", align: "right" }],
      counterfactuals.map((c) => [c.name, shown(c.recall), shown(c.gain)]),
    ),
  );
  for (const why of new Set(
    [...Object.values(shares), ...counterfactuals.map((c) => c.recall)].flatMap(reasons),
  ))
    print(`-: ${why}`);
}

function value(score: Score): string | null {
  return score.value === null ? null : score.value.toFixed(4);
}

function interval(score: Score): string | null {
  return score.value === null || score.interval === null
    ? null
    : `${score.interval.low.toFixed(3)} to ${score.interval.high.toFixed(3)}`;
}

/** Value with its interval. */
function shown(score: Score): string {
  if (score.value === null) return "-";
  return score.interval === null
    ? score.value.toFixed(4)
    : `${score.value.toFixed(4)} (${interval(score)})`;
}

function reasons(score: Score): string[] {
  return score.value === null ? [score.why] : [];
}

/** Scores as they come: distances are whole, similarities are not. */
function number(score: number): string {
  return Number.isInteger(score) ? String(score) : score.toFixed(4);
}

function printLabels(labels: readonly LabelF1[]): void {
  const right = (head: string) => ({ head, align: "right" as const });
  const rows = labels.map((l) => [l.label, l.tp, l.fp, l.fn, l.f1.toFixed(4)]);
  const heads = [
    { head: "label" },
    right("right"),
    right("too much"),
    right("missed"),
    right("F1"),
  ];
  print(`\n${table(heads, rows)}`);
  const shown = labels.filter((l) => l.shown);
  const mean = shown.reduce((sum, l) => sum + l.f1, 0) / shown.length;
  if (shown.length > 0)
    print(`mean over the ${shown.length} labels that pictures show (D): ${mean.toFixed(4)}`);
}

function fraction(option: string, text: string): number {
  const n = finite(option, text.trim());
  if (n >= 0 && n < 1) return n;
  throw new UserError({
    code: "bad-option",
    message: `${option} takes a number from 0 to below 1`,
    found: text,
  });
}
