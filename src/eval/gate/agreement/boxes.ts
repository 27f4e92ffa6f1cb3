import { iou } from "../../../pipeline/box.js";
import type { Detection } from "../../../pipeline/types.js";

/** Two detectors' boxes in one picture. */
export interface BoxAgreement {
  /** Boxes of the baseline, of the candidate, and pairs. */
  readonly baseline: number;
  readonly candidate: number;
  readonly matched: number;
  /**
   * Of each pair, in the baseline's order: overlap, and the candidate's score less the baseline's.
   */
  readonly overlaps: readonly number[];
  readonly scoreShifts: readonly number[];
}

export interface BoxMatching {
  /** Boxes of a lower score are left out of both: nobody uses them. */
  readonly scoreThreshold: number;
  /** Least overlap of a pair. */
  readonly iouThreshold: number;
}

/** PP-ShiTu's threshold of use, and the overlap that AP50 asks. */
export const usedBoxes: BoxMatching = { scoreThreshold: 0.2, iouThreshold: 0.5 };

/**
 * Pairs boxes of the same class one to one, greedily by overlap (the largest first). A box just
 * above the threshold in one and just below it in the other still pairs: the candidate's boxes
 * down to half the threshold are looked at for the baseline's, and the other way round.
 */
export function matchDetections(
  baseline: readonly Detection[],
  candidate: readonly Detection[],
  { scoreThreshold, iouThreshold }: BoxMatching = usedBoxes,
): BoxAgreement {
  const possible = (list: readonly Detection[]) =>
    list.filter((d) => d.score >= scoreThreshold / 2);
  const [first, second] = [possible(baseline), possible(candidate)];
  const pairs = first.flatMap((b, i) =>
    second.flatMap((c, j) => {
      const overlap = b.classId === c.classId ? iou(b.box, c.box) : 0;
      return overlap >= iouThreshold ? [{ i, j, overlap }] : [];
    }),
  );
  pairs.sort((p, q) => q.overlap - p.overlap || p.i - q.i || p.j - q.j);
  const partner = new Map<number, { readonly j: number; readonly overlap: number }>();
  const taken = new Set<number>();
  for (const { i, j, overlap } of pairs) {
    if (partner.has(i) || taken.has(j)) continue;
    partner.set(i, { j, overlap });
    taken.add(j);
  }
  const used = (d: Detection | undefined): boolean => (d?.score ?? 0) >= scoreThreshold;
  const kept = [...partner]
    .filter(([i, { j }]) => used(first[i]) || used(second[j]))
    .sort(([i], [k]) => i - k);
  const alone = (list: readonly Detection[], paired: ReadonlySet<number>): number =>
    list.filter((d, i) => used(d) && !paired.has(i)).length;
  return {
    baseline: kept.length + alone(first, new Set(partner.keys())),
    candidate: kept.length + alone(second, taken),
    matched: kept.length,
    overlaps: kept.map(([, { overlap }]) => overlap),
    scoreShifts: kept.map(([i, { j }]) => second[j]!.score - first[i]!.score),
  };
}

/** Matched boxes as a share of all that either has (F1 of one against the other); 1 where none. */
export function matchedShare(pictures: readonly BoxAgreement[]): number {
  const sum = (of: (p: BoxAgreement) => number): number => pictures.reduce((s, p) => s + of(p), 0);
  const all = sum((p) => p.baseline + p.candidate);
  return all === 0 ? 1 : (2 * sum((p) => p.matched)) / all;
}
