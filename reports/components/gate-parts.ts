import { html } from "npm:htl";
import { headline, limitRows, type LimitRow } from "npm:shitu-bench/src/eval/gate/limit-rows";
import type { GateDocument } from "../../src/eval/gate/gate-record.js";
import { picturedFlips, type GateView } from "../analysis/gate-view.js";
import { dataTable } from "./data-table.js";
import { thumbnail } from "./pictures.js";
import { message } from "./runs.js";

type Dataset = GateDocument["datasets"][number];
type Flip = Dataset["flips"][number];

/** The verdict, where it broke, and what else has to be known. */
export function verdict({ document }: GateView): HTMLElement {
  const { diagnosis, notes, latency, level } = document;
  const all = [...notes, ...(latency ? [`latency: ${latency.why}`] : []), `level ${level}`];
  return html`<div class="gate">
    ${message(headline(document))}
    ${diagnosis ? html`<p><strong>Where it broke:</strong> ${diagnosis.sentence}</p>` : null}
    <ul class="muted">
      ${all.map((note) => html`<li>${note}</li>`)}
    </ul>
  </div>`;
}

/** Each limit, the broken ones first. */
export function limits({ document }: GateView): HTMLElement {
  return html`<section>
    <h2>Limits</h2>
    ${dataTable<LimitRow>({
      caption: "Each limit, the broken ones first",
      downloads: "gate-limits",
      rows: limitRows(document),
      columns: [
        { head: "Verdict", value: (r) => r.verdict },
        { head: "Measure", value: (r) => [r.measure, r.dataset].filter(Boolean).join(" on ") },
        { head: "Baseline", value: (r) => r.baseline, align: "right" },
        { head: "Candidate", value: (r) => r.candidate, align: "right" },
        { head: "Difference or value", value: (r) => r.value, align: "right" },
        { head: "Limit", value: (r) => r.limit },
        { head: "n", value: (r) => r.n, align: "right" },
        { head: "Why", value: (r) => r.why },
      ],
    })}
  </section>`;
}

/** What flipped on each data set, with pictures, and the classes that lost most. */
export function flips({ document }: GateView): HTMLElement {
  return html`<div>${document.datasets.map(flipsOf)}</div>`;
}

function flipsOf(dataset: Dataset): HTMLElement {
  const { name, flipped, items, losers } = dataset;
  const shown = dataset.flips.slice(0, picturedFlips);
  return html`<section>
    <h2>${name}: ${flipped} of ${items} items flipped</h2>
    <div class="gate-flips">${shown.map((flip) => flipCard(name, flip))}</div>
    ${
      flipped > shown.length
        ? html`<p class="muted">${flipped - shown.length} more are in the record.</p>`
        : null
    }
    ${losers.length === 0 ? null : losersTable(losers)}
  </section>`;
}

function flipCard(dataset: string, flip: Flip): HTMLElement {
  const said = (name: string, text: string | null): HTMLElement | null =>
    text === null ? null : html`<div><span class="muted">${name}</span> ${text}</div>`;
  return html`<figure class="gate-flip">
    ${thumbnail([dataset], flip.image, flip.item)}
    <figcaption>
      <strong>${flip.direction}</strong> ${flip.item} ${said("truth", flip.truth)}
      ${said("baseline", flip.baseline)} ${said("candidate", flip.candidate)}
    </figcaption>
  </figure>`;
}

function losersTable(losers: Dataset["losers"]): HTMLElement {
  return dataTable<Dataset["losers"][number]>({
    caption: "Classes that lost most",
    showCaption: true,
    rows: losers,
    columns: [
      { head: "Class", value: (l) => l.label },
      { head: "Items", value: (l) => l.items },
      { head: "Lost", value: (l) => l.lost },
      { head: "Gained", value: (l) => l.gained },
    ],
  });
}

/** Of a whole pipeline: where its objects were lost on either side. */
export function stages({ document }: GateView): HTMLElement {
  const counted = document.datasets.filter((d) => d.stages !== undefined);
  return html`<div>
    ${counted.map(({ name, stages: counts }) =>
      dataTable<NonNullable<Dataset["stages"]>[number]>({
        caption: `Objects of ${name} by the stage that lost them`,
        showCaption: true,
        sortable: false,
        rows: counts!,
        columns: [
          { head: "Stage", value: (s) => s.stage },
          { head: "Baseline", value: (s) => s.baseline },
          { head: "Candidate", value: (s) => s.candidate },
        ],
      }),
    )}
  </div>`;
}
