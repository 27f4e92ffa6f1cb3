import { html } from "npm:htl";
import type { ComparedCell, ComparedTable } from "../../src/eval/paper/paper-comparison.js";
import type { TableSummary } from "../../src/eval/paper/paper-summary.js";
import type { SummarizedTable } from "../analysis/paper-sentence.js";
import { inPaperUnit, paperMatrix, paperRows } from "npm:shitu-bench/src/eval/paper/paper-matrix";
import { downloadLinks } from "./data-table.js";
import { definitionLink } from "./definition-link.js";

/** One line a table: how much is measured, the verdicts, the orderings. */
export function tableVerdicts(tables: readonly SummarizedTable[]): HTMLElement {
  const rows = tables.filter(({ summary }) => summary.of > 0);
  return html`<div class="table">
    <div class="table-scroll" tabindex="0" role="region" aria-label="Verdicts by table">
      <table>
        <caption class="only-read">
          Verdicts by table
        </caption>
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col" class="wide-only">What it shows</th>
            <th scope="col" class="number">Measured</th>
            <th scope="col">Verdicts</th>
            <th scope="col">Order of the paper's models</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ table, summary: s }) =>
              html`<tr>
                <th scope="row" class="short">
                  <a href="./paper.html?table=${table.table}">Table ${table.table}</a>
                </th>
                <td class="wide-only">${table.title}</td>
                <td class="number">${s.measured} of ${s.of}</td>
                <td>${verdictCounts(s)}</td>
                <td>${orderBar(s)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </div>`;
}

/** A proportion's verdict looks like a number's: what its words are says which it is. */
function verdictClass(verdict: string): string {
  return verdict
    .replace("ratio cannot tell", "not comparable")
    .replace("ratio ", "")
    .replace(" ", "-");
}

function verdictCount(verdict: string, count: number): HTMLElement | null {
  return count === 0
    ? null
    : html`<span class="verdict ${verdictClass(verdict)}" style="margin-right:0.9em"
        >${count} ${verdict}</span
      >`;
}

/** `5 kept, 2 reversed`: only what there is. */
function orderText({
  kept,
  undecided,
  reversed,
}: Pick<TableSummary, "kept" | "undecided" | "reversed">): string {
  return [
    [kept, "kept"],
    [reversed, "reversed"],
    [undecided, "cannot be told"],
  ]
    .filter(([count]) => count !== 0)
    .map((part) => part.join(" "))
    .join(", ");
}

function orderBar({ kept, reversed, undecided }: TableSummary): HTMLElement {
  const total = kept + reversed + undecided;
  if (total === 0) return html`<span class="none">–</span>`;
  const part = (name: string, count: number): HTMLElement | null =>
    count === 0
      ? null
      : html`<span class="${name}" style="width:${(100 * count) / total}%"></span>`;
  return html`<span
    ><span class="stack" aria-hidden="true"
      >${part("kept", kept)}${part("undecided", undecided)}${part("reversed", reversed)}</span
    ><span class="muted" style="font-size:12px"
      >${orderText({ kept, undecided, reversed })}</span
    ></span
  >`;
}

/**
 * A table of the paper with ours in each cell: theirs, ours with its interval, the difference and
 * the verdict.
 */
export function paperTable(compared: SummarizedTable): HTMLElement {
  const { table, cells, summary: s } = compared;
  const grouped = table.columns.some((c) => c.group !== undefined);
  const groups: { name: string; span: number }[] = [];
  for (const { group = "" } of table.columns) {
    const last = groups.at(-1);
    if (last !== undefined && last.name === group) last.span++;
    else groups.push({ name: group, span: 1 });
  }
  const mark = (footnote: number | undefined): HTMLElement | null =>
    footnote === undefined ? null : html`<sup>${"abcdef"[footnote - 1] ?? footnote}</sup>`;
  const columnHead = (c: (typeof table.columns)[number], i: number): HTMLElement => {
    const look = cells[0]?.[i]?.unit === "text" ? "" : "number";
    return html`<th scope="col" class=${look}>
      ${c.name}${mark(c.footnote)}${columnDefinition(c)}
    </th>`;
  };
  const groupHead = (g: (typeof groups)[number]): HTMLElement =>
    g.name === ""
      ? html`<td colspan=${g.span}></td>`
      : html`<th scope="colgroup" colspan=${g.span} class="group">${g.name}</th>`;
  const footnotes = table.footnotes.map((text, i) => html`<span>${mark(i + 1)} ${text} </span>`);
  const name = `table-${table.table}`;
  return html`<section class="paper-table" id=${name}>
    <h2>Table ${table.table}. ${table.title}</h2>
    <p class="muted">Section ${table.section}. ${measuredText(s)}</p>
    <div class="table">
      <div class="table-scroll" tabindex="0" role="region" aria-label=${`Table ${table.table}`}>
        <table class="paper">
          <caption class="only-read">
            Table ${table.table}, the paper's numbers and ours
          </caption>
          <thead>
            ${
              grouped
                ? html`<tr>
                    <td></td>
                    ${groups.map(groupHead)}
                  </tr>`
                : null
            }
            <tr>
              <th scope="col"><span class="only-read">The paper's row</span></th>
              ${table.columns.map(columnHead)}
            </tr>
          </thead>
          <tbody>
            ${cells.map(
              (row, r) =>
                html`<tr>
                  <th scope="row">${table.rows[r]!.name}${mark(table.rows[r]!.footnote)}</th>
                  ${row.map(paperCell)}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${footnotes.length === 0 ? null : html`<p class="note-line">${footnotes}</p>`}
      ${protocolNotes(cells, table.protocol)} ${downloadLinks(name, () => paperMatrix(compared))}
      ${s.of === 0 ? null : longDownload(name, compared)}
    </div>
  </section>`;
}

/** `3 of 12 numbers measured; of the order of the paper's models …` */
function measuredText(s: TableSummary): string {
  if (s.of === 0) return "A statement of the training data: nothing to measure.";
  const ordered = s.measured > 0 && s.kept + s.undecided + s.reversed > 0;
  const order = ordered ? `; of the order of the paper's models ${orderText(s)}` : "";
  return `${s.measured} of ${s.of} numbers measured, ${s.compared} compared${order}.`;
}

function verdictCounts({ measured, counts }: TableSummary): HTMLElement {
  if (measured === 0) return html`<span class="verdict not-run">not run</span>`;
  const verdicts = [
    "agrees",
    "differs",
    "ratio agrees",
    "ratio differs",
    "ratio cannot tell",
    "not comparable",
  ] as const;
  return html`<span>${verdicts.map((verdict) => verdictCount(verdict, counts[verdict]))}</span>`;
}

/** A time by stage is of the whole system; another latency is of a model alone. */
function columnDefinition({ is }: ComparedTable["table"]["columns"][number]): HTMLElement | null {
  if (is?.metric === undefined) return null;
  return definitionLink(is.metric, is.stage === undefined ? "detection" : "latency");
}

function paperCell(cell: ComparedCell): HTMLElement {
  if (cell.verdict === "stated")
    return html`<td class=${cell.unit === "text" ? "" : "number"}>${cell.printed ?? "–"}</td>`;
  const { ours } = cell;
  const ourText = (value: number): string => inPaperUnit(cell, value).replace("-", "−");
  const told = `${cell.verdict}${cell.why === null ? "" : `: ${cell.why}`}`;
  const interval = ours?.interval ?? null;
  const within = interval && `${ourText(interval.low)} – ${ourText(interval.high)}`;
  const sign = (cell.difference ?? 0) > 0 ? "+" : "";
  const difference = cell.difference === null ? "" : `${sign}${ourText(cell.difference)}, `;
  return html`<td class="number pair ${verdictClass(cell.verdict)}" title=${told}>
    <span class="theirs">${cell.printed ?? "–"}</span>
    ${
      ours === null
        ? html`<span class="ours none">${cell.verdict === "paper silent" ? "" : "not run"}</span>`
        : html`<span class="ours"
              ><span class="verdict ${verdictClass(cell.verdict)}"></span
              >${ourText(ours.value)}</span
            >
            ${within === null ? null : html`<span class="interval">${within}</span>`}
            <span class="interval">${difference}n ${ours.n.toLocaleString("en-US")}</span
            ><span class="only-read">${told}</span>`
    }
  </td>`;
}

/** What the paper says of its protocol, and why ours may not be compared: each reason once. */
function protocolNotes(
  cells: ComparedTable["cells"],
  protocol: readonly string[],
): HTMLElement | null {
  const reasons = [
    ...new Set(
      cells
        .flat()
        .filter((c) => c.verdict === "not comparable")
        .map((c) => c.why ?? ""),
    ),
  ].filter((why) => why !== "");
  if (protocol.length + reasons.length === 0) return null;
  const said = protocol.length === 0 ? null : html`<li>The paper: ${protocol.join("; ")}.</li>`;
  return html`<ul class="notes">
    ${said}${reasons.map((why) => html`<li>Not comparable: ${why}.</li>`)}
  </ul>`;
}

/** Plain numbers in the units of records, for programs. */
function longDownload(name: string, compared: ComparedTable): HTMLElement {
  return downloadLinks(
    `${name}-long`,
    () => {
      const rows = paperRows(compared);
      const head = Object.keys(rows[0] ?? {});
      return {
        caption: `${name}, one row a number`,
        columns: head.map((text) => ({ head: text, align: "left" as const })),
        rows: rows.map((row) => head.map((column) => String(row[column] ?? ""))),
      };
    },
    "One row a number",
  );
}
