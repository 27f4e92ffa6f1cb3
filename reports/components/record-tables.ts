import { html } from "npm:htl";
import { cellName, completedCells, confidenceOf, scoreOf } from "../analysis/record-view.js";
import type { CompletedCell, RecordView } from "../analysis/record-view.js";
import { details } from "./cases.js";
import { dataTable } from "./data-table.js";
import { boxedPicture, boxLegend } from "./pictures.js";
import { countColumn, labelColumn, scoreColumn } from "./score-columns.js";

/** The cells of a record as tables, kind by kind; each names the page that says more. */

type Of = Readonly<Record<string, string>>;

interface Section {
  readonly kind: string;
  readonly title: string;
  readonly page: string;
  readonly metrics: readonly (readonly [metric: string, of?: Of])[];
}

/** The kinds that have a page of their own, as tables here. */
const sections: readonly Section[] = [
  {
    kind: "pipeline",
    title: "Whole system",
    page: "queries",
    metrics: [
      ["F1", { definition: "C", threshold: "held-out" }],
      ["F1", { definition: "A", threshold: "held-out" }],
      ["crop-recall@1"],
      ["objects", { stage: "correct" }],
    ],
  },
  {
    kind: "index",
    title: "Indexes",
    page: "index-choice",
    metrics: [
      ["label-recall@1"],
      ["neighbour-recall@1"],
      ["retrieval-time"],
      ["index-size"],
      ["build-time"],
    ],
  },
  {
    kind: "classification",
    title: "Classification",
    page: "networks",
    metrics: [["top-1"], ["top-5"], ["latency"], ["params"], ["macs"]],
  },
];

const pageNames: Readonly<Record<string, string>> = {
  "index-choice": "index choice page",
  networks: "light networks page",
};

/** `More on the latency page.`, which opens with this record. */
export function moreOn(record: RecordView, page: string): HTMLElement {
  const address = `./${page}.html?run=${encodeURIComponent(record.key)}`;
  return html`<span
    >More on the <a href=${address}>${pageNames[page] ?? `${page} page`}</a>.</span
  >`;
}

/** Whole systems, indexes and classifiers; none of a kind that the record lacks. */
export function furtherSections(record: RecordView): HTMLElement[] {
  return sections.flatMap((section) => {
    const cells = completedCells(record, section.kind);
    return cells.length === 0 ? [] : [furtherSection(record, section, cells)];
  });
}

function furtherSection(
  record: RecordView,
  { kind, title, page, metrics }: Section,
  cells: readonly CompletedCell[],
): HTMLElement {
  const measured = metrics.filter(([metric, of]) => cells.some((c) => scoreOf(c, metric, of)));
  const table = dataTable({
    caption: title,
    rows: cells,
    downloads: kind,
    limit: 24,
    columns: [
      { head: "What", value: (cell) => cellName(cell, cells) },
      ...measured.map(([metric, of]) => scoreColumn(metric, of)),
      countColumn(metrics[0]![0]),
    ],
  });
  return html`<div>
    <h2>${title}</h2>
    <p class="muted">${moreOn(record, page)}</p>
    ${table}
  </div>`;
}

const detectionMetrics = [
  ...["AP", "AP50", "AP75", "AP-small", "AP-medium", "AP-large"],
  ...["AR@1", "AR@10", "AR@100"],
];

export function detectionTable(cells: readonly CompletedCell[]): HTMLElement {
  const measured = detectionMetrics.filter((m) => cells.some((cell) => scoreOf(cell, m)));
  return dataTable({
    caption: "Detection",
    rows: cells,
    downloads: "detection",
    columns: [
      labelColumn("model", "Model"),
      labelColumn("dataset", "Data set"),
      countColumn("AP"),
      ...measured.map((metric) => scoreColumn(metric)),
    ],
  });
}

/** Detection as it is told here: what the numbers are, the table, and the worst pictures. */
export async function detectionSection(
  record: RecordView,
  cells: readonly CompletedCell[],
): Promise<HTMLElement> {
  return html`<div>
    <h2>Detection</h2>
    <p>
      Average precision over IoU 0.50 to 0.95, with the classes as the record's protocol says. Below
      each value its ${confidenceOf(record)} interval, where one was computed.
    </p>
    ${detectionTable(cells)} ${await worstPictures(record, cells)}
  </div>`;
}

async function worstPictures(
  record: RecordView,
  cells: readonly CompletedCell[],
): Promise<HTMLElement | null> {
  const rows = await details(
    record.key,
    cells.map(({ id }) => id),
  );
  const worst = rows.filter((row) => row.boxes !== null && row.outcome !== "hit").slice(0, 6);
  if (worst.length === 0) return null;
  return html`<div>
    <h3>The worst pictures</h3>
    <p class="muted">${moreOn(record, "detection")}</p>
    ${boxLegend(worst)}
    <div class="gallery">${worst.map((row) => boxedPicture(row))}</div>
  </div>`;
}
