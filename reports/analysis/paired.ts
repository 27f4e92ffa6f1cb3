/** Two systems judged on the same items. */

export interface PairedDifference {
  /** Items that both judged. */
  readonly n: number;
  /** Share of hits of B less that of A. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Items that only B got right, and only A. */
  readonly gained: number;
  readonly lost: number;
  /** McNemar's exact test, two-sided, mid-p. */
  readonly p: number;
}

/**
 * The difference of two paired proportions with the 95% interval of Bonett and Price (2012,
 * "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
 * data"), as the evaluation's own paired test has it.
 *
 * @param gained items that only B got right; @param lost items that only A got right; @param n
 * items that both judged, n > 0.
 */
export function pairedDifference(n: number, gained: number, lost: number): PairedDifference {
  const [b, c] = [(gained + 1) / (n + 2), (lost + 1) / (n + 2)];
  const centre = b - c;
  const half = 1.959963984540054 * Math.sqrt((b + c - centre ** 2) / (n + 2));
  return {
    n,
    difference: (gained - lost) / n,
    low: Math.max(-1, centre - half),
    high: Math.min(1, centre + half),
    gained,
    lost,
    p: midP(gained, lost),
  };
}

/**
 * P(X < k) + P(X = k) / 2, doubled, for the smaller count k of a Binomial(gained + lost, 1/2):
 * Fagerland and others (2013).
 */
export function midP(gained: number, lost: number): number {
  const m = gained + lost;
  const k = Math.min(gained, lost);
  if (m === 0) return 1;
  let logTerm = -m * Math.LN2;
  let sum = 0;
  for (let i = 0; i < k; i++) {
    sum += Math.exp(logTerm);
    logTerm += Math.log(m - i) - Math.log(i + 1);
  }
  return Math.min(1, 2 * sum + Math.exp(logTerm));
}

/** The paired difference over the items that both maps hold, or null where there is none. */
export function pairOutcomes(
  a: ReadonlyMap<string, boolean>,
  b: ReadonlyMap<string, boolean>,
): PairedDifference | null {
  let [n, gained, lost] = [0, 0, 0];
  for (const [item, hitA] of a) {
    const hitB = b.get(item);
    if (hitB === undefined) continue;
    n++;
    if (hitB && !hitA) gained++;
    if (hitA && !hitB) lost++;
  }
  return n === 0 ? null : pairedDifference(n, gained, lost);
}
