import type { LabelledRow } from "../index/neighbour-hits.js";

/**
 * How many gallery items the junk rule (same label and uid as the query) takes out, over all
 * queries; null where not every row has a uid. A query left out of its own gallery is no junk.
 */
export function junkCount(
  queries: readonly LabelledRow[],
  gallery: readonly LabelledRow[],
  leaveOneOut: boolean,
): number | null {
  if (queries.length === 0 || [...queries, ...gallery].some((r) => r.uid === null)) return null;
  const name = ({ label, uid }: LabelledRow): string => JSON.stringify([label, uid]);
  const counts = new Map<string, number>();
  for (const row of gallery) counts.set(name(row), (counts.get(name(row)) ?? 0) + 1);
  const own = leaveOneOut ? 1 : 0;
  return queries.reduce((sum, row) => sum + (counts.get(name(row)) ?? own) - own, 0);
}
