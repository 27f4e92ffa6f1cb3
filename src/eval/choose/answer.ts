import { faissBuild, faissBuildDetails } from "../../pipeline/index/engine.js";
import { isCodes, rowCount } from "../../pipeline/types.js";
import { availableParallelism } from "node:os";
import type { ChoiceOptions } from "./choice-options.js";
import type { ChoiceOutcome } from "./choose.js";
import { paretoFront } from "./front.js";
import { growthOf, sizesUpTo, type Growth } from "./growth/growth.js";
import type { LimitCheck, Limits } from "./limits.js";
import type { Judged } from "./pick.js";
import { pointName, valueOf, type Figures, type Parameters, type Point } from "./point.js";
import { snippetsOf, type Snippets } from "./snippets.js";
import { dataWarnings, pickWarnings, type Warning } from "./warnings.js";
import type { WhyNot } from "./why-not.js";

/** A point as an answer tells it. */
export interface PointAnswer {
  readonly name: string;
  readonly family: string;
  readonly engine: string;
  readonly factory: string;
  readonly codes: "real" | "sign";
  /** Set before vectors are added. */
  readonly buildParameters: Parameters;
  readonly parameters: Parameters;
  readonly size: number;
  readonly figures: Figures;
  /** In batches, by the number of threads; empty where only all were tried. */
  readonly throughput: Point["throughput"];
  readonly removable: boolean;
  readonly standing: LimitCheck["verdict"];
  readonly missed: readonly LimitCheck[];
  readonly onFront: boolean;
}

export interface FamilyAnswer {
  readonly family: string;
  readonly because: WhyNot["because"];
  /** One sentence. */
  readonly why: string;
  readonly best: PointAnswer | null;
}

/** The whole answer: what `shitu choose --json` prints, and a record keeps. */
export interface ChoiceAnswer {
  readonly schema: 1;
  readonly gallery: {
    readonly name: string;
    readonly vectors: number;
    readonly dim: number;
    readonly kind: "real" | "binary";
    readonly metric: string;
    readonly queries: number;
    readonly heldOut: boolean;
    readonly labelled: boolean;
  };
  readonly k: number;
  readonly limits: Limits;
  readonly faiss: string;
  readonly threads: number;
  /** Null where nothing keeps the limits: `nearest` then says what comes close. */
  readonly pick: PointAnswer | null;
  /** Whether the pick keeps its limits over the whole of its intervals. */
  readonly sure: boolean;
  readonly runnerUp: PointAnswer | null;
  readonly nearest: readonly PointAnswer[];
  readonly families: readonly FamilyAnswer[];
  readonly front: readonly string[];
  readonly points: readonly PointAnswer[];
  /** Points on smaller samples of the gallery. */
  readonly smaller: readonly PointAnswer[];
  readonly growth: Growth | null;
  /** Sizes beyond the gallery's own that were filled with drawn vectors, and why no further. */
  readonly beyond: { readonly sizes: readonly number[]; readonly why: string | null } | null;
  readonly snippets: Snippets | null;
  readonly warnings: readonly Warning[];
  readonly budgetMs: number;
  readonly spentMs: number;
}

export interface AnswerInput {
  readonly options: ChoiceOptions;
  readonly outcome: ChoiceOutcome;
  /** What was seen while the files were read. */
  readonly warnings: readonly Warning[];
}

