import {
  rankQueries,
  rulesOf,
  type RankingOptions,
  type RetrievalInput,
  type RetrievalRules,
} from "./retrieval.js";
import { retrievalScores } from "./retrieval-scores.js";

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

/** PaddleClas's quirks, one at a time, then all together. Names are for people. */
export const quirks: readonly { readonly name: string; readonly rules: Partial<RetrievalRules> }[] =
  [
    { name: "junk keeps its place", rules: { junk: "zeroed" } },
    { name: "ties by row", rules: { ties: "stable" } },
    { name: "blocks of 64", rules: { block: 64 } },
    { name: "precision over all queries", rules: { precision: "all" } },
    { name: "mINP from 0", rules: { ties: "stable", penalty: "from-zero" } },
    { name: "all of them", rules: rulesOf("paddleclas") },
  ];

/**
 * What each quirk is worth on a set: the set is ranked once for `standard` and once for each quirk.
 */
export async function quirkEffects(
  input: RetrievalInput,
  options: Omit<RankingOptions, "protocol" | "rules"> = {},
): Promise<QuirkEffect[]> {
  const scoresUnder = async (rules: Partial<RetrievalRules>) =>
    retrievalScores(await rankQueries(input, { ...options, protocol: "standard", rules }), {
      resamples: 0,
    }).scores;
  const standard = await scoresUnder({});
  const under: { name: string; scores: typeof standard }[] = [];
  for (const { name, rules } of quirks) under.push({ name, scores: await scoresUnder(rules) });
  return standard.map((base, i) => ({
    metric: base.metric,
    standard: base.value,
    deltas: under.map(({ name, scores }) => {
      const other = scores[i]!;
      if (base.value === null) return { quirk: name, delta: null, why: base.why };
      return other.value === null
        ? { quirk: name, delta: null, why: other.why }
        : { quirk: name, delta: other.value - base.value };
    }),
  }));
}
