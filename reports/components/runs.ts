import { FileAttachment } from "observablehq:stdlib";
import { html } from "npm:htl";
import { formatTime } from "../analysis/format.js";
import { failedCells, recordsWith, type RecordView, type RunsView } from "../analysis/record-view.js";

export const runs = (await FileAttachment("../data/records.json").json()) as RunsView;

/** `First light, 3 Feb 2026, 09:30 UTC`. */
export function recordTitle(record: RecordView): string {
  return `${record.experiment.title}, ${formatTime(record.provenance.startedAt)}${record.reference ? " (reference)" : ""}`;
}

/** The records that a page of these kinds can show, the one named in the address first. */
export function choices(...kinds: readonly string[]): RecordView[] {
  const found = kinds.length === 0 ? [...runs.records] : recordsWith(runs.records, ...kinds);
  const asked = new URLSearchParams(globalThis.location.search).get("run");
  return found.sort((a, b) => Number(b.key === asked) - Number(a.key === asked));
}

/** A labelled select for Framework's `view`: its value is the chosen option. */
export function select<T>(label: string, options: readonly T[], name: (option: T) => string, initial: T | undefined = options[0]): HTMLElement & { value: T | undefined } {
  const list = html`<select>${options.map((option, i) => html`<option value=${i} selected=${option === initial}>${name(option)}</option>`)}</select>` as HTMLSelectElement;
  const field = html`<label class="field"><span>${label}</span>${list}</label>` as HTMLElement & { value: T | undefined };
  field.value = initial;
  list.addEventListener("input", (event) => {
    event.stopPropagation();
    field.value = options[list.selectedIndex];
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return field;
}

export function recordSelect(records: readonly RecordView[], label = "Record"): HTMLElement & { value: RecordView | undefined } {
  if (records.length > 0) return select(label, records, recordTitle);
  return Object.assign(html`<span></span>`, { value: undefined });
}

/** What a page shows where there is no record of its kind. */
export function absent(what: string, command: string): HTMLElement {
  return html`<div class="absent"><p><strong>No record of ${what} yet.</strong> This command makes one:</p><pre><code>${command}</code></pre></div>`;
}

/** Cells that failed and files that could not be read, by name. */
export function troubles(record: RecordView, kind?: string): HTMLElement | null {
  const failed = failedCells(record, kind);
  if (failed.length === 0 && record.warnings.length === 0) return null;
  return html`<div class="trouble" role="note"><ul>
    ${record.warnings.map((warning) => html`<li>${warning}</li>`)}
    ${failed.map((cell) => html`<li><strong>${Object.values(cell.labels).join(" · ")}</strong> failed, <code>${cell.code}</code>: ${cell.message}</li>`)}
  </ul></div>`;
}
