/** Agreement of answers that are chosen by rank: classes, neighbours. */

/** The place of the largest value; of equal ones the first. */
export function topClass(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}

/** For each item whether the two answers differ. */
export function flipped(first: ArrayLike<unknown>, second: ArrayLike<unknown>): boolean[] {
  if (first.length !== second.length) {
    throw new RangeError(`${first.length} and ${second.length} answers are not of the same items`);
  }
  return Array.from({ length: first.length }, (_, i) => first[i] !== second[i]);
}

/** Share of the k nearest that two rankings have in common, whatever their order (overlap@k). */
export function overlapAt(
  k: number,
  first: readonly number[],
  second: readonly number[],
): number | null {
  const depth = Math.min(k, Math.max(first.length, second.length));
  if (depth === 0) return null;
  const known = new Set(first.slice(0, k));
  return second.slice(0, k).filter((row) => known.has(row)).length / depth;
}
