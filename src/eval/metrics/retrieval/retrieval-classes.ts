import { defaultIntervals } from "../../stats/interval-plan.js";
import { wilsonInterval } from "../../stats/proportion.js";
import { measured, undefinedScore } from "../../stats/score.js";
import type { Score } from "../../types.js";
import { headlineOrder, type RetrievalEvidence } from "./ranking.js";

/** How the queries of one label fare. */
export interface ClassScore {
  readonly label: string;
  /** Queries of the label, with and without a valid positive. */
  readonly queries: number;
  /** Gallery items of the label. */
  readonly galleryItems: number;
  readonly recallAt1: Score;
  readonly meanAveragePrecision: Score;
}

/** A label taken for another by the first neighbour. */
export interface Confusion {
  readonly label: string;
  readonly predicted: string;
  readonly count: number;
  /** Queries of the label that have a valid positive. */
  readonly queries: number;
}

/**
 * The label of each query's best valid neighbour (of tied ones the smallest row); null where the
 * gallery leaves none.
 */
export function predictions({ labels, top, topRows }: RetrievalEvidence): (string | null)[] {
  return Array.from(labels.query, (_, q) => {
    const row = topRows[q * top]!;
    return row < 0 ? null : labels.names[labels.gallery[row]!]!;
  });
}

/**
 * recall@1 and mAP of each label that has queries, in the order of first appearance. Labels without
 * an answerable query say why they have no value.
 */
export function classScores(
  evidence: RetrievalEvidence,
  level = defaultIntervals.level,
): ClassScore[] {
  const { labels, positives } = evidence;
  const values = evidence.values[headlineOrder(evidence)]!;
  const first = firstHits(evidence);
  const sums = labels.names.map(() => ({
    queries: 0,
    answered: 0,
    hits: 0,
    averagePrecision: 0,
    galleryItems: 0,
  }));
  for (const label of labels.gallery) sums[label]!.galleryItems++;
  const seen = new Set<number>();
  labels.query.forEach((label, q) => {
    seen.add(label);
    const sum = sums[label]!;
    sum.queries++;
    if (positives[q] === 0) return;
    sum.answered++;
    sum.hits += first[q]!;
    sum.averagePrecision += values.of.mAP![q]!;
  });
  return [...seen].map((label) => {
    const { queries, answered, hits, averagePrecision, galleryItems } = sums[label]!;
    const none = undefinedScore("no query of this label has a valid positive in the gallery");
    return {
      label: labels.names[label]!,
      queries,
      galleryItems,
      recallAt1:
        answered === 0
          ? none
          : measured(hits / answered, answered, wilsonInterval(hits, answered, level)),
      meanAveragePrecision: answered === 0 ? none : measured(averagePrecision / answered, answered),
    };
  });
}

/** The same over labels, each counting once however many queries it has. */
export function classMeans(
  classes: readonly ClassScore[],
): Pick<ClassScore, "recallAt1" | "meanAveragePrecision"> {
  const mean = (of: (score: ClassScore) => Score): Score => {
    const known = classes.flatMap((c) => of(c).value ?? []);
    if (known.length === 0) return undefinedScore("no label has an answerable query");
    return measured(known.reduce((s, v) => s + v, 0) / known.length, known.length);
  };
  return {
    recallAt1: mean((c) => c.recallAt1),
    meanAveragePrecision: mean((c) => c.meanAveragePrecision),
  };
}

/** recall@1 of each query in the headline order, whether or not 1 is among the ks. */
function firstHits(evidence: RetrievalEvidence): Float64Array {
  const values = evidence.values[headlineOrder(evidence)]!;
  const hits = values.of["recall@1"];
  if (hits) return hits;
  // Without k = 1 the first neighbour's label decides, which is one of the orders that ties allow.
  const { labels, top, topRows } = evidence;
  return Float64Array.from(labels.query, (label, q) =>
    topRows[q * top]! >= 0 && labels.gallery[topRows[q * top]!] === label ? 1 : 0,
  );
}

/**
 * What the first neighbour takes for what, among queries that have a valid positive: most frequent
 * first, then by label.
 */
export function confusions(evidence: RetrievalEvidence): Confusion[] {
  const { labels, positives, top, topRows } = evidence;
  const counts = new Map<number, Map<number, number>>();
  const queries = new Map<number, number>();
  labels.query.forEach((label, q) => {
    if (positives[q] === 0) return;
    queries.set(label, (queries.get(label) ?? 0) + 1);
    const row = topRows[q * top]!;
    const predicted = row < 0 ? -1 : labels.gallery[row]!;
    if (predicted < 0 || predicted === label) return;
    const of = counts.get(label) ?? new Map<number, number>();
    of.set(predicted, (of.get(predicted) ?? 0) + 1);
    counts.set(label, of);
  });
  return [...counts]
    .flatMap(([label, of]) =>
      [...of].map(([predicted, count]) => ({
        label: labels.names[label]!,
        predicted: labels.names[predicted]!,
        count,
        queries: queries.get(label)!,
      })),
    )
    .sort(
      (a, b) => b.count - a.count || compare(a.label, b.label) || compare(a.predicted, b.predicted),
    );
}

/** By code units, so that the order does not depend on the machine's language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
