import { writeAtomic } from "../../pipeline/atomic-file.js";
import { UserError } from "../../pipeline/errors.js";
import type { BootstrapOptions } from "../../eval/stats/bootstrap.js";
import { cropRecall } from "../../eval/metrics/f1-crop-recall.js";
import type { AcceptanceRule } from "../../eval/metrics/f1-evidence.js";
import { sweepF1, thinned } from "../../eval/metrics/f1-sweep.js";
import { f1Definitions, f1Names, type F1Definition } from "../../eval/metrics/f1-tally.js";
import { f1At, heldOutF1, scoreOf, type F1Result, type HeldOutF1 } from "../../eval/metrics/f1.js";
import { adviseThreshold, openSetCrops, openSetCurve, openSetQueries, type OpenSetCurve, type ThresholdAdvice } from "../../eval/metrics/threshold.js";
import { waterfall, type Waterfall } from "../../eval/metrics/waterfall.js";
import { cropsOf, lossMeanings, lossStages, type Neighbour } from "../../eval/metrics/waterfall-evidence.js";
import { joinEvidence, readObservations, readTruth, type ObservedImage, type QueryEvidence } from "../../eval/query-evidence.js";
import type { Score } from "../../eval/types.js";
import { choice, finite, whole } from "../options.js";
import { print, printJson, table, warn } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options {
  readonly truth: string;
  readonly observations: string;
  readonly exact?: string;
  readonly exactIndex?: true;
  readonly better: string;
  readonly protocol: string;
  readonly threshold?: string;
  readonly suppressIou: string;
  readonly unknownLabel?: string[];
  readonly far: string;
  readonly interval: string;
  readonly resamples: string;
  readonly seed: string;
  readonly curves?: string;
  readonly byFileName?: true;
  readonly allowMissing?: true;
  readonly json?: true;
}

export const verb: Verb = {
  build(command) {
    command
      .description("Score recognitions of whole pictures: F1 by four definitions, crop-recall@k, thresholds for unknown objects, and where objects are lost.")
      .requiredOption("--truth <file>", 'JSON: { "images": [{ "image", "objects": [{ "label", "box": [x0, y0, x1, y1] }] }] }, a label of null being an object that the gallery lacks; or a COCO annotation file, whose category names are the labels')
      .requiredOption("--observations <file>", "what `shitu recognize --json` prints, or one observation a line (.jsonl)")
      .option("--better <which>", "which scores are better: higher (inner product) or lower (Hamming or L2 distance)", "higher")
      .option("--threshold <s>", "also score all pictures at this threshold, as a run had it")
      .option("--suppress-iou <r>", "overlap above which the lesser of two recognitions is dropped", "0.05")
      .option("--protocol <name>", "standard or paddleclas", "standard")
      .option("--unknown-label <label...>", "labels of objects that the gallery lacks")
      .option("--exact-index", "the index was exhaustive: adds the loss waterfall")
      .option("--exact <file>", "observations of the same crops with an exhaustive index: adds the loss waterfall")
      .option("--far <list>", "false-accept rates to find thresholds for", "0.01,0.05,0.1")
      .option("--interval <method>", "bootstrap over pictures: bca or percentile (the macro average always has the jackknife's)", "bca")
      .option("--resamples <n>", "bootstrap resamples", "2000")
      .option("--seed <n>", "seed of the halves and of the bootstrap", "0")
      .option("--curves <file>", "write the curves as JSON")
      .option("--by-file-name", "compare file names only, without folders")
      .option("--allow-missing", "count objects of pictures without an observation as missed")
      .option("--json", "print one JSON document")
      .action((options: Options) => run(options));
  },
};

