import type { Task } from "../../pipeline/model/card.js";
import type { Pixels, Progress } from "../../pipeline/types.js";
import { changeBetween, type Change } from "./change.js";
import { chainOf, type Chain } from "./chain/chain.js";
import { ChainRunner } from "./chain/runner.js";
import type { ContenderModel } from "./contender.js";
import { compareLayers, type Divergence, type LayerAgreement } from "./layers/divergence.js";
import { rankQuantisedLayers, type QuantisedLayer } from "./layers/int8-layers.js";
import { nameFault, type LayerFault } from "./layers/name-fault.js";
import { sampleScore, type SampledPicture } from "./oracle/sample.js";
import { askOracle, type OracleResult } from "./oracle/oracle.js";
import { UserError } from "../../pipeline/errors.js";
import type { StageName } from "./chain/chain.js";

/** What a diagnosis found, in words that stand alone. */
export interface Diagnosis {
  /** One sentence: what is wrong, or that nothing was found. */
  readonly sentence: string;
  /** The mistake or fault by its name; null where nothing was found or none could be named. */
  readonly fault: string | null;
  /** The stage that it is in. */
  readonly stage: StageName | null;
  /** Whether the candidate answers as the baseline does, up to what its kind of change brings. */
  readonly healthy: boolean;
  readonly change: Change;
  readonly pictures: number;
  /** The task's score on the labelled pictures, where there are some. */
  readonly scores: SampleScores | null;
  readonly oracle: Omit<OracleResult, "corrected">;
  readonly layers: LayerReport | null;
  /** Why layers could not be compared; null where they were. */
  readonly layersWhy: string | null;
  /** The layers that lose most by quantisation, the worst first; empty where none is quantised. */
  readonly quantised: readonly QuantisedLayer[];
}

export interface SampleScores {
  readonly metric: string;
  readonly baseline: number;
  /** Of the candidate as its card says, and as the answer would have it (null without one). */
  readonly candidate: number;
  readonly corrected: number | null;
}

export interface LayerReport {
  readonly matched: number;
  readonly unmatched: { readonly baseline: number; readonly candidate: number };
  readonly floorDb: number;
  readonly first: LayerRow | null;
  readonly fault: LayerFault | null;
  /** In the order of computation. */
  readonly rows: readonly LayerRow[];
}

export interface LayerRow {
  readonly op: string;
  readonly baseline: string;
  readonly candidate: string;
  readonly shape: readonly number[];
  /** Null where the value holds no signal, or numbers that are not finite. */
  readonly db: number | null;
}

/** An explanation that leaves no more than this of the loss is the whole of it. */
const mostLeft = 0.02;

/** What is left of a perfect likeness by each kind of change alone. */
const tolerances: Readonly<Record<Change, number>> = {
  same: 1e-5,
  fp16: 0.01,
  int8: 0.12,
  retrained: 0.5,
};

/** Boxes move and change their order by int8 more than vectors turn. */
function toleranceOf(change: Change, task: Task): number {
  return change === "int8" && task === "detection" ? 0.25 : tolerances[change];
}

/** Pictures whose inner values are compared. */
const traced = 4;

export interface DiagnosisOptions {
  readonly change?: Change;
  readonly progress?: Progress;
}

/**
 * Finds where a candidate parts from its baseline: stage by stage, by the usual mistakes, and layer
 * by layer.
 *
 * @param sample decoded pictures, at least one; some dozens are enough.
 * @returns the diagnosis, and the chain that mends it where a chain does.
 */
export async function diagnose(
  pair: { readonly baseline: ContenderModel; readonly candidate: ContenderModel },
  sample: readonly SampledPicture[],
  { change: given, progress = () => undefined }: DiagnosisOptions = {},
): Promise<{ diagnosis: Diagnosis; corrected: Chain | null }> {
  const pictures = sample.map(({ pixels }) => pixels);
  if (pictures.length === 0) {
    throw new UserError({
      code: "no-pictures",
      message: "there is no picture to look at",
      fix: "give --image or --data",
    });
  }
  const change = given ?? changeBetween(pair.baseline.onnx, pair.candidate.onnx);
  const runners = {
    baseline: await ChainRunner.open(pair.baseline),
    candidate: await ChainRunner.open(pair.candidate),
  };
  try {
    const tolerance = toleranceOf(change, pair.candidate.card.task);
    const { corrected, ...oracle } = await askOracle(runners, pictures, { tolerance, progress });
    const inner = await innerValues(pair, runners, pictures.slice(0, traced), change);
    const quantised =
      inner.divergence && change === "int8"
        ? await rankQuantisedLayers(inner.divergence, inner.feeds)
        : [];
    const layers = inner.divergence && reportOf(inner.divergence);
    const scores = await scoresOf(runners, sample, corrected);
    const parts = { oracle, layers, tolerance, scores };
    return {
      diagnosis: {
        ...conclude(parts),
        change,
        pictures: pictures.length,
        scores,
        oracle,
        layers,
        layersWhy: inner.why,
        quantised,
      },
      corrected,
    };
  } finally {
    await runners.baseline.close();
    await runners.candidate.close();
  }
}

interface InnerValues {
  readonly divergence: Divergence | null;
  readonly feeds: Parameters<typeof compareLayers>[1];
  readonly why: string | null;
}

