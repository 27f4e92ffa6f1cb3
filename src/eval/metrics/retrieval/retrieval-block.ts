import type { RankResult, RowLists } from "../../../pipeline/index/row-ranks.js";
import type { TieGroups } from "./tied-ranks.js";

/** Junk that keeps its place in the ranking: all of one score, never a right answer. */
export interface Aside {
  readonly rows: Int32Array;
  readonly score: number;
}

/**
 * Positives with the same number of others above them and tied with them form a group: they have
 * one score, or nothing stands between them. A better score never has more above it, so sorting
 * these pairs sorts the positives.
 */
export function tieGroups(
  ranks: RankResult,
  positives: RowLists,
  i: number,
  { aside, gallerySize }: { readonly aside: Aside | null; readonly gallerySize: number },
): TieGroups {
  const base = gallerySize + 1; // both counts of a pair in one double: exact up to 90 million rows
  const begin = positives.start[i]!;
  const keys = Float64Array.from({ length: positives.start[i + 1]! - begin }, (_, j) => {
    const score = ranks.scores[begin + j]!;
    const above = ranks.above[begin + j]! + (aside && aside.score > score ? aside.rows.length : 0);
    const tied = ranks.tied[begin + j]! + (aside && aside.score === score ? aside.rows.length : 0);
    return above * base + tied;
  }).sort();
  const before: number[] = [];
  const size: number[] = [];
  const count: number[] = [];
  for (let at = 0, next = 0; at < keys.length; at = next) {
    const key = keys[at]!;
    while (next < keys.length && keys[next] === key) next++;
    before.push(at + Math.floor(key / base));
    size.push(next - at + (key % base));
    count.push(next - at);
  }
  return { before, size, positives: count };
}

/**
 * Ranks of the positives where of equal scores the smaller row comes first: the others before each,
 * and the positives before it.
 */
export function stableRanks(
  ranks: RankResult,
  positives: RowLists,
  i: number,
  aside: Aside | null,
): Float64Array {
  const begin = positives.start[i]!;
  return Float64Array.from({ length: positives.start[i + 1]! - begin }, (_, j) => {
    const score = ranks.scores[begin + j]!;
    const asideBefore =
      !aside || aside.score < score
        ? 0
        : aside.score > score
          ? aside.rows.length
          : countLess(aside.rows, positives.rows[begin + j]!);
    return ranks.above[begin + j]! + ranks.tiedBefore[begin + j]! + asideBefore;
  })
    .sort()
    .map((others, at) => others + at + 1);
}

function countLess(rows: Int32Array, row: number): number {
  let n = 0;
  while (n < rows.length && rows[n]! < row) n++;
  return n;
}

/** The best rows of query i, junk that keeps its place merged in. */
export function writeTop(
  ranks: RankResult,
  i: number,
  aside: Aside | null,
  { rows, scores }: { readonly rows: Int32Array; readonly scores: Float64Array },
): void {
  const top = rows.length;
  const base = i * top;
  let junk = 0;
  for (let at = 0, own = 0; at < top; at++) {
    const row = own < top ? ranks.topRows[base + own]! : -1;
    const score = row < 0 ? -Infinity : ranks.topScores[base + own]!;
    const takeJunk =
      aside !== null &&
      junk < aside.rows.length &&
      (aside.score > score || (aside.score === score && aside.rows[junk]! < row));
    rows[at] = takeJunk ? aside.rows[junk++]! : row;
    scores[at] = takeJunk ? aside.score : score;
    if (!takeJunk) own++;
  }
}
