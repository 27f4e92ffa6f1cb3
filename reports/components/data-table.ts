import { html } from "npm:htl";
import { definitionLink } from "./definition-link.js";
import {
  toCsv,
  toLatex,
  toMarkdown,
  type TextTable,
} from "npm:shitu-bench/src/eval/record/table-formats";

export interface Column<Row> {
  readonly head: string;
  /** The metric whose definition the head leads to, where it is not the head itself. */
  readonly metric?: string;
  /** What is sorted by, and printed unless `text` says otherwise. */
  readonly value: (row: Row) => string | number | null;
  readonly text?: (row: Row) => string;
  /** What is shown instead of the text; the text is still what is downloaded. */
  readonly show?: (row: Row) => Node | string;
  readonly align?: "left" | "right";
}

export interface DataTableOptions<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly downloads?: string;
  readonly showCaption?: boolean;
  readonly sortable?: boolean;
  readonly limit?: number;
}

/**
 * A table with sortable heads, numbers aligned, its own scroll on narrow screens, and downloads
 * where a file name is given.
 */
export function dataTable<Row>({
  caption,
  columns,
  rows,
  downloads,
  showCaption = false,
  sortable = true,
  limit = 200,
}: DataTableOptions<Row>): HTMLElement {
  const right = (column: Column<Row>): boolean =>
    (column.align ??
      (rows.some((row) => typeof column.value(row) === "number") ? "right" : "left")) === "right";
  const text = (column: Column<Row>, row: Row): string =>
    column.text?.(row) ?? plain(column.value(row));
  // Short texts stay on one line, so that narrow tables scroll sideways and do not grow tall.
  const kind = columns.map((column) =>
    right(column) ? "number" : rows.every((row) => text(column, row).length <= 30) ? "short" : "",
  );
  const body = html`<tbody></tbody>`;
  let count = limit;
  let sorted: { column: Column<Row>; down: boolean } | null = null;
  const more = html`<button type="button" class="plain"></button>`;
  const fill = (): void => {
    const order =
      sorted === null
        ? rows
        : [...rows].sort(
            (a, b) =>
              compare(sorted!.column.value(a), sorted!.column.value(b)) * (sorted!.down ? -1 : 1),
          );
    body.replaceChildren(
      ...order.slice(0, count).map(
        (row) =>
          html`<tr>
            ${columns.map((column, i) => {
              const content = column.show?.(row) ?? text(column, row);
              return i === 0
                ? html`<th scope="row" class=${kind[i]}>${content}</th>`
                : html`<td class=${kind[i]}>${content}</td>`;
            })}
          </tr>`,
      ),
    );
    more.hidden = rows.length <= count;
    more.textContent =
      `Show ${Math.min(limit, rows.length - count)} more of ` + `${rows.length - count}`;
  };
  more.addEventListener("click", () => {
    count += limit;
    fill();
  });
  // Rows that are cells say what they measure.
  const measured = (rows[0] as { readonly kind?: string } | undefined)?.kind;
  const heads = columns.map((column, i) => {
    const definition = definitionLink(column.metric ?? column.head, measured);
    if (!sortable || rows.length < 2)
      return html`<th scope="col" class=${kind[i]}>${column.head}${definition}</th>`;
    const head = html`<th scope="col" class=${kind[i]} aria-sort="none">
      <button type="button">${column.head}</button>${definition}
    </th>`;
    head.firstElementChild!.addEventListener("click", () => {
      sorted = { column, down: sorted?.column === column ? !sorted.down : right(column) };
      for (const other of heads)
        other.setAttribute(
          "aria-sort",
          other === head ? (sorted.down ? "descending" : "ascending") : "none",
        );
      fill();
    });
    return head;
  });
  fill();
  const table = html`<table>
    <caption class=${showCaption ? "" : "only-read"}>
      ${caption}
    </caption>
    <thead>
      <tr>
        ${heads}
      </tr>
    </thead>
    ${body}
  </table>`;
  const asText = (): TextTable => ({
    caption,
    columns: columns.map((c) => ({ head: c.head, align: right(c) ? "right" : "left" })),
    rows: rows.map((row) => columns.map((c) => text(c, row))),
  });
  return html`<div class="table">
    <div class="table-scroll" tabindex="0" role="region" aria-label="${caption}">${table}</div>
    ${more} ${downloads === undefined ? null : downloadLinks(downloads, asText)}
  </div>`;
}

/** Rows that are there to be looked up, behind one line that says how many. */
export function foldedTable<Row>(what: string, options: DataTableOptions<Row>): HTMLElement | null {
  if (options.rows.length === 0) return null;
  return html`<details class="as-table">
    <summary>
      ${what} (${options.rows.length} ${options.rows.length === 1 ? "row" : "rows"})
    </summary>
    ${dataTable(options)}
  </details>`;
}

/** Links that hold a table as CSV, Markdown and LaTeX; made when first needed. */
export function downloadLinks(
  name: string,
  table: () => TextTable,
  what = "Download",
): HTMLElement {
  const link = (
    label: string,
    extension: string,
    mime: string,
    write: (t: TextTable) => string,
  ): HTMLElement => {
    const a = html`<a download="${name}.${extension}" href="#" title="Download ${name}.${extension}"
      >${label}</a
    >`;
    const ready = (): void =>
      a.setAttribute("href", `data:${mime};charset=utf-8,${encodeURIComponent(write(table()))}`);
    for (const event of ["pointerenter", "focus", "click"]) a.addEventListener(event, ready);
    return a;
  };
  const csv = ({ columns, rows }: TextTable): string =>
    toCsv(
      columns.map((c) => c.head),
      rows,
    );
  return html`<p class="downloads">
    ${what} ${link("CSV", "csv", "text/csv", csv)}
    ${link("Markdown", "md", "text/markdown", toMarkdown)}
    ${link("LaTeX", "tex", "application/x-tex", toLatex)}
  </p>`;
}

function plain(value: string | number | null): string {
  return typeof value === "number"
    ? value.toLocaleString("en-US", { maximumFractionDigits: 6 })
    : (value ?? "–");
}

function compare(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true });
}
