/**
 * Holm's step-down correction (Holm 1979) over a table of p values: each adjusted value may be
 * compared with the level as if it stood alone, and the chance of any false alarm in the whole
 * table stays below that level. Valid for any dependence.
 *
 * @param pValues null where a test was not possible: stays null and is not counted.
 */
export function holm(pValues: readonly (number | null)[]): (number | null)[] {
  const order = pValues.flatMap((p, i) => (p === null ? [] : [{ p, i }])).sort((a, b) => a.p - b.p);
  const adjusted: (number | null)[] = pValues.map(() => null);
  let floor = 0;
  order.forEach(({ p, i }, rank) => {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`a p value lies between 0 and 1, got ${p}`);
    floor = Math.max(floor, Math.min(1, p * (order.length - rank)));
    adjusted[i] = floor;
  });
  return adjusted;
}
