import { html } from "npm:htl";
import type { CaseNeighbour } from "../../src/eval/record/case.js";
import type { JudgedBox } from "../analysis/boxes.js";
import { anyOutcome } from "../analysis/query-filter.js";
import { stageName } from "../analysis/record-view.js";
import type { Detail } from "./cases.js";
import { answeredBoxes, boxedPicture, boxesOf, thumbnail } from "./pictures.js";

/**
 * One query with its picture and its three best neighbours, right and wrong marked in word, shape
 * and colour; of a pipeline, those of each box that it answered with.
 */
export function queryCard(row: Detail): HTMLElement {
  const boxes = boxesOf(row);
  const answers = answeredBoxes(boxes);
  return html`<article
    class="query ${row.outcome === "hit" ? "right" : "wrong"}${form(row, answers)}"
  >
    <div class="query-self">${queryPicture(row, boxes)} ${queryText(row, answers)}</div>
    ${answers.length > 0 ? boxAnswers(row, boxes, answers) : ownNeighbours(row)}
  </article>`;
}

function form(row: Detail, answers: readonly JudgedBox[]): string {
  if (answers.length > 0) return " wide";
  return row.neighbours.length === 0 ? " alone" : "";
}

function queryPicture(row: Detail, boxes: readonly JudgedBox[]): HTMLElement {
  return row.boxes === null
    ? thumbnail([row.dataset], row.image, `query ${row.item}`)
    : boxedPicture(row, boxes);
}

const outcomeMarks: Readonly<Record<string, string>> = { hit: "✓", none: "" };

function queryText(row: Detail, answers: readonly JudgedBox[]): HTMLElement {
  const line = (what: string, value: string | null): HTMLElement | null =>
    value === null ? null : html`<br /><span class="muted">${what}</span> ${value}`;
  const answered = row.neighbours.length > 0 || answers.length > 0;
  const lost =
    row.lostAt === null ? null : html` <span class="lost">${stageName(row.lostAt)}</span>`;
  return html`<p>
    <span class="mark">${outcomeMarks[row.outcome] ?? "✗"} ${row.outcome}</span>${lost}<br /><a
      class="name"
      href=${queryAddress(row)}
      title="The address of this query alone"
      >${row.item}</a
    >${line("truth:", row.truth)}${line("said:", answered ? null : row.prediction)}
  </p>`;
}

function queryAddress({ record, cell, item }: Detail): string {
  const choice = new URLSearchParams({ run: record, cell, outcome: anyOutcome, query: item });
  return `./queries.html?${choice.toString()}`;
}

function ownNeighbours(row: Detail): HTMLElement | null {
  if (row.neighbours.length === 0) return null;
  return html`<ol class="neighbours">
    ${row.neighbours.map((n) => neighbour(row, n, n.label === row.truth))}
  </ol>`;
}

function boxAnswers(
  row: Detail,
  boxes: readonly JudgedBox[],
  answers: readonly JudgedBox[],
): HTMLElement {
  const truth = boxes.filter((box) => box.fate === "truth" || box.fate === "missed");
  const labels = new Set(truth.map((box) => box.label));
  return html`<ol class="answers">
    ${answers.map((box, i) => boxAnswer(row, box, { number: i + 1, labels }))}
    ${notRecognised(boxes.filter((box) => box.fate === "missed"))}
  </ol>`;
}

const fateClasses: Readonly<Record<string, string>> = { hit: "right", false: "wrong" };

function boxAnswer(
  row: Detail,
  box: JudgedBox,
  { number, labels }: { readonly number: number; readonly labels: ReadonlySet<string> },
): HTMLElement {
  return html`<li>
    <p class=${fateClasses[box.fate] ?? ""}>
      <span class="box-number">${number}</span
      >${box.fate === "kept" ? null : mark(box.fate === "hit")}
      <strong>${box.label}</strong>
      <span class="number muted">${box.score?.toFixed(3) ?? ""}</span>
    </p>
    <ol class="neighbours">
      ${box.neighbours!.map((n) => neighbour(row, n, labels.has(n.label)))}
    </ol>
  </li>`;
}

function notRecognised(missed: readonly JudgedBox[]): HTMLElement | null {
  if (missed.length === 0) return null;
  const named = missed.map(({ label, lostAt }) =>
    lostAt === undefined ? label : `${label} (${stageName(lostAt)})`,
  );
  return html`<li class="muted">Not recognised: ${named.join("; ")}</li>`;
}

function neighbour(
  { dataset }: Detail,
  { label, score, picture }: CaseNeighbour,
  right: boolean,
): HTMLElement {
  // A gallery may have a root of its own.
  return html`<li class=${right ? "right" : "wrong"}>
    ${thumbnail([`${dataset} gallery`, dataset], picture, `neighbour ${label}`)}${mark(right)}
    <span class="name">${label}</span> <span class="number muted">${score.toFixed(3)}</span>
  </li>`;
}

function mark(right: boolean): HTMLElement {
  return html`<span class="mark"
    >${right ? "✓" : "✗"}<span class="only-read"> ${right ? "right" : "wrong"}</span></span
  >`;
}
