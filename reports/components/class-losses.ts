import { html } from "npm:htl";
import {
  codesLosses,
  type ClassLoss,
  type CodesPair,
  type JudgedQuery,
} from "../analysis/binary-real.js";
import { formatDifference, formatInterval } from "../analysis/format.js";
import type { PairedDifference } from "../analysis/paired.js";
import { confidenceOf, type RecordView } from "../analysis/record-view.js";
import { dataTable } from "./data-table.js";

/** What binary codes change on the very same queries, and the classes that pay for it. */
export function classLosses(
  record: RecordView,
  pair: CodesPair,
  rows: readonly JudgedQuery[],
): HTMLElement {
  const { whole, losers } = codesLosses(rows, pair, record.experiment.intervals.level);
  return html`<div>
    <p>
      ${whole === null ? "No query was answered by both." : wholeText(whole, confidenceOf(record))}
      Small classes move by chance; read the counts.
    </p>
    ${losers.length === 0 ? html`<p>No class loses.</p>` : loserTable(losers)}
  </div>`;
}

function wholeText(
  { n, difference, low, high, lost, gained }: PairedDifference,
  confidence: string,
): HTMLElement {
  return html`<span
    >On the ${n.toLocaleString("en-US")} queries that both answered, binary codes change recall@1 by
    <strong>${formatDifference(difference, "ratio")}</strong> (paired ${confidence} interval
    ${formatInterval(low, high, "ratio")}): ${lost} queries are lost, ${gained} are won.</span
  >`;
}

function loserTable(rows: readonly ClassLoss[]): HTMLElement {
  return dataTable({
    caption: "Classes that lose most",
    rows,
    limit: 15,
    columns: [
      { head: "Class", value: (d) => d.label },
      { head: "Queries", value: (d) => d.n },
      { head: "Right with real", value: (d) => d.real },
      { head: "Right with binary", value: (d) => d.binary },
      { head: "Lost", value: (d) => d.lost },
    ],
  });
}
