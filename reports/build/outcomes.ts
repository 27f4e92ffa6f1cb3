import * as aq from "arquero";
import type { LoadedRun } from "./runs.js";

/**
 * One light row a case, of some records, as an Arrow file: what Compare, Recognition and Binary or
 * real count.
 */
export function outcomesArrow(runs: readonly LoadedRun[]): Uint8Array {
  const rows = runs.flatMap(({ view, cases }) => cases.map((row) => ({ record: view.key, row })));
  // A part without rows is no file that anything asks for; Arrow has no types for its columns.
  if (rows.length === 0) return new Uint8Array();
  const table = aq.table({
    record: rows.map((r) => r.record),
    cell: rows.map(({ row }) => row.cell),
    item: rows.map(({ row }) => row.item),
    outcome: rows.map(({ row }) => row.outcome),
    truth: rows.map(({ row }) => row.truth ?? ""),
    lostAt: rows.map(({ row }) => row.lostAt ?? ""),
    // -1 where no positive was returned
    rank: Int16Array.from(rows, ({ row }) => Math.min(row.rank ?? -1, 32_767)),
  });
  const bytes = table.toArrowIPC({ format: "file" });
  if (!bytes) throw new Error("arquero gave no Arrow bytes");
  return bytes;
}
