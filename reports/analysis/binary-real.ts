import { bestBinary } from "./headline.js";
import type { PairedDifference } from "./paired.js";
import { pairOutcomes } from "./paired.js";
import {
  codesOf,
  completedCells,
  known,
  labelValues,
  scoreOf,
  tieBand,
  valueOf,
  whiskers,
  type CompletedCell,
  type RecordView,
} from "./record-view.js";

/** Retrieval cells with binary codes beside those with real vectors, as rows to draw. */

export function hasBothCodes(record: RecordView): boolean {
  return new Set(completedCells(record, "retrieval").map(codesOf)).size === 2;
}

/** The models that have binary codes, the one that keeps most of its recall first. */
export function binaryModels(cells: readonly CompletedCell[]): string[] {
  const names = labelValues(
    cells.filter((cell) => codesOf(cell) === "binary"),
    "model",
  );
  const best = bestBinary(cells)?.binary;
  return names.sort((a, b) => Number(b === best) - Number(a === best));
}

/** A model in an index: means over its data sets. */
export interface CodesTrade {
  readonly name: string;
  readonly model: string;
  readonly index: string;
  readonly codes: "real" | "binary";
  /** recall@1. */
  readonly recall: number;
  readonly bytes: number;
  readonly kib: number;
  /** Time of a query, null where none was measured. */
  readonly ms: number | null;
  readonly sets: number;
}

export function codesTrade(cells: readonly CompletedCell[]): CodesTrade[] {
  const groups = new Map<string, CompletedCell[]>();
  for (const cell of cells) {
    if (valueOf(cell, "recall@1") === null || valueOf(cell, "index-size") === null) continue;
    const { model, index, nprobe, efSearch } = cell.labels;
    const key = JSON.stringify([model, index, nprobe, efSearch]);
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  const kinds = new Set(
    [...groups.values()].map(([cell]) => (cell!.labels.index ?? "").replace(/^B/, "")),
  );
  return [...groups.values()].map((group) => tradeOf(group, kinds.size > 1));
}

function tradeOf(group: readonly CompletedCell[], several: boolean): CodesTrade {
  const [first] = group;
  const { model = "", index = "" } = first!.labels;
  const values = (metric: string): number[] => group.flatMap((c) => valueOf(c, metric) ?? []);
  const bytes = mean(values("index-size"));
  const times = values("retrieval-time");
  return {
    name: several ? `${model} ${index}` : model,
    model,
    index,
    codes: codesOf(first!),
    recall: mean(values("recall@1")),
    bytes,
    kib: bytes / 1024,
    ms: times.length > 0 ? mean(times) : null,
    sets: group.length,
  };
}

const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

/** The exact searches of one data set: what the codes cost, not what an approximate index adds. */
export interface CodesPair {
  readonly dataset: string;
  readonly real: CompletedCell;
  readonly binary: CompletedCell;
}

export function codesPairs(cells: readonly CompletedCell[], model: string | null): CodesPair[] {
  return labelValues(cells, "dataset").flatMap((dataset) => {
    const pick = (codes: "real" | "binary"): CompletedCell | undefined =>
      cells
        .filter((c) => c.labels.dataset === dataset && codesOf(c) === codes)
        .filter((c) => codes === "real" || c.labels.model === model)
        .sort((a, b) => Number(isFlat(b)) - Number(isFlat(a)))[0];
    const [real, binary] = [pick("real"), pick("binary")];
    return real && binary ? [{ dataset, real, binary }] : [];
  });
}

const isFlat = ({ labels: { index = "" } }: CompletedCell): boolean =>
  /Flat$/.test(index) && !index.includes("IVF");

/** recall@1 of both, a mark each, by data set. */
export function pairDots(pairs: readonly CodesPair[]) {
  return pairs.flatMap(({ dataset, ...pair }) =>
    (["real", "binary"] as const).flatMap((group) => {
      const score = known(scoreOf(pair[group], "recall@1"));
      if (score === undefined) return [];
      return [{ name: dataset, group, value: score.value, ...whiskers(score), n: score.n }];
    }),
  );
}

/** recall@1 of the codes in the worst, the expected and the best order of equal distances. */
export interface TieRow extends NonNullable<ReturnType<typeof tieBand>> {
  readonly dataset: string;
}

export function tieRows(pairs: readonly CodesPair[]): TieRow[] {
  return pairs.flatMap(({ dataset, binary }) => {
    const band = tieBand(binary);
    return band ? [{ dataset, ...band }] : [];
  });
}

export function widestTie(rows: readonly TieRow[]): TieRow | undefined {
  const width = (row: TieRow): number => row.optimistic - row.pessimistic;
  return [...rows].sort((a, b) => width(b) - width(a))[0];
}

export interface JudgedQuery {
  readonly cell: string;
  readonly item: string;
  readonly truth: string | null;
  readonly outcome: string;
}

export interface ClassLoss {
  readonly label: string;
  readonly n: number;
  /** Queries right with real vectors, and with binary codes. */
  readonly real: number;
  readonly binary: number;
  readonly lost: number;
}

/** The difference over all queries that both answered, and the classes that lose, worst first. */
export function codesLosses(
  rows: readonly JudgedQuery[],
  { real, binary }: CodesPair,
  level: number,
): { readonly whole: PairedDifference | null; readonly losers: ClassLoss[] } {
  const of = (cell: CompletedCell) =>
    new Map(rows.filter((r) => r.cell === cell.id).map((r) => [r.item, r.outcome === "hit"]));
  const [first, second] = [of(real), of(binary)];
  const counts = new Map<string, { n: number; real: number; binary: number }>();
  for (const { cell, item, truth } of rows) {
    if (cell !== binary.id || !first.has(item)) continue;
    const count = counts.get(truth ?? "") ?? { n: 0, real: 0, binary: 0 };
    count.n++;
    count.real += Number(first.get(item));
    count.binary += Number(second.get(item));
    counts.set(truth ?? "", count);
  }
  const losers = [...counts]
    .map(([label, c]) => ({ label, ...c, lost: c.real - c.binary }))
    .filter(({ lost }) => lost > 0)
    .sort((a, b) => b.lost - a.lost || b.lost / b.n - a.lost / a.n);
  return { whole: pairOutcomes(first, second, level), losers };
}
