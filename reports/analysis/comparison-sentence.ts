import type { ComparedScores } from "./compare.js";

/** What a comparison of two runs comes to, in words. */

const toldVerdicts = [
  ["better", "better"],
  ["worse", "worse"],
  ["unchanged", "unchanged to the last answer"],
  ["cannot tell", "cannot be told apart"],
  ["no interval", "without an interval"],
  ["not compared", "of times, which two runs do not compare"],
] as const;

/** `12 cells in common: 2 better, 1 worse, 9 cannot be told apart; 31 answers flipped.` */
export function comparisonSentence(compared: readonly ComparedScores[]): string {
  if (compared.length === 0)
    return "These two runs have no cell in common: no two with the same kind and labels.";
  const told = toldVerdicts.flatMap(([verdict, words]) => {
    const count = compared.filter((c) => c.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  const flips = compared.reduce((n, c) => n + flipsOf(c), 0);
  const cells = `${compared.length} ${compared.length === 1 ? "cell" : "cells"}`;
  const flipped = flips === 0 ? "no single answer flipped" : `${counted(flips)} answers flipped`;
  return `${cells} in common: ${told.join(", ")}; ${flipped}.`;
}

export function flipsOf({ lost, gained }: Pick<ComparedScores, "lost" | "gained">): number {
  return lost.length + gained.length;
}

/** The cells with flipped answers, those with the most first. */
export function flippedCells(compared: readonly ComparedScores[]): ComparedScores[] {
  return compared.filter((c) => flipsOf(c) > 0).sort((a, b) => flipsOf(b) - flipsOf(a));
}

/** `3 won, 5 lost of 1,200`; nothing where no answers were judged. */
export function flipText({ judged, gained, lost }: ComparedScores): string {
  return judged === 0 ? "" : `${gained.length} won, ${lost.length} lost of ${counted(judged)}`;
}

const counted = (n: number): string => n.toLocaleString("en-US");
