import type { LabelledRow } from "../index/neighbour-hits.js";
import type { QueryValues, RetrievalEvidence } from "./ranking.js";

/**
 * Right answers that each listed query has in the listed gallery, whether or not its pictures could
 * be embedded: what a model or a broken file cost, on either side, must not leave the denominator.
 * The junk rule and the query's own row (`leaveOneOut`: query i is gallery row i) are taken out, as
 * `relevance` does.
 */
export function listedPositives(
  queries: readonly LabelledRow[],
  gallery: readonly LabelledRow[],
  leaveOneOut: boolean,
): Int32Array {
  const ofLabel = countBy(gallery, (row) => row.label);
  const ofIdentity = countBy(
    gallery.filter((row) => row.uid !== null),
    identity,
  );
  return Int32Array.from(queries, (query) => {
    const own = leaveOneOut ? 1 : 0;
    const invalid = query.uid === null ? own : (ofIdentity.get(identity(query)) ?? 0);
    return (ofLabel.get(query.label) ?? 0) - invalid;
  });
}

function identity({ label, uid }: LabelledRow): string {
  return JSON.stringify([label, uid]);
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

/** All queries of a list, and which of them could be embedded. */
export interface ListedQueries {
  readonly labels: readonly string[];
  /** Of each listed query, from `listedPositives`. */
  readonly positives: Int32Array;
  /** Place in the list of each row of the evidence. */
  readonly places: readonly number[];
}

/**
 * The evidence of the whole list: a query that could not be embedded has found nothing, at its own
 * place in the list, so that means, intervals and blocks count it as they count every other miss.
 */
export function withLostQueries(
  evidence: RetrievalEvidence,
  { labels, positives, places }: ListedQueries,
): RetrievalEvidence {
  const count = labels.length;
  if (places.length === count) return evidence;
  const numbers = new Map(evidence.labels.names.map((name, i) => [name, i]));
  const query = Int32Array.from(labels, (label) => {
    const number = numbers.get(label) ?? numbers.size;
    numbers.set(label, number);
    return number;
  });
  const wide = (column: Float64Array): Float64Array => spread(column, new Float64Array(count));
  const spread = <T extends Float64Array | Int32Array>(from: T, into: T): T => {
    const width = from.length / places.length;
    places.forEach((place, row) => {
      into.set(from.subarray(row * width, (row + 1) * width), place * width);
    });
    return into;
  };
  const values = Object.fromEntries(
    Object.entries(evidence.values).map(([order, v]): [string, QueryValues] => [
      order,
      {
        of: Object.fromEntries(Object.entries(v.of).map(([name, column]) => [name, wide(column)])),
        firstRank: wide(v.firstRank),
      },
    ]),
  );
  const { top } = evidence;
  return {
    ...evidence,
    labels: { ...evidence.labels, query, names: [...numbers.keys()] },
    positives,
    junk: spread(evidence.junk, new Int32Array(count)),
    values,
    topRows: spread(evidence.topRows, new Int32Array(count * top).fill(-1)),
    topScores: spread(evidence.topScores, new Float64Array(count * top)),
  };
}