export function answerOf({ options, outcome, warnings }: AnswerInput): ChoiceAnswer {
  const { data, limits, k } = options;
  const { rows } = data.gallery;
  const dim = isCodes(rows) ? rows.bits : rows.dim;
  const points = outcome.judged.map((j) => j.point);
  const front = frontOf(points);
  const told = (j: Judged): PointAnswer => pointAnswer(j, front);
  const picked = outcome.pick?.point ?? null;
  const faiss = faissBuildDetails()?.version ?? "0.0.0";
  const { growTo } = options;
  const sizes = growTo === undefined ? [] : sizesUpTo(rowCount(rows), growTo);
  return {
    schema: 1,
    gallery: galleryOf(options),
    k,
    limits,
    faiss: faissBuild(),
    threads: availableParallelism(),
    pick: outcome.pick && told(outcome.pick),
    sure: outcome.sure,
    runnerUp: outcome.runnerUp && told(outcome.runnerUp),
    nearest: outcome.nearest.map(told),
    families: outcome.why.map((why) => familyAnswer(why, told)),
    front: front.map(pointName),
    points: outcome.judged.map(told),
    smaller: outcome.smallerJudged.map(told),
    growth: picked && growthOf(pointsOfAllSizes(outcome), picked, dim, sizes),
    beyond: outcome.beyond && {
      sizes: outcome.beyond.points.map((p) => p.size),
      why: outcome.beyond.why,
    },
    snippets: picked && snippetsOf(picked, dim, data.metric),
    warnings: [
      ...warnings,
      ...dataWarnings(data, outcome.similarNeighbours),
      ...pickWarnings(outcome.pick, points, faiss),
    ],
    budgetMs: options.budgetMs,
    spentMs: outcome.spentMs,
  };
}

function pointsOfAllSizes({ judged, smaller, beyond }: ChoiceOutcome): Point[] {
  return [...judged.map((j) => j.point), ...smaller, ...(beyond?.points ?? [])];
}

function galleryOf({ data }: ChoiceOptions): ChoiceAnswer["gallery"] {
  const { gallery, sweepQueries, finalQueries, heldOut, metric, name } = data;
  const { rows, labels } = gallery;
  return {
    name,
    vectors: rowCount(rows),
    dim: isCodes(rows) ? rows.bits : rows.dim,
    kind: isCodes(rows) ? "binary" : "real",
    metric,
    queries: rowCount(sweepQueries.rows) + rowCount(finalQueries.rows),
    heldOut,
    labelled: labels !== null && sweepQueries.labels !== null,
  };
}

/** By neighbour recall and the median time of a query. */
export function frontOf(points: readonly Point[]): Point[] {
  return paretoFront(points, {
    recall: (p) => valueOf(p, "neighbourRecall") ?? 0,
    cost: (p) => valueOf(p, "p50Ms") ?? Infinity,
  });
}

function pointAnswer({ point, checks, standing }: Judged, front: readonly Point[]): PointAnswer {
  const { setting, factory, parameters, size, figures, throughput, removable } = point;
  return {
    name: pointName(point),
    family: setting.family,
    engine: setting.engine,
    factory,
    codes: setting.codes,
    buildParameters: setting.build,
    parameters,
    size,
    figures,
    throughput,
    removable,
    standing,
    missed: checks.filter((c) => c.verdict !== "met").map(finite),
    onFront: front.includes(point),
  };
}

/** JSON has no infinity: what is beyond reach has no share by which it is missed. */
function finite(check: LimitCheck): LimitCheck {
  return { ...check, excess: Math.min(check.excess, Number.MAX_SAFE_INTEGER) };
}

function familyAnswer(why: WhyNot, told: (j: Judged) => PointAnswer): FamilyAnswer {
  const { family, because } = why;
  const best = because === "not-measured" ? null : told(why.best);
  return { family, because, why: sentenceOf(why), best };
}

/** Why a family is not the pick, in one sentence. */
function sentenceOf(why: WhyNot): string {
  switch (why.because) {
    case "picked":
      return "the pick";
    case "not-measured":
      return why.why;
    case "slower":
      return why.timesAsLong >= 1
        ? `keeps every limit, but takes ${why.timesAsLong.toPrecision(3)} times as long`
        : "keeps every limit, but is less sure to";
    case "sample-only":
      return `keeps the limits on a sample of ${why.best.point.size}; ${why.why}`;
    case "limits":
      return why.missed.map(missedLimit).join("; ");
  }
}

function missedLimit({ what, needs, found, verdict, excess, unit }: LimitCheck): string {
  if (unit === "flag") return "cannot remove entries";
  if (found === null) return `${what}: not measured`;
  const by = `${(100 * excess).toPrecision(2)}%`;
  const numbers = `${short(found)} for ${short(needs)}`;
  if (verdict === "unsure" && excess === 0) return `${what} ${numbers}: too close to be sure`;
  return `${what} ${numbers}, missed by ${by}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
