import { html } from "npm:htl";
import {
  anyOutcome,
  anyStage,
  chosenQueries,
  countOf,
  queryCountText,
  type OutcomeCount,
  type QueryChoice,
} from "../analysis/query-filter.js";
import {
  cellName,
  stageName,
  type CompletedCell,
  type RecordView,
} from "../analysis/record-view.js";
import type { Detail } from "./cases.js";
import { boxLegend } from "./pictures.js";
import { queryCard } from "./query-card.js";
import { optionalSelect } from "./runs.js";

type Select = HTMLElement & { value: string | null };

const kindNames: Readonly<Record<string, string>> = {
  pipeline: "whole system",
  retrieval: "recognition",
  latency: "timed",
};

/** The choice of a cell: `whole system: light`. */
export function cellSelect(
  record: RecordView | null,
  cells: readonly CompletedCell[],
): HTMLElement & { value: CompletedCell | null } {
  const name = (c: CompletedCell): string =>
    `${kindNames[c.kind] ?? c.kind}: ${cellName(c, record?.cells ?? [])}`;
  return optionalSelect("System, or model and data set", cells, name);
}

/** The outcomes that a cell's cases have, misses first chosen. */
export function outcomeSelect(counts: readonly OutcomeCount[]): Select {
  const outcomes = [...new Set(counts.map(({ outcome }) => outcome))];
  const name = (outcome: string): string => counted(outcome, countOf(counts, { outcome }));
  const options = outcomes.length > 0 ? [anyOutcome, ...outcomes] : [];
  const first = outcomes.includes("miss") ? "miss" : anyOutcome;
  return optionalSelect("Outcome", options, name, first);
}

/** The stages that lost some of a cell's cases. */
export function stageSelect(counts: readonly OutcomeCount[]): Select {
  const lost = counts.filter(({ lostAt }) => lostAt !== "");
  const stages = [...new Set(lost.map(({ lostAt }) => lostAt))];
  const name = (lostAt: string): string => counted(stageName(lostAt), countOf(lost, { lostAt }));
  return optionalSelect("Lost at", stages.length > 0 ? [anyStage, ...stages] : [], name);
}

const counted = (what: string, n: number): string => `${what} (${n.toLocaleString("en-US")})`;

/** As many cards are shown at once. */
const page = 12;

/** The queries of a cell that a choice leaves, a page of cards at a time. */
export function queryList(
  rows: readonly Detail[],
  cell: CompletedCell,
  counts: readonly OutcomeCount[],
  choice: QueryChoice,
): HTMLElement {
  const found = chosenQueries(rows, cell.id, choice);
  const text = queryCountText(found.length, countOf(counts, choice), choice.words);
  return html`<div>
    <p class="muted" aria-live="polite">${text}</p>
    ${found.some((row) => row.boxes !== null) ? boxLegend(found) : null}${cards(found)}
  </div>`;
}

function cards(found: readonly Detail[]): HTMLElement[] {
  const list = html`<div class="queries"></div>`;
  const more = html`<button type="button" class="plain"></button>`;
  const add = (): void => {
    const at = list.childElementCount;
    list.append(...found.slice(at, at + page).map(queryCard));
    const left = found.length - list.childElementCount;
    more.hidden = left <= 0;
    more.textContent = `Show ${Math.min(page, left)} more of ${left.toLocaleString("en-US")}`;
  };
  more.addEventListener("click", add);
  add();
  return [list, more];
}
