// oracle/: two models and some pictures in; the mistake in the chain around the graph that explains
// their difference out. It never sees the graph's inside.
import type { Pixels, Progress } from "../../../pipeline/types.js";
import {
  chainOf,
  sameStage,
  stages,
  withStage,
  type Chain,
  type StageName,
} from "../chain/chain.js";
import type { ChainAnswer, ChainRunner } from "../chain/runner.js";
import { likeness, mean } from "./likeness.js";
import { corrections, type Correction } from "./mistakes.js";

/** One explanation that was tried. */
export interface Attempt {
  readonly fault: string;
  readonly stage: StageName;
  readonly with: string;
  readonly wrong: string;
  /** Mean likeness to the baseline's answers: 1 is equal. */
  readonly likeness: number;
}

export interface StageSwap {
  readonly stage: StageName;
  /** Likeness of the candidate with the baseline's stage in place of its own. */
  readonly likeness: number;
  /** Share of the loss that this stage alone explains. */
  readonly explains: number;
}

export interface OracleResult {
  /** Likeness of the candidate as its card says. */
  readonly asGiven: number;
  readonly stages: readonly StageSwap[];
  /** The first stage that explains at least half of the loss; null where none does. */
  readonly firstStage: StageName | null;
  /** Every mistake that was tried, the best first. */
  readonly attempts: readonly Attempt[];
  /** What explains the loss; null where nothing does. Two where one alone is half the story. */
  readonly answer: readonly Attempt[];
  readonly corrected: Chain | null;
  readonly correctedLikeness: number;
}

export interface OracleSides {
  readonly baseline: ChainRunner;
  readonly candidate: ChainRunner;
}

/** A loss smaller than this is what a change of its kind brings, and asks for no explanation. */
export interface OracleOptions {
  readonly tolerance: number;
  readonly progress: Progress;
}

/** An explanation must undo so much of the loss. */
const enough = 0.5;

/** Pictures that explanations are weeded out on before the rest are looked at. */
const weeding = 4;

/**
 * Explains why a candidate's answers are not the baseline's: stage by stage with the baseline's
 * settings, and by the usual mistakes. All are tried on few pictures, the best on all of them.
 */
export async function askOracle(
  sides: OracleSides,
  pictures: readonly Pixels[],
  { tolerance, progress }: OracleOptions,
): Promise<OracleResult> {
  const { baseline, candidate } = sides;
  const own = chainOf(candidate.card);
  const wanted = await answersOf(baseline, pictures, chainOf(baseline.card));
  const judge = async (chain: Chain, most = pictures.length): Promise<number> => {
    const list = pictures.slice(0, most);
    const answers = await answersOf(candidate, list, chain);
    return mean(answers.map((answer, i) => likeness(wanted[i]!, answer)));
  };
  const asGiven = await judge(own);
  const loss = 1 - asGiven;
  const nothing = { asGiven, stages: [], firstStage: null, attempts: [], answer: [] };
  if (loss <= tolerance) return { ...nothing, corrected: null, correctedLikeness: asGiven };
  const swaps = await swapStages(sides, pictures, { wanted, judge, loss });
  const tried = await tryAll(corrections(own, candidate.card.task), judge, progress);
  const found = await explain(tried, asGiven, tolerance, judge);
  return {
    asGiven,
    stages: swaps,
    firstStage: swaps.find((s) => s.explains >= enough)?.stage ?? null,
    attempts: tried.map(attemptOf),
    ...found,
  };
}

type Judge = (chain: Chain, most?: number) => Promise<number>;
type Tried = Correction & { readonly likeness: number };

async function answersOf(
  runner: ChainRunner,
  pictures: readonly Pixels[],
  chain: Chain,
): Promise<ChainAnswer[]> {
  const answers: ChainAnswer[] = [];
  for (const picture of pictures) answers.push(await runner.answer(picture, chain));
  return answers;
}