/** Both graphs on the baseline's tensors: what differs then is in the graph. */
async function innerValues(
  pair: { readonly baseline: ContenderModel; readonly candidate: ContenderModel },
  runners: { readonly baseline: ChainRunner; readonly candidate: ChainRunner },
  pictures: readonly Pixels[],
  change: Change,
): Promise<InnerValues> {
  const chain = chainOf(pair.baseline.card);
  const own = chainOf(pair.candidate.card);
  if (chain.width !== own.width || chain.height !== own.height) {
    return { divergence: null, feeds: [], why: "the two take pictures of different sizes" };
  }
  if (pair.baseline.card.input.layout !== pair.candidate.card.input.layout) {
    return { divergence: null, feeds: [], why: "the two take tensors of different layouts" };
  }
  const feeds = pictures.map((pixels) => ({
    baseline: runners.baseline.feeds(pixels, chain).feeds,
    candidate: runners.candidate.feeds(pixels, chain).feeds,
  }));
  try {
    const models = { baseline: pair.baseline.onnx, candidate: pair.candidate.onnx };
    return { divergence: await compareLayers(models, feeds, change), feeds, why: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { divergence: null, feeds, why: error.message };
  }
}

function reportOf(divergence: Divergence): LayerReport {
  const { layers, unmatched, first, floorDb, missing } = divergence;
  const lost = missing.find((step) => step.op === "Sigmoid");
  const fault =
    first === null && lost
      ? { fault: "missing-sigmoid", why: "the candidate ends before the sigmoid" }
      : nameFault(divergence);
  return {
    matched: layers.length,
    unmatched: { baseline: unmatched.baseline.length, candidate: unmatched.candidate.length },
    floorDb,
    first: first && rowOf(first),
    fault,
    rows: layers.map(rowOf),
  };
}

function rowOf({ baseline, candidate, shape, db }: LayerAgreement): LayerRow {
  return { op: baseline.op, baseline: baseline.output, candidate: candidate.output, shape, db };
}

interface Parts {
  readonly scores: SampleScores | null;
  readonly oracle: Omit<OracleResult, "corrected">;
  readonly layers: LayerReport | null;
  readonly tolerance: number;
}

type Conclusion = Pick<Diagnosis, "sentence" | "fault" | "stage" | "healthy">;

/**
 * Names of a layer's fault that only say that it differs: an explanation by the oracle says more.
 */
const vague = new Set([
  "layer-differs",
  "wrong-attribute",
  "constant-changed",
  "operator-changed",
  "weights-changed",
]);

function conclude({ oracle, layers, tolerance, scores }: Parts): Conclusion {
  const left = 1 - oracle.correctedLikeness;
  const solved = oracle.answer.length > 0 && left <= Math.max(tolerance, mostLeft);
  const fault = layers?.fault ?? null;
  const same = oracle.answer[0]?.fault === fault?.fault;
  if (solved && (fault === null || same || vague.has(fault.fault))) return byOracle(oracle, scores);
  if (fault && layers) return byLayers(fault, layers, oracle);
  if (oracle.answer.length > 0) return byOracle(oracle, scores);
  const like = oracle.asGiven.toFixed(4);
  if (1 - oracle.asGiven <= tolerance) {
    const sentence = `nothing found: the candidate answers as the baseline does (likeness ${like})`;
    return { sentence, fault: null, stage: null, healthy: true };
  }
  const stage = oracle.firstStage;
  const where = stage ? `; the first stage that explains it is ${stage}` : "";
  const sentence =
    `the candidate's answers differ (likeness ${like}), ` + `by none of the usual mistakes${where}`;
  return { sentence, fault: null, stage, healthy: false };
}

function byOracle(
  { answer, correctedLikeness, asGiven }: Parts["oracle"],
  scores: SampleScores | null,
): Conclusion {
  const by = answer.map((a) => a.with).join(" and ");
  const wrong = answer.map((a) => a.wrong).join(", and ");
  const likeness = [correctedLikeness, asGiven].map((v) => v.toFixed(4)).join(" for ");
  const like = `its likeness to the baseline is ${likeness}`;
  const task =
    scores === null || scores.corrected === null
      ? ""
      : ` and it reaches ${scores.metric} ${short(scores.corrected)} of ` +
        `${short(scores.baseline)}, for ${short(scores.candidate)} as given`;
  const sentence = `with ${by} ${like}${task}: ${wrong}`;
  return { sentence, fault: answer[0]!.fault, stage: answer[0]!.stage, healthy: false };
}

const short = (share: number): string => share.toFixed(3).replace(/^0/, "");

async function scoresOf(
  { baseline, candidate }: { readonly baseline: ChainRunner; readonly candidate: ChainRunner },
  sample: readonly SampledPicture[],
  corrected: Chain | null,
): Promise<SampleScores | null> {
  if (sample.every(({ label, objects }) => label === null && objects === null)) return null;
  const score = async (runner: ChainRunner, chain: Chain) => {
    const answers = [];
    for (const { pixels } of sample) answers.push(await runner.answer(pixels, chain));
    return sampleScore(sample, answers);
  };
  const own = chainOf(candidate.card);
  const first = await score(baseline, chainOf(baseline.card));
  if (first === null) return null;
  const mended = corrected && (await score(candidate, corrected));
  return {
    metric: first.metric,
    baseline: first.value,
    candidate: (await score(candidate, own))?.value ?? 0,
    corrected: mended && mended.value,
  };
}

function byLayers(
  { fault, why }: LayerFault,
  { first, floorDb }: LayerReport,
  { asGiven }: Parts["oracle"],
): Conclusion {
  const at = first ? `at ${first.op} (${first.candidate}), ` : "";
  const db =
    first?.db === null || !first ? "" : `${first.db.toFixed(1)} dB where ${floorDb} are usual; `;
  const like = asGiven.toFixed(4);
  const sentence = `the graphs part ${at}${db}${why} (likeness of the answers ${like})`;
  return { sentence, fault, stage: "model", healthy: false };
}
