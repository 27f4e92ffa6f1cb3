import type { ExperimentConfig } from "../config/config.js";

/**
 * The labels by which a cell is found beside the paper's (`paper-comparison.ts`), from a config's
 * `table` and `paper`. A cell that `where` leaves out, or whose model or system the paper does not
 * have (a baseline), gets none.
 */
export function paperLabels(
  { labels }: { readonly labels: Readonly<Record<string, string>> },
  { table, paper }: Pick<ExperimentConfig, "table" | "paper">,
): Record<string, string> {
  if (table === undefined || paper === undefined) return {};
  // A comparison stands for several rows at once, which its scores name.
  if (labels.systems !== undefined)
    return {
      paperTable: String(table),
      ...(paper.notComparable !== undefined && { notComparable: paper.notComparable }),
    };
  if (Object.entries(paper.where).some(([name, values]) => !values.includes(labels[name] ?? "")))
    return {};
  const named = (
    ours: string | undefined,
    names: Readonly<Record<string, string>> | undefined,
  ): string | undefined =>
    ours === undefined ? undefined : names === undefined ? ours : names[ours];
  const model =
    labels.model !== undefined
      ? named(labels.model, paper.model)
      : paper.codes && named(labels.codes, paper.codes);
  const system = named(labels.system, paper.system);
  const dataset = named(labels.dataset, paper.dataset);
  if (model === undefined && system === undefined) return {};
  return {
    paperTable: String(table),
    ...(model !== undefined && { paperModel: model }),
    ...(system !== undefined && { paperSystem: system }),
    ...(dataset !== undefined && { paperDataset: dataset }),
    ...(paper.notComparable !== undefined && { notComparable: paper.notComparable }),
  };
}

/** What a cell is called in text: its labels without those of the join with the paper. */
export function plainLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter(([name]) => !/^(paper[A-Z]|notComparable$)/.test(name)),
  );
}
