import { byStrictness, takesFirst, type AcceptanceRule } from "../../../pipeline/acceptance.js";
import type { Score } from "../../types.js";
import { defaultIntervals } from "../../stats/interval-plan.js";
import { wilson } from "../../stats/proportion.js";
import type { ImageEvidence } from "./f1-evidence.js";

/**
 * `crop-recall@k`: the share of pictures of which some true label is among the labels of the k
 * best-scoring crops, before any threshold and any suppression. It is what PaddleClas's
 * `eval_shitu_pipeline.py` prints as `recal_k`, and it is not the recall@k of retrieval: there each
 * query has k neighbours, here each crop gives its first only. Distractors have no true label and
 * are left out. Crops come in the order in which suppression takes them.
 *
 * @returns one score for each k, with Wilson's interval; n is the number of pictures with truth.
 */
export function cropRecall(
  images: readonly ImageEvidence[],
  ks: readonly number[],
  rule: Pick<AcceptanceRule, "better" | "rules">,
  level = defaultIntervals.level,
): Score[] {
  const order = byStrictness(takesFirst(rule));
  const lastFirst = rule.rules.equalScores === "last";
  // For each picture the rank, from 0, of the first right crop.
  const ranks = images
    .filter((i) => i.truth.length > 0)
    .map(({ truth, recognitions }) => {
      const labels = new Set(truth.map((t) => t.label));
      const labelled = recognitions.filter((r) => r.label !== null);
      const sorted = (lastFirst ? labelled.reverse() : labelled).sort((a, b) =>
        order(a.score, b.score),
      );
      const rank = sorted.findIndex((r) => labels.has(r.label!));
      return rank === -1 ? Infinity : rank;
    });
  return ks.map((k) => {
    if (!(Number.isInteger(k) && k >= 1))
      throw new RangeError(`k is a count of crops from 1, got ${k}`);
    if (ranks.length === 0) return { value: null, why: "no picture has a truth object" };
    return wilson(ranks.filter((rank) => rank < k).length, ranks.length, level);
  });
}
