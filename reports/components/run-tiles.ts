import { html } from "npm:htl";
import { formatDuration, formatInterval, formatTime, formatValue } from "../analysis/format.js";
import { headlineOf } from "../analysis/headline.js";
import { apartFromBaselines } from "../analysis/series.js";
import { overallMedian, systemRows, type SystemRow } from "../analysis/system-rows.js";
import {
  cellName,
  codesOf,
  completedCells,
  failedCells,
  known,
  mainScore,
  scoreOf,
  type CompletedCell,
  type KnownScore,
  type RecordView,
} from "../analysis/record-view.js";
import { dataTable, type Column } from "./data-table.js";
import { absent, message, troubles } from "./runs.js";
import { scoreNode } from "./score-columns.js";

/** Title, time and state of a record in one line. */
export function headline(record: RecordView): HTMLElement {
  const failed = failedCells(record).length;
  const { startedAt, finishedAt } = record.provenance;
  const reference = record.reference ? html` <span class="tag">reference</span>` : null;
  const state = record.state === "failed" ? html` <span class="tag bad">failed</span>` : null;
  const cells = record.cells.length === 1 ? "cell" : "cells";
  return html`<h2 style="margin-top:0.6rem">${record.experiment.title} ${reference}${state}</h2>
    <p class="muted">
      ${formatTime(startedAt)}, ${formatDuration(startedAt, finishedAt)} · protocol
      <em>${record.experiment.protocol}</em> · ${record.cells.length}
      ${cells}${failed > 0 ? `, ${failed} of them failed` : ""} ·
      ${record.cases.total.toLocaleString("en-US")} cases
    </p>
    ${
      record.cells.length === 0
        ? html`<div class="broken">
            <h3>${record.key}</h3>
            <p>This record is empty: it has no cells. The experiment measured nothing.</p>
          </div>`
        : null
    }`;
}

interface Tile {
  readonly what: string;
  readonly score: KnownScore;
  readonly under: string;
}

/** The best number of each kind that the record holds, whole systems a row each. */
export function runTiles(record: RecordView): HTMLElement {
  const systems = systemRows(record);
  const best = (
    kind: string,
    metric: string,
    what: string,
    where: (cell: CompletedCell) => boolean = () => true,
  ): Tile[] => {
    const all = completedCells(record, kind);
    const found = all.filter(where).flatMap((cell) => {
      const score = known(metric === "F1" ? mainScore(cell) : scoreOf(cell, metric));
      return score === undefined ? [] : [{ cell, score }];
    });
    found.sort((a, b) => (a.score.better === "lower" ? 1 : -1) * (a.score.value - b.score.value));
    const first = found[0];
    return first === undefined
      ? []
      : [{ what, score: first.score, under: cellName(first.cell, all) }];
  };
  const tiles: Tile[] = [
    ...best("detection", "AP", "Detection AP"),
    ...best("retrieval", "recall@1", "recall@1, real", (c) => codesOf(c) === "real"),
    ...best("retrieval", "recall@1", "recall@1, binary", (c) => codesOf(c) === "binary"),
    ...(systems.length > 0 ? [] : best("pipeline", "F1", "F1, box and label")),
    ...best("classification", "top-1", "Top-1"),
    ...(systems.length > 0 ? [] : fastest(record)),
  ];
  return html`<div>
    ${tiles.length === 0 ? null : html`<div class="tiles">${tiles.map(tileNode)}</div>`}
    ${systems.length === 0 ? null : systemTable(systems)}
  </div>`;
}

function tileNode({ what, score, under }: Tile): HTMLElement {
  return html`<div class="tile">
    <span class="what">${what}</span
    ><span class="figure">${formatValue(score.value, score.unit)}</span>
    <span class="under">${intervalText(score)}, n = ${score.n.toLocaleString("en-US")}</span
    ><span class="under">${under}</span>
  </div>`;
}

/** The system that takes least for a picture. */
function fastest(record: RecordView): Tile[] {
  const all = completedCells(record, "latency");
  const { trained } = apartFromBaselines(all);
  return trained
    .flatMap((cell) => {
      const score = overallMedian(cell);
      const what = "One picture, median";
      return score === undefined ? [] : [{ what, score, under: cellName(cell, all) }];
    })
    .sort((a, b) => a.score.value - b.score.value)
    .slice(0, 1);
}

/** Worth and cost of each system in one row. */
function systemTable(rows: readonly SystemRow[]): HTMLElement {
  const column = (head: string, metric: string, name: "f1" | "ms"): Column<SystemRow> => ({
    head,
    metric,
    align: "right",
    value: (row) => row[name]?.value ?? null,
    text: (row) => {
      const score = row[name];
      return score === undefined ? "" : formatValue(score.value, score.unit);
    },
    show: (row) => scoreNode(row[name]),
  });
  return dataTable({
    caption: "Systems",
    rows,
    downloads: "systems",
    columns: [
      { head: "System", value: (row) => row.system },
      column("F1, box and label", "F1", "f1"),
      { head: "n (pictures)", value: (row) => row.f1?.n ?? null },
      column("One picture, median", "latency", "ms"),
    ],
  });
}

function intervalText({ interval, unit }: KnownScore): string {
  return interval === null ? "no interval" : formatInterval(interval.low, interval.high, unit);
}

/** How the page of a run begins: title, what came out, what went wrong, and its best scores. */
export function runHead(record: RecordView | null): HTMLElement {
  if (record === null) return absent("any kind", "npx shitu run configs/first-light.yaml");
  return html`<div>
    ${headline(record)} ${message(headlineOf(record))} ${troubles(record)} ${runTiles(record)}
  </div>`;
}
