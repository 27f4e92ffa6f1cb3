import { pairOutcomes, type PairedDifference } from "./paired.js";
import { codesOf, labelValues, type CompletedCell } from "./record-view.js";

/** Pairs of models that the paper asks about: who is compared with whom, on one data set each. */

export type PairKind = "specialist" | "distilled" | "int8" | "server";

export interface ModelPair {
  readonly kind: PairKind;
  readonly first: CompletedCell;
  readonly second: CompletedCell;
  /** Of a specialist: whether the set is the one that it was trained for. */
  readonly own: boolean;
}

const letters = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");

/** `special-goods` on mini-goods; ResNet50_vd Aliproduct on Aliproduct. */
function isOwnSet(cell: CompletedCell): boolean {
  const set = letters((cell.labels.dataset ?? "").replace(/^mini-/, ""));
  const theirs = letters(cell.labels.paperDataset ?? "");
  return (
    letters(cell.labels.model ?? "").endsWith(set) ||
    (theirs !== "" && letters(cell.labels.paperModel ?? "").endsWith(theirs))
  );
}

/** The pairs that one record holds, over real vectors and exact search where it has that. */
export function modelPairs(all: readonly CompletedCell[]): ModelPair[] {
  const cells = all.filter((cell) => codesOf(cell) === "real");
  const of = (model: string, dataset: string): CompletedCell | undefined =>
    cells.find((c) => c.labels.model === model && c.labels.dataset === dataset);
  const models = labelValues(cells, "model");
  const general =
    models.find((m) => /general$/.test(m) && !/server/.test(m)) ??
    models.find((m) => /general/.test(m) && !/int8|server/.test(m));
  const against = (model: string): { kind: PairKind; first: string } | null => {
    const plain = /-(?:u-)?dml(-\d+)?$/.exec(model);
    if (plain) {
      const first = model.replace(/-(?:u-)?dml(-\d+)?$/, "-plain$1");
      return models.includes(first) ? { kind: "distilled", first } : null;
    }
    if (/-int8$/.test(model)) {
      const base = model.replace(/-int8$/, "");
      const first = models.includes(base) ? base : general;
      return first === undefined ? null : { kind: "int8", first };
    }
    if (/^speciali?s?t?[ -]/.test(model) && general !== undefined)
      return { kind: "specialist", first: general };
    if (/server/.test(model) && general !== undefined) return { kind: "server", first: general };
    return null;
  };
  return models.flatMap((model) => {
    const pair = against(model);
    if (pair === null || pair.first === model) return [];
    return labelValues(cells, "dataset").flatMap((dataset): ModelPair[] => {
      const [first, second] = [of(pair.first, dataset), of(model, dataset)];
      return first && second
        ? [{ kind: pair.kind, first, second, own: pair.kind === "specialist" && isOwnSet(second) }]
        : [];
    });
  });
}

/** Which items each cell got right, from rows of outcomes. */
export function hitsByCell(
  rows: readonly { readonly cell: string; readonly item: string; readonly outcome: string }[],
): Map<string, Map<string, boolean>> {
  const cells = new Map<string, Map<string, boolean>>();
  for (const { cell, item, outcome } of rows) {
    if (outcome === "none") continue; // not judged: a timed picture, or a query without an answer
    let hits = cells.get(cell);
    if (hits === undefined) cells.set(cell, (hits = new Map()));
    hits.set(item, outcome === "hit");
  }
  return cells;
}

/** The second less the first on the items that both judged. */
export function pairDifference(
  { first, second }: Pick<ModelPair, "first" | "second">,
  hits: ReadonlyMap<string, ReadonlyMap<string, boolean>>,
  level?: number,
): PairedDifference | null {
  const [a, b] = [hits.get(first.id), hits.get(second.id)];
  return a && b ? pairOutcomes(a, b, level) : null;
}

export interface RankedCase {
  readonly cell: string;
  readonly outcome: string;
  readonly rank: number;
}

/**
 * Share of a cell's queries whose first positive is among the first k, for k from 1 to the deepest
 * place that the cases know. A rank of -1 says that no positive was among the neighbours kept.
 */
export function recallCurve(
  rows: readonly RankedCase[],
  depth: number,
): { k: number; recall: number; n: number }[] {
  const judged = rows.filter((row) => row.outcome !== "none");
  return judged.length === 0
    ? []
    : Array.from({ length: depth }, (_, i) => ({
        k: i + 1,
        recall: judged.filter((row) => row.rank >= 0 && row.rank <= i).length / judged.length,
        n: judged.length,
      }));
}
