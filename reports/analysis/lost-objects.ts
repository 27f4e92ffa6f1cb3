import { cellName, stageName, whiskers, type CompletedCell } from "./record-view.js";

/** Where the systems of a record lose the objects of their pictures. */

export interface LostShare {
  readonly stage: string;
  /** The stage in words. */
  readonly name: string;
  /** The system. */
  readonly group: string;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly level: number | null;
  readonly n: number;
}

/** The share of objects at each stage with its interval, recognised ones first. */
export function lostShares(pipelines: readonly CompletedCell[]): LostShare[] {
  const shares = pipelines.flatMap((cell) =>
    cell.scores.flatMap((score): LostShare[] => {
      const stage = score.of?.stage;
      if (score.metric !== "objects" || !stage || score.value === null) return [];
      const [name, group] = [stageName(stage), cellName(cell, pipelines)];
      return [{ stage, name, group, value: score.value, ...whiskers(score), n: score.n }];
    }),
  );
  return shares.sort((a, b) => Number(b.stage === "correct") - Number(a.stage === "correct"));
}

/** What a system recognises, and the stage that loses most; null where a record does not say. */
export function lostSentence(shares: readonly LostShare[], system: string): string | null {
  const own = shares.filter(({ group }) => group === system);
  const kept = own.find(({ stage }) => stage === "correct");
  const [worst] = own.filter(({ stage }) => stage !== "correct").sort((a, b) => b.value - a.value);
  if (kept === undefined || worst === undefined) return null;
  return (
    `${system} recognises ${percent(kept.value)} of the objects; most of the others are lost at: ` +
    `${worst.name} (${percent(worst.value)} of all objects, n = ${worst.n} pictures).`
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;

export interface F1Row {
  readonly definition: string;
  readonly threshold: string;
  readonly n: number | null;
  readonly bySystem: ReadonlyMap<string, CompletedCell["scores"][number]>;
}

/** F1 by what has to be right and how the threshold was chosen, a score a system. */
export function f1Rows(pipelines: readonly CompletedCell[]): F1Row[] {
  const rows = new Map<string, { -readonly [Name in keyof F1Row]: F1Row[Name] }>();
  for (const cell of pipelines)
    for (const score of cell.scores.filter(({ metric }) => metric === "F1")) {
      const { definition = "", threshold = "" } = score.of ?? {};
      const key = JSON.stringify([definition, threshold]);
      const row = rows.get(key) ?? { definition, threshold, n: null, bySystem: new Map() };
      const n = score.value === null ? null : score.n;
      const bySystem = new Map([...row.bySystem, [cellName(cell, pipelines), score] as const]);
      rows.set(key, { ...row, n, bySystem });
    }
  return [...rows.values()];
}
