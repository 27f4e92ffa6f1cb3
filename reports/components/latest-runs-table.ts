import { html } from "npm:htl";
import { formatDuration, formatTime } from "../analysis/format.js";
import { headlineOf } from "../analysis/headline.js";
import { latestRuns, type LatestRun } from "../analysis/latest-runs.js";
import { failedCells, type RecordView, type RunsView } from "../analysis/record-view.js";
import { dataTable, type Column } from "./data-table.js";
import { absent } from "./runs.js";

/** One line an experiment: its newest run. Earlier ones are a click away. */
export function latestRunsTable({ records }: RunsView): HTMLElement {
  if (records.length === 0) return absent("any run", "npx shitu run configs/first-light.yaml");
  return dataTable({ caption: "Latest runs", rows: latestRuns(records), limit: 20, columns });
}

/** Records that hold nothing to show, each with the reason; null where there is none. */
export function unshownRecords({ records, broken }: RunsView): HTMLElement | null {
  const empty = records
    .filter((record) => record.cells.length === 0)
    .map(({ key }) => ({ key, problem: "This record is empty: it has no cells." }));
  const all = [...broken, ...empty];
  if (all.length === 0) return null;
  const card = ({ key, problem }: (typeof all)[number]): HTMLElement =>
    html`<div class="broken">
      <h3>${key}</h3>
      <p>${problem}</p>
    </div>`;
  return html`<div>
    <h3>Records that cannot be shown</h3>
    ${all.map(card)}
  </div>`;
}

const columns: readonly Column<LatestRun>[] = [
  {
    head: "Run",
    value: ({ record }) => record.experiment.title,
    show: ({ record }) => runLink(record),
  },
  {
    head: "What came out",
    value: ({ record }) => headlineOf(record) ?? "",
    show: ({ record }) =>
      html`<span>${headlineOf(record) ?? html`<span class="none">–</span>`}</span>`,
  },
  {
    head: "Cells",
    align: "right",
    value: ({ record }) => record.cells.length,
    show: ({ record }) => cellCount(record),
  },
  {
    head: "Cases",
    value: ({ record }) => record.cases.total,
    text: ({ record }) => record.cases.total.toLocaleString("en-US"),
  },
  { head: "Earlier", align: "right", value: ({ earlier }) => earlier.length, show: compareLink },
];

function runLink({ key, experiment, reference, provenance }: RecordView): HTMLElement {
  const { startedAt, finishedAt } = provenance;
  const time = `${formatTime(startedAt)}, ${formatDuration(startedAt, finishedAt)}`;
  const tag = reference ? html` <span class="tag">reference</span>` : "";
  const page = `./run.html?run=${encodeURIComponent(key)}`;
  return html`<span
    ><a href=${page}>${experiment.title}</a>${tag}<span class="under">${time}</span></span
  >`;
}

function cellCount(record: RecordView): HTMLElement {
  const failed = failedCells(record).length;
  const under = (text: string): HTMLElement => html`<span class="under bad">${text}</span>`;
  if (record.cells.length === 0) return html`<span>0${under("empty")}</span>`;
  return html`<span>${record.cells.length}${failed > 0 ? under(`${failed} failed`) : ""}</span>`;
}

function compareLink({ record, earlier }: LatestRun): HTMLElement {
  const [before] = earlier;
  if (before === undefined) return html`<span class="none">–</span>`;
  const asked = new URLSearchParams({ before: before.key, after: record.key });
  const several = earlier.length > 1 ? ` (${earlier.length})` : "";
  return html`<a href=${`./compare.html?${asked}`}>compare${several}</a>`;
}