async function swapStages(
  { baseline, candidate }: OracleSides,
  pictures: readonly Pixels[],
  by: { readonly wanted: readonly ChainAnswer[]; readonly judge: Judge; readonly loss: number },
): Promise<StageSwap[]> {
  const [theirs, own] = [chainOf(baseline.card), chainOf(candidate.card)];
  const swaps: StageSwap[] = [];
  for (const stage of Object.keys(stages) as StageName[]) {
    let found: number;
    if (stage === "model") {
      const answers = await answersOf(baseline, pictures, own);
      found = mean(answers.map((answer, i) => likeness(by.wanted[i]!, answer)));
    } else if (sameStage(own, theirs, stage)) continue;
    else found = await by.judge(withStage(own, stage, theirs));
    const explains = Math.max(0, (found - (1 - by.loss)) / by.loss);
    swaps.push({ stage, likeness: found, explains });
  }
  return swaps;
}

async function tryAll(list: Correction[], judge: Judge, progress: Progress): Promise<Tried[]> {
  const weeded: Tried[] = [];
  for (const [i, correction] of list.entries()) {
    weeded.push({ ...correction, likeness: await judge(correction.chain, weeding) });
    progress(i + 1, list.length);
  }
  weeded.sort((a, b) => b.likeness - a.likeness);
  const best: Tried[] = [];
  for (const attempt of weeded.slice(0, 5)) {
    best.push({ ...attempt, likeness: await judge(attempt.chain) });
  }
  return [...best.sort((a, b) => b.likeness - a.likeness), ...weeded.slice(5)];
}

/** The best explanation, and a second one on top where the first leaves more than is usual. */
async function explain(
  tried: readonly Tried[],
  asGiven: number,
  tolerance: number,
  judge: Judge,
): Promise<Pick<OracleResult, "answer" | "corrected" | "correctedLikeness">> {
  const first = tried[0];
  const loss = 1 - asGiven;
  if (!first || first.likeness - asGiven < enough * loss) {
    const pair = await explainByTwo(tried, asGiven, judge);
    return pair ?? { answer: [], corrected: null, correctedLikeness: asGiven };
  }
  const left = 1 - first.likeness;
  if (left <= tolerance) return answered([first], first.chain, first.likeness);
  const second = await bestOnTop(first, tried, judge);
  if (second && second.likeness - first.likeness >= enough * left) {
    return answered([first, second], second.chain, second.likeness);
  }
  return answered([first], first.chain, first.likeness);
}

/** Two mistakes that only together explain the loss, from the most promising ones. */
async function explainByTwo(tried: readonly Tried[], asGiven: number, judge: Judge) {
  for (const first of tried.slice(0, 3)) {
    if (first.likeness <= asGiven) continue;
    const second = await bestOnTop(first, tried, judge);
    if (second && second.likeness - asGiven >= 0.8 * (1 - asGiven)) {
      return answered([first, second], second.chain, second.likeness);
    }
  }
  return null;
}

async function bestOnTop(
  first: Tried,
  tried: readonly Tried[],
  judge: Judge,
): Promise<Tried | null> {
  let best: Tried | null = null;
  for (const other of tried) {
    if (other.stage === first.stage) continue;
    const settings = stages[other.stage].map((key) => [key, other.chain[key]]);
    const chain = { ...first.chain, ...(Object.fromEntries(settings) as Partial<Chain>) };
    const found = await judge(chain, weeding);
    if (found > (best?.likeness ?? 0)) best = { ...other, chain, likeness: found };
  }
  return best && { ...best, likeness: await judge(best.chain) };
}

function answered(list: readonly Tried[], corrected: Chain, correctedLikeness: number) {
  return { answer: list.map(attemptOf), corrected, correctedLikeness };
}

function attemptOf({ fault, stage, with: by, wrong, likeness: found }: Tried): Attempt {
  return { fault, stage, with: by, wrong, likeness: found };
}
