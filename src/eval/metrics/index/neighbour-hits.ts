import type { Neighbours } from "../../../pipeline/types.js";
import { listedPositives } from "../retrieval/lost-rows.js";

/**
 * A row of a query or gallery set as retrieval sees it. `uid` is a picture number or camera; null
 * where the set has none.
 */
export interface LabelledRow {
  readonly label: string;
  readonly uid: string | null;
}

export interface NeighbourHit {
  /** Gallery rows that count for the query, best first. */
  readonly rows: readonly number[];
  readonly scores: readonly number[];
  /**
   * Place of the first neighbour with the query's label among them, from 0; null where none of
   * those asked for has it.
   */
  readonly rank: number | null;
  /**
   * Whether the gallery holds any right answer for the query; without one it leaves the
   * denominator.
   */
  readonly answerable: boolean;
}

/**
 * Judges what an index returned, exact or not. Not valid for a query are itself (`leaveOneOut`:
 * query i is gallery row i) and gallery rows of the same label and uid (the junk rule); they leave
 * the ranking, as the `standard` protocol has it.
 *
 * @param found at least `k` + `allowance(…)` neighbours a query, so that k valid ones remain.
 * @param positives right answers of each query by the lists, where not every listed picture is a
 * row: a query whose answers were all lost misses. The rows themselves unless told.
 */
export function judgeNeighbours(
  found: Neighbours,
  queries: readonly LabelledRow[],
  gallery: readonly LabelledRow[],
  {
    k,
    leaveOneOut,
    positives = listedPositives(queries, gallery, leaveOneOut),
  }: { readonly k: number; readonly leaveOneOut: boolean; readonly positives?: Int32Array },
): NeighbourHit[] {
  return queries.map((query, q): NeighbourHit => {
    const rows: number[] = [];
    const scores: number[] = [];
    for (let i = q * found.k; i < (q + 1) * found.k && rows.length < k; i++) {
      const row = found.rows[i]!;
      if (row < 0 || (leaveOneOut && row === q) || isJunk(query, gallery[row]!)) continue;
      rows.push(row);
      scores.push(found.scores[i]!);
    }
    const rank = rows.findIndex((row) => gallery[row]!.label === query.label);
    return {
      rows,
      scores,
      rank: rank < 0 ? null : rank,
      answerable: positives[q]! > 0,
    };
  });
}

/** How many neighbours more than k must be asked for, so that k valid ones remain. */
export function allowance(
  queries: readonly LabelledRow[],
  gallery: readonly LabelledRow[],
  leaveOneOut: boolean,
): number {
  const byIdentity = identities(queries, gallery);
  let most = leaveOneOut ? 1 : 0;
  for (const query of queries)
    if (query.uid !== null) most = Math.max(most, byIdentity.get(identity(query)) ?? 0);
  return most;
}

/** The junk rule: a gallery item of the query's label and uid is no valid answer. */
export function isJunk(query: LabelledRow, row: LabelledRow): boolean {
  return query.uid !== null && row.uid === query.uid && row.label === query.label;
}

/** Gallery rows by label and uid; none where no query has a uid that could take them out. */
function identities(
  queries: readonly LabelledRow[],
  gallery: readonly LabelledRow[],
): Map<string, number> {
  return queries.some(({ uid }) => uid !== null) ? countBy(gallery, identity) : new Map();
}

function identity({ label, uid }: LabelledRow): string {
  return JSON.stringify([label, uid]);
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}
