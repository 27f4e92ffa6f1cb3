import {
  cellName,
  known,
  labelValues,
  scoreOf,
  valueOf,
  whiskers,
  type CompletedCell,
  type RecordView,
} from "./record-view.js";
import { roleOf } from "./series.js";

/** Detection cells as the rows that their page draws. */

/** AP of each model and data set. */
export function apPoints(cells: readonly CompletedCell[]) {
  return cells.flatMap((cell) => {
    const score = known(scoreOf(cell, "AP"));
    if (score === undefined) return [];
    const { dataset: name = "", model: group = "" } = cell.labels;
    return [{ name, group, value: score.value, ...whiskers(score), n: score.n }];
  });
}

export const everySet = "every data set";

/** The sets that a reader may choose among: all together first, where there are several. */
export function setChoices(cells: readonly CompletedCell[]): string[] {
  const sets = labelValues(cells, "dataset");
  return sets.length > 1 ? [everySet, ...sets] : sets;
}

export function cellsOfSet(
  cells: readonly CompletedCell[],
  chosen: string | null,
): CompletedCell[] {
  return cells.filter((cell) => chosen === everySet || cell.labels.dataset === chosen);
}

/** The curves that the record holds: "precision", or "precision at IoU 0.50". */
export function curveNames(record: RecordView | null): string[] {
  const names = Object.values(record?.curves ?? {})
    .filter(({ recall }) => (recall?.length ?? 0) > 1)
    .flatMap((curve) => Object.keys(curve));
  return [...new Set(names.filter((name) => name.startsWith("precision")))];
}

export interface CurveRow {
  readonly name: string;
  readonly recall: number;
  readonly precision: number;
  readonly sets: number;
}

/** A curve a model: over several sets their mean precision at each recall. */
export function meanCurves(
  record: RecordView,
  cells: readonly CompletedCell[],
  curve: string,
): CurveRow[] {
  return labelValues(cells, "model").flatMap((name) => {
    const own = cells
      .filter((cell) => cell.labels.model === name)
      .flatMap(({ id }) => {
        const { recall, [curve]: precision } = record.curves[id] ?? {};
        return recall && precision ? [{ recall, precision }] : [];
      });
    const [first] = own;
    if (first === undefined) return [];
    return first.recall.map((recall, i) => ({
      name,
      recall,
      precision: mean(own.map(({ precision }) => precision[i]!)),
      sets: own.length,
    }));
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** AP50 that mending one kind of error of a model would win. */
export interface ErrorLoss {
  readonly name: string;
  readonly error: string;
  readonly loss: number;
  /** Errors of the kind; null where the record holds only what they cost. */
  readonly count: number | null;
  readonly n: number;
}

export interface ErrorLosses {
  readonly rows: readonly ErrorLoss[];
  /** Judged on the boxes that cases keep, not on all of them. */
  readonly fromCases: boolean;
  /** No error of class can be made. */
  readonly oneClass: boolean;
}

/** The mean over the sets, by model and kind of error; models without training are left out. */
export function errorLosses(
  record: RecordView | null,
  cells: readonly CompletedCell[],
): ErrorLosses {
  if (record === null) return { rows: [], fromCases: false, oneClass: false };
  const fromCases = cells.every((cell) => recordedLosses(cell).length === 0);
  const classes = cells.map(({ id }) => record.errorTypes[id]?.classes ?? 1);
  const oneClass = fromCases && classes.every((count) => count === 1);
  const alone = labelValues(cells, "model").length === 1;
  const losses = cells
    .filter((cell) => alone || roleOf(cell.labels.model ?? "") !== "baseline")
    .flatMap((cell) => {
      const recorded = recordedLosses(cell);
      const name = cell.labels.model ?? cellName(cell, cells);
      const own = recorded.length > 0 ? recorded : judgedLosses(record, cell);
      return own.map((loss) => ({ name, ...loss }));
    })
    .filter(({ error }) => !(oneClass && error === "classification"));
  return { rows: meanLosses(losses), fromCases, oneClass };
}

type Loss = Omit<ErrorLoss, "name">;

function recordedLosses({ scores }: CompletedCell): Loss[] {
  return scores.flatMap((score) => {
    const error = score.of?.error;
    if (error === undefined || score.value === null) return [];
    return [{ error, loss: score.value, count: null, n: score.n }];
  });
}

function judgedLosses({ errorTypes }: RecordView, { id }: CompletedCell): Loss[] {
  const { types = [], pictures: n = 0 } = errorTypes[id] ?? {};
  return types.flatMap(({ type: error, loss, count }) =>
    loss === null || error === "both" ? [] : [{ error, loss, count, n }],
  );
}

function meanLosses(losses: readonly ErrorLoss[]): ErrorLoss[] {
  const groups = new Map<string, ErrorLoss[]>();
  for (const loss of losses) {
    const key = JSON.stringify([loss.name, loss.error]);
    groups.set(key, [...(groups.get(key) ?? []), loss]);
  }
  return [...groups.values()].map((group) => ({
    ...group[0]!,
    loss: mean(group.map(({ loss }) => loss)),
    count: group.some(({ count }) => count === null)
      ? null
      : group.reduce((sum, { count }) => sum + count!, 0),
    n: group.reduce((sum, { n }) => sum + n, 0),
  }));
}

/** The kind of error that costs most in the mean of the models. */
export function worstError(rows: readonly ErrorLoss[]): string | null {
  const errors = [...new Set(rows.map(({ error }) => error))].map((error) => ({
    error,
    loss: mean(rows.filter((row) => row.error === error).map(({ loss }) => loss)),
  }));
  return errors.sort((a, b) => b.loss - a.loss)[0]?.error ?? null;
}

/** What a model is worth and costs, in the mean of its data sets. */
export interface DetectorTrade {
  readonly name: string;
  readonly ap: number;
  readonly bytes: number;
  readonly mib: number;
  readonly ms: number;
  readonly sets: number;
}

export function detectorTrade(cells: readonly CompletedCell[]): DetectorTrade[] {
  return labelValues(cells, "model").flatMap((name) => {
    const own = cells
      .filter((cell) => cell.labels.model === name)
      .flatMap((cell) => {
        const [ap, bytes] = [valueOf(cell, "AP"), valueOf(cell, "model-size")];
        const ms = valueOf(cell, "latency");
        return ap === null || bytes === null || ms === null ? [] : [{ ap, bytes, ms }];
      });
    if (own.length === 0) return [];
    const bytes = mean(own.map((d) => d.bytes));
    const [ap, ms] = [mean(own.map((d) => d.ap)), mean(own.map((d) => d.ms))];
    return [{ name, ap, bytes, mib: bytes / 2 ** 20, ms, sets: own.length }];
  });
}
