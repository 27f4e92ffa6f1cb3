import { html } from "npm:htl";
import type { ComparedScores } from "../analysis/compare.js";
import type { RecordView } from "../analysis/record-view.js";
import { details, type Detail } from "./cases.js";
import { dataTable } from "./data-table.js";
import { queryCard } from "./query-card.js";

/** As many cards a section shows; the others are named. */
const cards = 8;

/** The answers that two runs of a cell judge differently, as the run that erred gave them. */
export async function flippedAnswers(
  before: RecordView,
  after: RecordView,
  cell: ComparedScores,
): Promise<HTMLElement> {
  const [lost, won] = [
    await casesByItem(after.key, cell.afterCell),
    await casesByItem(before.key, cell.beforeCell),
  ];
  const kind = before.cells.find((c) => c.id === cell.beforeCell)?.kind ?? "";
  return html`<div>
    <h2>Flipped answers</h2>
    <p>${rightness(kind)}</p>
    ${section("Lost: right before, as shown after", cell.lost, lost)}${section(
      "Won: as shown before, right after",
      cell.gained,
      won,
    )}
  </div>`;
}

function rightness(kind: string): string {
  return kind === "detection" || kind === "pipeline"
    ? "A picture counts as right where every object in it was found and nothing false was; " +
        "pictures are shown as the run that erred saw them."
    : "A query counts as right where its first answer was; it is shown as the run that erred " +
        "answered it.";
}

async function casesByItem(record: string, cell: string): Promise<Map<string, Detail>> {
  const rows = await details(record, [cell]);
  return new Map(rows.map((row) => [row.item, row]));
}

function section(
  title: string,
  items: readonly string[],
  rows: ReadonlyMap<string, Detail>,
): HTMLElement {
  const shown = items.flatMap((item) => rows.get(item) ?? []).slice(0, cards);
  const gallery =
    items.length === 0
      ? html`<p class="muted">None was ${title.startsWith("Lost") ? "lost" : "won"}.</p>`
      : html`<div class="queries">${shown.map(queryCard)}</div>`;
  return html`<section>
    <h3>${title} (${items.length})</h3>
    ${gallery} ${items.length > shown.length ? nameList(title, items) : null}
  </section>`;
}

function nameList(title: string, items: readonly string[]): HTMLElement {
  return html`<details class="as-table">
    <summary>All ${items.length.toLocaleString("en-US")} by name</summary>
    ${dataTable({
      caption: title,
      rows: items.map((item) => ({ item })),
      limit: 50,
      columns: [{ head: "Query", value: (d) => d.item }],
    })}
  </details>`;
}
