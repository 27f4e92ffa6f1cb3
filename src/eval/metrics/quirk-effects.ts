import {
  quirks,
  rulesOf,
  standardWith,
  type QuirkName,
  type Rules,
} from "../../pipeline/protocol.js";
import type { NamedScore } from "../types.js";

/** One metric under `standard` rules, and by how much a quirk moves it. */
export interface QuirkEffect {
  readonly metric: string;
  readonly standard: number | null;
  /** Value with the quirk less the standard value; null where either has none, and `why`. */
  readonly deltas: readonly {
    readonly quirk: string;
    readonly delta: number | null;
    readonly why?: string;
  }[];
}

/**
 * What each quirk is worth on a set, then all of them together: the scores under `standard`, under
 * each quirk alone, and under `paddleclas`.
 *
 * @param names the quirks that apply to the scores.
 * @param scoresUnder the same metrics in the same order, whatever the rules.
 */
export async function quirkEffects(
  names: readonly QuirkName[],
  scoresUnder: (rules: Rules) => readonly NamedScore[] | Promise<readonly NamedScore[]>,
): Promise<QuirkEffect[]> {
  const standard = await scoresUnder(rulesOf("standard"));
  const under: { title: string; scores: readonly NamedScore[] }[] = [];
  for (const name of names)
    under.push({ title: quirks[name].title, scores: await scoresUnder(standardWith(name)) });
  under.push({ title: "all of them", scores: await scoresUnder(rulesOf("paddleclas")) });
  return standard.map((base, i) => ({
    metric: base.metric,
    standard: base.value,
    deltas: under.map(({ title, scores }) => ({ quirk: title, ...difference(base, scores[i]!) })),
  }));
}

function difference(base: NamedScore, other: NamedScore): { delta: number | null; why?: string } {
  if (base.value === null) return { delta: null, why: base.why };
  if (other.value === null) return { delta: null, why: other.why };
  return { delta: other.value - base.value };
}
