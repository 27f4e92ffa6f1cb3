import { html } from "npm:htl";
import { shownTables, type SummarizedTable } from "../analysis/paper-sentence.js";
import { paperTable } from "./paper-table.js";
import { select } from "./runs.js";

/** The choice of a table, the one that the address names first. */
export function tableSelect(
  tables: readonly SummarizedTable[],
): HTMLElement & { value: number | null } {
  const asked = Number(new URLSearchParams(location.search).get("table"));
  const titles = new Map(tables.map(({ table }) => [table.table, table.title]));
  const options = [null, ...titles.keys()];
  const name = (n: number | null): string =>
    n === null ? "Tables 3 to 9" : `Table ${n}. ${titles.get(n)}`;
  return select("Table", options, name, titles.has(asked) ? asked : null);
}

export function paperTables(
  tables: readonly SummarizedTable[],
  chosen: number | null,
): HTMLElement {
  return html`<div>${shownTables(tables, chosen).map((table) => paperTable(table))}</div>`;
}

interface AuditFinding {
  readonly tables: readonly number[];
  readonly finding: string;
}

/** What does not add up in the paper itself. */
export function auditList(audit: readonly AuditFinding[]): HTMLElement {
  const line = ({ tables, finding }: AuditFinding): HTMLElement => {
    const named = `${tables.length === 1 ? "Table" : "Tables"} ${tables.join(" and ")}.`;
    return html`<li><strong>${named}</strong> ${finding}</li>`;
  };
  return html`<ul class="audit">
    ${audit.map(line)}
  </ul>`;
}
