import { FileAttachment } from "observablehq:stdlib";
import { html } from "npm:htl";
import { chosenOption, optionKey } from "../analysis/address.js";
import { groupFailures, groupNotes } from "../analysis/failures.js";
import { formatTime } from "../analysis/format.js";
import { headlineOf } from "../analysis/headline.js";
import {
  failedCells,
  recordsWith,
  type RecordView,
  type RunsView,
} from "../analysis/record-view.js";
import { remember } from "./address.js";

export const runs = (await FileAttachment("../data/records.json").json()) as RunsView;

/** `First light, 3 Feb 2026, 09:30 UTC`. */
export function recordTitle(record: RecordView): string {
  return (
    `${record.experiment.title}, ` +
    `${formatTime(record.provenance.startedAt)}${record.reference ? " (reference)" : ""}`
  );
}

/** The records that a page of these kinds can show, the one named in the address first. */
export function choices(...kinds: readonly string[]): RecordView[] {
  const found = kinds.length === 0 ? [...runs.records] : recordsWith(runs.records, ...kinds);
  const asked = new URLSearchParams(globalThis.location.search).get("run");
  return found.sort((a, b) => Number(b.key === asked) - Number(a.key === asked));
}

/**
 * Nothing to choose, for `view`: cells wait for ever on an input without a value, so it is null and
 * never undefined.
 */
export function blank<T>(value: T): HTMLElement & { value: T } {
  return Object.assign(html`<span hidden></span>`, { value });
}

/**
 * A labelled select for Framework's `view`: its value is the chosen option, null where there is
 * none. The address holds what a reader chose, and what it names is chosen first.
 */
export function select<T>(
  label: string,
  options: readonly T[],
  name: (option: T) => string,
  initial: T | null = options[0] ?? null,
): HTMLElement & { value: T | null } {
  const start = chosenOption(location.search, label, options, initial);
  const entry = (option: T, i: number): HTMLElement =>
    html`<option value=${i} selected=${option === start}>${name(option)}</option>`;
  const list = html`<select>
    ${options.map(entry)}
  </select>` as HTMLSelectElement;
  const field = html`<label class="field"><span>${label}</span>${list}</label>` as HTMLElement & {
    value: T | null;
  };
  field.value = start;
  list.addEventListener("input", (event) => {
    event.stopPropagation();
    field.value = options[list.selectedIndex] ?? null;
    remember(label, optionKey(field.value) || null);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return field;
}

/** A select where there is something to choose, else nothing that is seen. */
export function optionalSelect<T>(
  label: string,
  options: readonly T[],
  name: (option: T) => string,
  initial?: T | null,
): HTMLElement & { value: T | null } {
  return options.length > 0 ? select(label, options, name, initial) : blank(null);
}

export function recordSelect(
  records: readonly RecordView[],
  label = "Record",
): HTMLElement & { value: RecordView | null } {
  return records.length > 0 ? select(label, records, recordTitle) : blank(null);
}

/**
 * How a page of a kind begins: what its record says in one sentence and what is wrong with it, or
 * the command that makes one.
 */
export function opening(
  record: RecordView | null,
  kind: string,
  what: string,
  command: string,
): HTMLElement {
  if (record === null) return absent(what, command);
  return html`<div>${message(headlineOf(record, kind))}${troubles(record, kind)}</div>`;
}

/** What a page shows where there is no record of its kind. */
export function absent(what: string, command: string): HTMLElement {
  return html`<div class="absent">
    <p><strong>No record of ${what} yet.</strong> This command makes one:</p>
    <pre tabindex="0"><code>${command}</code></pre>
  </div>`;
}

/**
 * Cells that failed and files that could not be read: one line a reason, the cells by name behind
 * it.
 */
export function troubles(record: RecordView, kind?: string): HTMLElement | null {
  const failed = failedCells(record, kind);
  if (failed.length === 0 && record.warnings.length === 0) return null;
  const all = record.cells.filter((cell) => kind === undefined || cell.kind === kind).length;
  const count = (n: number, one: string): string =>
    `${n.toLocaleString("en-US")} ${one}${n === 1 ? "" : "s"}`;
  return html`<div class="trouble" role="note">
    <ul>
      ${record.warnings.map((warning) => html`<li>${warning}</li>`)}
      ${groupFailures(failed).map(
        ({ missingModels: models, cells, code, message }) =>
          html`<li>
            ${
              models.length > 0
                ? html`<strong
                      >${cells.length.toLocaleString("en-US")} of ${count(all, "cell")}
                      ${cells.length === 1 ? "waits" : "wait"} for ${count(models.length, "model")}
                      that ${models.length === 1 ? "is" : "are"} not here</strong
                    >: ${models.join(", ")}. <code>npx shitu reproduce</code> says how to get
                    ${models.length === 1 ? "it" : "them"}.`
                : html`<strong>${count(cells.length, "cell")} failed</strong>, <code>${code}</code>:
                    ${message}`
            }
            ${
              cells.length === 1 && models.length === 0
                ? html` (${cells[0]!.name})`
                : html`<details class="as-table">
                    <summary>Which</summary>
                    <ul>
                      ${cells.map((cell) => html`<li>${cell.name}</li>`)}
                    </ul>
                  </details>`
            }
          </li>`,
      )}
    </ul>
  </div>`;
}

/** Notes of cells: a text that many share stands once, with their names behind it. */
export function noteList(
  notes: readonly { readonly name: string; readonly note: string }[],
): HTMLElement {
  return html`<ul class="notes">
    ${groupNotes(notes).map(
      ({ note, names }) =>
        html`<li>
          ${
            names.length <= 2
              ? html`<strong>${names.join(", ")}</strong>: ${note}`
              : html`${note}
                  <details class="as-table">
                    <summary>${names.length} cells</summary>
                    ${names.join(", ")}
                  </details>`
          }
        </li>`,
    )}
  </ul>`;
}

/** The one sentence that a page opens with. */
export function message(text: string | null): HTMLElement | null {
  return text === null ? null : html`<p class="message">${text}</p>`;
}
