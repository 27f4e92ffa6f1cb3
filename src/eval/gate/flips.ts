import type { JudgedItem } from "./work.js";

/** An item that only one side got right. */
export interface GateFlip {
  readonly item: string;
  readonly image: string | null;
  readonly truth: string | null;
  readonly direction: "lost" | "gained";
  readonly baseline: string | null;
  readonly candidate: string | null;
}

/** Items that the candidate lost, then those that it gained, each in the list's order. */
export function flipsOf(items: readonly JudgedItem[]): GateFlip[] {
  const flips = items.flatMap((i): GateFlip[] => {
    const [before, after] = [i.baseline.right === true, i.candidate.right === true];
    if (before === after) return [];
    const { item, image, truth } = i;
    const direction = before ? "lost" : "gained";
    return [
      { item, image, truth, direction, baseline: i.baseline.said, candidate: i.candidate.said },
    ];
  });
  return [
    ...flips.filter((f) => f.direction === "lost"),
    ...flips.filter((f) => f.direction === "gained"),
  ];
}

/** What a class lost and gained. */
export interface ClassLoss {
  readonly label: string;
  readonly items: number;
  readonly lost: number;
  readonly gained: number;
}

/**
 * Classes by what they lost on balance, the greatest loser first; those without a loss left out.
 */
export function losersByClass(items: readonly JudgedItem[]): ClassLoss[] {
  const classes = new Map<string, { items: number; lost: number; gained: number }>();
  for (const { truth } of items) {
    if (truth === null) continue;
    const counts = classes.get(truth) ?? { items: 0, lost: 0, gained: 0 };
    counts.items++;
    classes.set(truth, counts);
  }
  for (const { truth, direction } of flipsOf(items)) {
    if (truth !== null) classes.get(truth)![direction]++;
  }
  return [...classes]
    .map(([label, counts]) => ({ label, ...counts }))
    .filter(({ lost, gained }) => lost > gained)
    .sort((a, b) => b.lost - b.gained - (a.lost - a.gained) || (a.label < b.label ? -1 : 1));
}
