import { formatValue } from "./format.js";
import { recallCurve, type RankedCase } from "./model-pairs.js";
import {
  codesOf,
  known,
  labelValues,
  scoreOf,
  whiskers,
  type CompletedCell,
  type RecordView,
} from "./record-view.js";
import { roleOf } from "./series.js";

/** One cell a model and set: with exact search where there is one, real codes before binary. */
export function oneCellEach(all: readonly CompletedCell[]): CompletedCell[] {
  const rank = (cell: CompletedCell): number =>
    (/(^|B)Flat$/.test(cell.labels.index ?? "") ? 0 : 2) + (codesOf(cell) === "real" ? 0 : 1);
  const found = new Map<string, CompletedCell>();
  for (const cell of [...all].sort((a, b) => rank(a) - rank(b))) {
    const key = JSON.stringify([cell.labels.model, cell.labels.dataset]);
    if (!found.has(key)) found.set(key, cell);
  }
  return [...found.values()];
}

/** The models, those without training last. */
export function modelOrder(cells: readonly CompletedCell[]): string[] {
  const untrained = (model: string): number => Number(roleOf(model) === "baseline");
  return labelValues(cells, "model").sort((a, b) => untrained(a) - untrained(b));
}

export interface RecallRow {
  readonly model: string;
  readonly dataset: string;
  readonly recall: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
  readonly text: string;
}

/** recall@1 of each cell that has it. */
export function recallRows(cells: readonly CompletedCell[]): RecallRow[] {
  return cells.flatMap((cell) => {
    const score = known(scoreOf(cell, "recall@1"));
    if (score === undefined) return [];
    const { model = "", dataset = "" } = cell.labels;
    const { low, high } = whiskers(score);
    const text = formatValue(score.value, "ratio");
    return [{ model, dataset, recall: score.value, low, high, n: score.n, text }];
  });
}

/** What is on the map, and which model does best over the most sets. */
export function recallSentence(rows: readonly RecallRow[]): string {
  const models = [...new Set(rows.map(({ model }) => model))];
  const sets = new Set(rows.map(({ dataset }) => dataset)).size;
  const means = models.map((model) => {
    const own = rows.filter((row) => row.model === model).map(({ recall }) => recall);
    return { model, sets: own.length, mean: own.reduce((a, b) => a + b, 0) / own.length };
  });
  const best = means.sort((a, b) => b.sets - a.sets || b.mean - a.mean)[0];
  if (best === undefined) return "Nothing was measured.";
  const mean = formatValue(best.mean, "ratio");
  const tells =
    sets > 1
      ? `Over its ${best.sets} sets, ${best.model} has the highest mean, ${mean}.`
      : `${best.model} has the highest, ${mean}.`;
  return `${counted(models.length, "model")} on ${counted(sets, "data set")}. ${tells}`;
}

const counted = (n: number, one: string): string => `${n} ${one}${n === 1 ? "" : "s"}`;

export interface DepthRow {
  readonly model: string;
  readonly k: number;
  readonly recall: number;
  readonly n: number;
}

/** recall@k of the cells of one set: the recorded k, and those between counted from its cases. */
export function depthRows(
  cells: readonly CompletedCell[],
  ranked: readonly RankedCase[],
): DepthRow[] {
  return cells.flatMap((cell) => {
    const { model = "" } = cell.labels;
    const scored = recordedDepths(cell);
    const most = Math.min(20, Math.max(1, ...scored.map(({ k }) => k)));
    const own = ranked.filter((row) => row.cell === cell.id);
    const counted = scored.length > 0 ? recallCurve(own, most) : [];
    const between = agree(scored, counted)
      ? counted.filter(({ k }) => !scored.some((s) => s.k === k))
      : [];
    return [...scored, ...between].map((d) => ({ model, ...d })).sort((a, b) => a.k - b.k);
  });
}

type Depth = Omit<DepthRow, "model">;

function recordedDepths({ scores }: CompletedCell): Depth[] {
  return scores.flatMap((score) => {
    const k = /^recall@(\d+)$/.exec(score.metric)?.[1];
    if (k === undefined || score.value === null) return [];
    if (Object.keys(score.of ?? {}).length > 0) return [];
    return [{ k: Number(k), recall: score.value, n: score.n }];
  });
}

/** Ties are scored by their expected place, so that the two may differ a little, but no more. */
function agree(scored: readonly Depth[], counted: readonly Depth[]): boolean {
  return counted.every(({ k, recall }) => {
    const score = scored.find((s) => s.k === k);
    return score === undefined || Math.abs(score.recall - recall) < 0.03;
  });
}

/** The models with cases of their queries: the general or plain one first, then the broadest. */
export function comparableModels(
  cells: readonly CompletedCell[],
  rows: readonly { readonly cell: string }[],
): string[] {
  const judged = new Set(rows.map(({ cell }) => cell));
  const breadth = (model: string): number =>
    (/general$|plain/.test(model) && !/server/.test(model) ? 1000 : 0) +
    cells
      .filter((cell) => cell.labels.model === model)
      .reduce((sum, cell) => sum + 10 + (known(scoreOf(cell, "recall@1"))?.value ?? 0), 0);
  return modelOrder(cells.filter(({ id }) => judged.has(id))).sort(
    (a, b) => breadth(b) - breadth(a),
  );
}

/** Whether a record keeps what pairs of models are compared by. */
export const keepsCases = (record: RecordView | null): boolean =>
  record !== null && record.cases.shown > 0;
