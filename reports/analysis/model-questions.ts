import { modelPairs, pairDifference, type ModelPair, type PairKind } from "./model-pairs.js";
import { completedCells, recordsWith, type CompletedCell, type RecordView } from "./record-view.js";
import { roleOf } from "./series.js";

/** What the paper asks of models: who is compared with whom, and what comes out. */

type Hits = ReadonlyMap<string, ReadonlyMap<string, boolean>>;
export type Asked = Exclude<PairKind, "server">;

export interface Question {
  readonly kind: Asked;
  readonly record: RecordView;
  readonly pairs: readonly ModelPair[];
}

/** Each question from the given record, or from the first other one that holds such pairs. */
export function questionsOf(record: RecordView | null, all: readonly RecordView[]): Question[] {
  if (record === null) return [];
  const others = recordsWith(all, "retrieval").filter((r) => r !== record);
  const found = [record, ...others]
    .filter(({ cases }) => cases.shown > 0)
    .map((r) => ({ record: r, pairs: modelPairs(completedCells(r, "retrieval")) }));
  return (["specialist", "distilled", "int8"] as const).flatMap((kind) => {
    const from = found.find(({ pairs }) => pairs.some((p) => p.kind === kind));
    if (from === undefined) return [];
    return [{ kind, record: from.record, pairs: from.pairs.filter((p) => p.kind === kind) }];
  });
}

/** A difference of recall@1 on the same queries. */
export interface Gain {
  readonly name: string;
  readonly group: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

const ownSet = "on its own set";
export const specialistGroups = [ownSet, "on another's"] as const;

/** The second of each pair less the first. Specialists are grouped by whose set it is. */
export function questionGains({ kind, record, pairs }: Question, hits: Hits): Gain[] {
  return pairs.flatMap((pair) => {
    const paired = pairDifference(pair, hits, record.experiment.intervals.level);
    if (paired === null) return [];
    const { dataset: name = "", model = "" } = pair.second.labels;
    const group = kind === "specialist" ? specialistGroups[pair.own ? 0 : 1] : model;
    const { difference: value, low, high, n } = paired;
    return [{ name, group, value, low, high, n }];
  });
}

/** All trained models less one of them, set by set. */
export function gainsAgainst(
  record: RecordView,
  cells: readonly CompletedCell[],
  baseline: string,
  hits: Hits,
): Gain[] {
  const others = cells.filter(({ labels: { model = "" } }) => model !== baseline);
  return others.flatMap((second) => {
    const { model = "", dataset = "" } = second.labels;
    const first = cells.find((c) => c.labels.model === baseline && c.labels.dataset === dataset);
    if (first === undefined || roleOf(model) === "baseline") return [];
    const paired = pairDifference({ first, second }, hits, record.experiment.intervals.level);
    if (paired === null) return [];
    const { difference: value, low, high, n } = paired;
    return [{ name: dataset, group: model, value, low, high, n }];
  });
}

export interface GainCounts {
  readonly of: number;
  readonly better: number;
  readonly worse: number;
  /** Their intervals hold none. */
  readonly open: number;
}

export function countGains(gains: readonly Gain[]): GainCounts {
  const better = gains.filter(({ low }) => low > 0).length;
  const worse = gains.filter(({ high }) => high < 0).length;
  return { of: gains.length, better, worse, open: gains.length - better - worse };
}

export interface QuestionText {
  readonly title: string;
  /** What is taken from what. */
  readonly of: string;
  readonly tell: (gains: readonly Gain[]) => string;
}

export const questionTexts: Readonly<Record<Asked, QuestionText>> = {
  specialist: {
    title: "The specialist of a set against the one general model",
    of: "specialist less general",
    tell: specialistSentence,
  },
  distilled: {
    title: "Distillation: mutual learning against plain training",
    of: "distilled less plain",
    tell: (gains) => {
      const { of, better, worse, open } = countGains(gains);
      return `Of ${of} comparisons ${better} are gains, ${worse} losses, ${open} cannot be told.`;
    },
  },
  int8: {
    title: "int8 against floats",
    of: "int8 less float",
    tell: (gains) => {
      const mean = gains.reduce((sum, { value }) => sum + value, 0) / gains.length;
      const change = `${mean > 0 ? "+" : "−"}${Math.abs(mean).toFixed(3)}`;
      return (
        `int8 changes recall@1 by ${change} in the mean of ${gains.length} ` +
        `${gains.length === 1 ? "set" : "sets"}; ${countGains(gains).open} of the differences ` +
        "cannot be told from none."
      );
    },
  },
};

function specialistSentence(gains: readonly Gain[]): string {
  const own = countGains(gains.filter(({ group }) => group === ownSet));
  const others = countGains(gains.filter(({ group }) => group !== ownSet));
  const first =
    own.of === 0
      ? ""
      : `On its own set the specialist is better in ${own.better} of ${own.of}, ` +
        `the general model in ${own.worse}. `;
  return (
    `${first}On the sets of others the specialist is better in ${others.better} of ` +
    `${others.of}, the general model in ${others.worse}.`
  );
}
