import type { Ordering } from "./orderings.js";
import type { ComparedTable, Verdict } from "./paper-comparison.js";

/** What compared tables come to, for overviews. */

export interface TableSummary extends Record<Ordering["verdict"], number> {
  /** Cells of ours that stand beside a number of the paper's, and the numbers there are. */
  readonly measured: number;
  /** Those of them that got a verdict which compares. */
  readonly compared: number;
  readonly of: number;
  readonly counts: Readonly<Record<Verdict, number>>;
}

/** Counts the verdicts and orderings of a table. */
export function summarize({
  cells,
  orderings,
}: Pick<ComparedTable, "cells" | "orderings">): TableSummary {
  const ordered = (verdict: Ordering["verdict"]): number =>
    orderings.filter((o) => o.verdict === verdict).length;
  const counts: Record<Verdict, number> = {
    agrees: 0,
    differs: 0,
    "ratio agrees": 0,
    "ratio differs": 0,
    "ratio cannot tell": 0,
    "not comparable": 0,
    "not run": 0,
    "paper silent": 0,
    stated: 0,
  };
  for (const cell of cells.flat()) counts[cell.verdict]++;
  const compared =
    counts.agrees + counts.differs + counts["ratio agrees"] + counts["ratio differs"];
  const measured = compared + counts["ratio cannot tell"] + counts["not comparable"];
  const of = measured + counts["not run"];
  return {
    ...{ measured, compared, of, counts },
    ...{ kept: ordered("kept"), reversed: ordered("reversed"), undecided: ordered("undecided") },
  };
}

/** `66 of the paper's 182 numbers compared: 31 agree, …`; only what there is. */
export function comparedText(summaries: readonly TableSummary[]): string {
  const sum = (of: (s: TableSummary) => number): number =>
    summaries.reduce((all, s) => all + of(s), 0);
  const parts = [
    [sum((s) => s.counts.agrees), "agree"],
    [sum((s) => s.counts.differs), "differ"],
    [sum((s) => s.counts["ratio agrees"]), "agree as proportions of times"],
    [sum((s) => s.counts["ratio differs"]), "differ as proportions"],
  ] as const;
  const told = parts.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}`);
  const open = sum((s) => s.counts["ratio cannot tell"]);
  const compared = sum((s) => s.compared);
  return (
    `${compared} of the paper's ${sum((s) => s.of)} numbers compared` +
    (told.length === 0 ? "" : `: ${told.join(", ")}`) +
    (open === 0 ? "" : `; of ${open} proportions more this run cannot tell`)
  );
}
