// html/: what the gate and the diagnosis found, with its pictures, in; one HTML file that opens
// without a network out. It never judges.
import type { GateDocument } from "../../../eval/gate/gate-record.js";
import { changeNames } from "../../../eval/gate/change.js";
import { lossMeanings } from "../../../eval/metrics/end-to-end/waterfall-evidence.js";
import { headline, limitRows } from "../../../eval/gate/limit-rows.js";
import { diagnosisSection } from "./diagnosis-section.js";
import { picturedFlips, pictureKey, type GatePictures } from "./gate-pictures.js";
import { style } from "./gate-style.js";
import { markup, markupTable, type Markup } from "./markup.js";

type Dataset = GateDocument["datasets"][number];

/**
 * A gate's judgement as one HTML file that opens from disk and loads nothing: the verdict first,
 * then limits, flips with pictures, and where it broke.
 */
export function gateHtml(
  document: GateDocument,
  pictures: GatePictures,
  { judgedAt }: { readonly judgedAt: string },
): string {
  const { verdict, title, change, level } = document;
  const kind = verdict.replace(" ", "-");
  const broke = document.diagnosis?.sentence;
  const mark = { pass: "✓", fail: "✗", "cannot tell": "?" }[verdict];
  const page = markup`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${verdict}: ${document.candidate.name}</title>
<style>${style}</style></head>
<body><main>
<h1 class="${kind}"><span aria-hidden="true">${mark}</span> ${headline(document)}</h1>
${broke ? markup`<p><b>Where it broke:</b> ${broke}</p>` : null}
<p class="muted">${title}, ${changeNames[change]}, judged ${judgedAt} at level ${level}</p>
${notesOf(document)}
${limitSection(document)}
${document.datasets.map((dataset) => datasetSection(dataset, pictures))}
${diagnosisSection(document.diagnosis)}
${sidesSection(document)}
</main></body></html>
`;
  return page.text;
}

function notesOf({ notes, latency }: GateDocument): Markup | null {
  const all = [...notes, ...(latency ? [`latency: ${latency.why}`] : [])];
  if (all.length === 0) return null;
  return markup`<ul class="muted">${all.map((note) => markup`<li>${note}</li>`)}</ul>`;
}

function limitSection(document: GateDocument): Markup {
  const rows = limitRows(document).map((r) => [
    markup`<span class="${r.verdict.replace(" ", "-")}">${r.verdict}</span>`,
    [r.measure, r.dataset].filter(Boolean).join(" on "),
    r.baseline,
    r.candidate,
    r.value,
    r.limit,
    r.n,
    r.why,
  ]);
  const number = true;
  const columns = [
    { head: "Verdict" },
    { head: "Measure" },
    { head: "Baseline", number },
    { head: "Candidate", number },
    { head: "Difference or value", number },
    { head: "Limit" },
    { head: "n", number },
    { head: "Why" },
  ];
  return markup`<h2>Limits</h2>${markupTable("Each limit, the broken ones first", columns, rows)}`;
}

function datasetSection(dataset: Dataset, pictures: GatePictures): Markup {
  const { name, items, flipped } = dataset;
  return markup`<section>
<h2>${name}: ${flipped} of ${items} items flipped</h2>
${flipCards(dataset, pictures)}
${losersTable(dataset)}
${stagesTable(dataset)}
${movedCards(dataset, pictures)}
</section>`;
}

function flipCards({ name, flips, flipped }: Dataset, pictures: GatePictures): Markup | null {
  if (flips.length === 0) return null;
  const cards = flips.slice(0, picturedFlips).map(
    (f) => markup`<li class="${f.direction}">${picture(name, f.image, f.item, pictures)}
<b>${f.direction}</b> ${f.item}
<dl>${entry("truth", f.truth)}
${entry("baseline", f.baseline)}
${entry("candidate", f.candidate)}</dl></li>
`,
  );
  const more = flipped - cards.length;
  return markup`<ul class="cards">${cards}</ul>
${more > 0 ? markup`<p class="muted">${more} more are in the record.</p>` : null}`;
}

function entry(name: string, text: string | null): Markup | null {
  return text === null ? null : markup`<dt>${name}</dt><dd>${text}</dd>`;
}

function picture(
  dataset: string,
  image: string | null,
  item: string,
  pictures: GatePictures,
): Markup {
  const url = image === null ? undefined : pictures.get(pictureKey(dataset, image));
  return url === undefined
    ? markup`<span class="no-picture">no picture</span>`
    : markup`<img src="${url}" alt="${item}" loading="lazy">`;
}

function losersTable({ losers }: Dataset): Markup | null {
  if (losers.length === 0) return null;
  const columns = ["Items", "Lost", "Gained"].map((head) => ({ head, number: true }));
  const rows = losers.map((l) => [l.label, l.items, l.lost, l.gained]);
  return markupTable("Classes that lost most", [{ head: "Class" }, ...columns], rows);
}

function stagesTable({ stages }: Dataset): Markup | null {
  if (!stages) return null;
  const columns = [
    { head: "Stage" },
    { head: "Baseline", number: true },
    { head: "Candidate", number: true },
    { head: "What it means" },
  ];
  const rows = stages.map((s) => [s.stage, s.baseline, s.candidate, lossMeanings[s.stage]]);
  return markupTable("Objects by the stage that lost them", columns, rows);
}

function movedCards({ name, moved }: Dataset, pictures: GatePictures): Markup | null {
  if (moved.every((m) => m.agreement === 1)) return null;
  const cards = moved.map(
    (m) => markup`<li>${picture(name, m.image, m.item, pictures)}
${m.item}<dl>${entry("agreement", m.agreement.toFixed(4))}</dl></li>
`,
  );
  return markup`<h3>Pictures whose outputs agree least</h3><ul class="cards">${cards}</ul>`;
}

function sidesSection({ baseline, candidate }: GateDocument): Markup {
  const columns = ["Side", "Name", "Version", "SHA-256 of the file"].map((head) => ({ head }));
  const rows = [
    ["baseline", baseline.name, baseline.version, baseline.sha256 ?? "more than a file"],
    ["candidate", candidate.name, candidate.version, candidate.sha256 ?? "more than a file"],
  ];
  return markup`<h2>What was compared</h2>${markupTable("The two sides", columns, rows)}`;
}
