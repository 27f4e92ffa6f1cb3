import type { ComparedTable } from "../../src/eval/paper/paper-comparison.js";
import type { TableSummary } from "../../src/eval/paper/paper-summary.js";

/** The paper's tables as the site's data holds them, and what they come to in words. */

export type SummarizedTable = ComparedTable & { readonly summary: TableSummary };

/** The sum of one count over tables. */
export function total(
  tables: readonly SummarizedTable[],
  of: (summary: TableSummary) => number,
): number {
  return tables.reduce((sum, { summary }) => sum + of(summary), 0);
}

/** How many of the paper's numbers are measured here and how they compare; null where none is. */
export function paperSentence(all: readonly SummarizedTable[]): string | null {
  const tables = all.filter(({ summary }) => summary.of > 0);
  const count = (of: (summary: TableSummary) => number): number => total(tables, of);
  const measured = count((s) => s.measured);
  if (measured === 0) return null;
  const verdicts = [
    [count((s) => s.counts.agrees), "agree with the paper"],
    [count((s) => s.counts.differs), "differ from it"],
    [count((s) => s.counts["ratio agrees"]), "agree as proportions of times"],
    [count((s) => s.counts["ratio differs"]), "differ as proportions"],
    [count((s) => s.counts["ratio cannot tell"]), "are proportions that cannot be told"],
    [count((s) => s.counts["not comparable"]), "can only stand beside it"],
  ] as const;
  const told = verdicts.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}`);
  return (
    `${measured} of ${count((s) => s.of)} numbers are measured here, ` +
    `${count((s) => s.compared)} of them compared: ${told.join(", ")}. Of the order of the ` +
    `paper's models ${count((s) => s.kept)} comparisons are kept, ` +
    `${count((s) => s.reversed)} reversed, ${count((s) => s.undecided)} cannot be told.`
  );
}

/** Tables 3 to 9, which hold measurements, or the one that was chosen. */
export function shownTables(
  tables: readonly SummarizedTable[],
  chosen: number | null,
): SummarizedTable[] {
  return tables.filter(({ table: { table } }) => (chosen === null ? table >= 3 : table === chosen));
}