async function run(options: Options): Promise<void> {
  const better = choice("--better", options.better, ["higher", "lower"]);
  const rule: AcceptanceRule = { better, suppressIou: fraction("--suppress-iou", options.suppressIou), protocol: choice("--protocol", options.protocol, ["standard", "paddleclas"]) };
  const method = choice("--interval", options.interval, ["bca", "percentile"]);
  const bootstrap: BootstrapOptions = { method, resamples: whole("--resamples", options.resamples, 2), seed: whole("--seed", options.seed, 0) };
  const targets = options.far.split(",").map((part) => fraction("--far", part));
  const threshold = options.threshold === undefined ? null : finite("--threshold", options.threshold);
  if (options.exact !== undefined && options.exactIndex) throw new UserError({ code: "bad-option", message: "--exact and --exact-index exclude each other", fix: "give one of them" });

  const evidence = joinEvidence(await readTruth(options.truth, options.unknownLabel ?? []), await readObservations(options.observations), { truth: options.truth, observations: options.observations }, options);
  const { images } = evidence;
  const definitions = f1Definitions.map((definition) => ({
    definition, name: f1Names[definition],
    heldOut: heldOutF1(images, definition, rule, bootstrap),
    atThreshold: threshold === null ? null : f1At(images, definition, rule, threshold, bootstrap),
  }));
  const ks = [1, 2, 3, 5];
  const crops = cropRecall(images, ks, rule).map((score, i) => ({ k: ks[i]!, ...score }));
  const openSet = (["picture", "crop"] as const).map((unit) => {
    const curve = openSetCurve(unit === "picture" ? openSetQueries(images, better) : openSetCrops(images), better);
    return { unit, curve, advice: targets.map((far) => adviseThreshold(curve, far)) };
  });
  const exact = options.exact === undefined ? null : await readObservations(options.exact);
  const losses = exact || options.exactIndex ? lossesOf(evidence, exact, options, rule, threshold ?? definitions[1]!.heldOut.threshold, bootstrap) : null;

  if (options.curves !== undefined) {
    const curves = { schema: 1, f1: Object.fromEntries(f1Definitions.map((d) => [d, sweepF1(images, d, rule)])), openSet: Object.fromEntries(openSet.map((o) => [o.unit, o.curve.points])) };
    await writeAtomic(options.curves, `${JSON.stringify(curves)}\n`);
  }
  if (options.json) {
    printJson({
      schema: 1, rule, bootstrap, counts: countsOf(evidence), definitions, cropRecall: crops,
      // The whole curves are what --curves is for.
      openSet: openSet.map(({ unit, curve, advice }) => ({ unit, known: curve.known, distractors: curve.distractors, auroc: curve.auroc, advice })),
      curves: Object.fromEntries(f1Definitions.map((d) => [d, thinned(sweepF1(images, d, rule), 60)])),
      waterfall: losses, unobserved: evidence.unobserved,
    });
    return;
  }
  printF1(evidence, definitions, threshold);
  print(`\ncrop-recall@k, before threshold and suppression: ${crops.map((c) => `@${c.k} ${shown(c)}`).join(" · ")}`);
  for (const { unit, curve, advice } of openSet) printOpenSet(unit, curve, advice);
  if (losses) printWaterfall(losses);
  for (const { image, why } of evidence.unobserved.slice(0, 5)) warn(`${image}: ${why}; its objects count as missed`);
  if (evidence.unobserved.length > 5) warn(`and ${evidence.unobserved.length - 5} more pictures without an observation`);
}

type Losses = Waterfall & { readonly threshold: number };

function lossesOf(evidence: QueryEvidence, exact: readonly ObservedImage[] | null, options: Options, rule: AcceptanceRule, threshold: number | null, bootstrap: BootstrapOptions): Losses | null {
  if (threshold === null) {
    warn("no waterfall: no threshold was given, and the calibration half gives none");
    return null;
  }
  const byImage = new Map(exact?.map((o) => [o.image, o]));
  const crops = evidence.images.map(({ image, truth }, i) => {
    const observed = evidence.observed[i];
    if (!observed) return { image, truth, crops: [] };
    return cropsOf(observed, truth, exact ? exactNeighbours(observed, byImage.get(observed.image), options.exact!) : undefined);
  });
  return { ...waterfall(crops, { ...rule, threshold, success: "label" }, bootstrap), threshold };
}

function exactNeighbours(observed: ObservedImage, exact: ObservedImage | undefined, file: string): (Neighbour | null)[] {
  if (!exact) throw new UserError({ code: "observation-missing", message: "lacks a picture of --observations", file, found: `nothing for ${observed.image}`, fix: "recognise the same pictures with both indexes" });
  const place = ({ box: b }: ObservedImage["recognitions"][number]): string => [b.x0, b.y0, b.x1, b.y1].join(" ");
  const found = new Map<string, Neighbour | null>(exact.recognitions.map((r) => [place(r), r.label === null ? null : { label: r.label, score: r.score }]));
  return observed.recognitions.map((r) => {
    const neighbour = found.get(place(r));
    if (neighbour === undefined) throw new UserError({ code: "crops-differ", message: "has other crops than --observations", file, path: observed.image, expected: `a crop at ${place(r)}`, fix: "use the same detector, models and settings with both indexes" });
    return neighbour;
  });
}

function countsOf({ images, unobserved }: QueryEvidence): Record<string, number> {
  const sum = (of: (i: (typeof images)[number]) => number): number => images.reduce((s, i) => s + of(i), 0);
  return {
    images: images.length, distractorImages: images.filter((i) => i.truth.length === 0).length, objects: sum((i) => i.truth.length),
    unknownObjects: sum((i) => i.unknown?.length ?? 0), labels: new Set(images.flatMap((i) => i.truth.map((t) => t.label))).size, crops: sum((i) => i.recognitions.length), unobserved: unobserved.length,
  };
}

function printF1(evidence: QueryEvidence, definitions: readonly { definition: F1Definition; name: string; heldOut: HeldOutF1; atThreshold: F1Result | null }[], threshold: number | null): void {
  const c = countsOf(evidence);
  print(`${c.images} pictures (${c.distractorImages} without gallery objects), ${c.objects} objects of ${c.labels} labels, ${c.unknownObjects} unknown objects, ${c.crops} crops\n`);
  const { heldOut } = definitions[0]!;
  print(`F1 at the threshold that is best on ${heldOut.calibrationImages} pictures, measured on the other ${c.images! - heldOut.calibrationImages}:`);
  const right = { align: "right" } as const;
  print(table(
    [{ head: "" }, { head: "definition" }, { head: "threshold", ...right }, { head: "F1", ...right }, { head: "95%", ...right }, { head: "precision", ...right }, { head: "recall", ...right },
      ...(threshold === null ? [] : [{ head: `F1 of all at ${threshold}`, ...right }])],
    definitions.map(({ definition, name, heldOut: h, atThreshold }) => {
      const point = "point" in h.test ? h.test.point : null;
      const rate = (r: number | null | undefined): string | null => (typeof r === "number" ? r.toFixed(4) : null);
      return [
        definition, name, h.threshold === null ? null : number(h.threshold), value(scoreOf(h.test)), interval(scoreOf(h.test)), rate(point?.precision), rate(point?.recall),
        ...(atThreshold ? [shown(scoreOf(atThreshold))] : []),
      ];
    }),
  ));
  for (const why of new Set(definitions.flatMap(({ heldOut: h }) => reasons(scoreOf(h.test))))) print(`-: ${why}`);
  for (const { definition, heldOut: { test } } of definitions) {
    if ("f1" in test && test.f1.value !== null && test.f1.why !== undefined) print(`${definition}: no interval: ${test.f1.why}`);
  }
}

function printOpenSet(unit: "picture" | "crop", curve: OpenSetCurve, advice: readonly ThresholdAdvice[]): void {
  if (curve.distractors === 0) return;
  print(`\nRefusing the unknown, a query a ${unit}: ${curve.known} known, ${curve.distractors} distractors, AUROC ${shown(curve.auroc)}`);
  print(table(
    [{ head: "false accepts at most", align: "right" }, { head: "threshold", align: "right" }, { head: "false accepts", align: "right" }, { head: "identified", align: "right" }],
    advice.map((a) => [a.targetFar, a.threshold === null ? null : number(a.threshold), shown(a.far), shown(a.identified)]),
  ));
  for (const why of new Set(advice.flatMap((a) => (a.why === undefined ? [] : [a.why])))) print(`-: ${why}`);
}

function printWaterfall({ shares, counts, counterfactuals, threshold }: Losses): void {
  print(`\nWhere objects are lost, at threshold ${number(threshold)}:`);
  print(table(
    [{ head: "stage" }, { head: "objects", align: "right" }, { head: "share", align: "right" }, { head: "meaning" }],
    lossStages.map((stage) => [stage, counts[stage], shown(shares[stage]), lossMeanings[stage]]),
  ));
  print("\nWhat would be recognised:");
  print(table(
    [{ head: "if" }, { head: "share", align: "right" }, { head: "gain", align: "right" }],
    counterfactuals.filter((c) => c.recall.value !== null).map((c) => [c.name, shown(c.recall), shown(c.gain)]),
  ));
  const lacking = counterfactuals.find((c) => c.name === "oracle boxes" && c.recall.value === null);
  if (lacking) print("oracle boxes: not among observations on file; an experiment runs them");
}

function value(score: Score): string | null {
  return score.value === null ? null : score.value.toFixed(4);
}

function interval(score: Score): string | null {
  return score.value === null || score.ci === null ? null : `${score.ci[0].toFixed(3)} to ${score.ci[1].toFixed(3)}`;
}

/** Value with its interval. */
function shown(score: Score): string {
  if (score.value === null) return "-";
  return score.ci === null ? score.value.toFixed(4) : `${score.value.toFixed(4)} (${interval(score)})`;
}

function reasons(score: Score): string[] {
  return score.value === null ? [score.why] : [];
}

/** Scores as they come: distances are whole, similarities are not. */
function number(score: number): string {
  return Number.isInteger(score) ? String(score) : score.toFixed(4);
}

function fraction(option: string, text: string): number {
  const n = finite(option, text.trim());
  if (n >= 0 && n < 1) return n;
  throw new UserError({ code: "bad-option", message: `${option} takes a number from 0 to below 1`, found: text });
}
