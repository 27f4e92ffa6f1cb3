import { html } from "npm:htl";
import { findingsAbout, latencyNotes, ratioRows, type Ratio } from "../analysis/latency-rows.js";
import type { CompletedCell } from "../analysis/record-view.js";
import { certificates } from "./certificates.js";
import { dotPlot } from "./dot-plot.js";
import { noteList } from "./runs.js";

/** What bounds these times: noise certificates, ratios of interleaved rounds, drift, notes. */
export function latencyTrust(
  cells: readonly CompletedCell[],
  comparisons: readonly CompletedCell[],
): HTMLElement {
  const notes = latencyNotes(cells, comparisons);
  return html`<div>
    ${certificateText(comparisons, notes.length > 0)}
    ${certificates([...noiseCertificates(comparisons), ...verdicts(comparisons)])}
    ${ratioPanels(comparisons)} ${driftList(cells)} ${notes.length === 0 ? null : noteList(notes)}
  </div>`;
}

function certificateText(comparisons: readonly CompletedCell[], noted: boolean): HTMLElement {
  if (noiseCertificates(comparisons).length + verdicts(comparisons).length > 0)
    return html`<p>
      The systems took turns on the same pictures, each of them twice in every round. A system
      against itself must come out as 1: where it does, its noise certificate is passed, and a
      difference between two systems counts.
    </p>`;
  if (noted)
    return html`<p>Timing on a shared machine moves by itself. What the record says of that:</p>`;
  return html`<p>
    <strong>No noise certificate.</strong> These times were taken without running a system against
    itself, so small differences between them cannot be told from noise.
  </p>`;
}

type Certificates = Parameters<typeof certificates>[0];

function noiseCertificates(comparisons: readonly CompletedCell[]): Certificates {
  return findingsAbout(comparisons, "noise").map(({ finding: { of, verdict, why } }) => ({
    title: `Noise certificate of ${of.system ?? "the system"}`,
    verdict,
    why,
  }));
}

function verdicts(comparisons: readonly CompletedCell[]): Certificates {
  return findingsAbout(comparisons, "comparison").map(({ finding: { of, verdict, why } }) => ({
    title: `${of.second} against ${of.first}`,
    verdict,
    why,
  }));
}

function ratioPanels(comparisons: readonly CompletedCell[]): HTMLElement | null {
  const between = ratioRows(comparisons, "latency-ratio");
  const self = ratioRows(comparisons, "self-ratio");
  if (between.length + self.length === 0) return null;
  const told = between.map((d) => `${d.name}: ${d.value.toFixed(2)}`).join("; ");
  return html`<div class="panels">
    ${ratioPlot(
      "Time of one system over that of another",
      `Ratios of interleaved rounds: below 1 the first named is faster. ${told}.`,
      between,
    )}
    ${ratioPlot(
      "Each system against itself",
      "What this machine makes of no difference at all: the interval should hold 1, and its " +
        "width is what can be resolved.",
      self,
    )}
  </div>`;
}

function ratioPlot(title: string, description: string, rows: readonly Ratio[]): HTMLElement | null {
  if (rows.length === 0) return null;
  const axis = { axis: "ratio of times (ratio)", unit: "ratio", groupTitle: "pair" } as const;
  return dotPlot({ title, description, rows, ...axis, reference: 1 });
}

function driftList(cells: readonly CompletedCell[]): HTMLElement | null {
  const drift = findingsAbout(cells, "drift");
  if (drift.length === 0) return null;
  const line = ({ system, finding: { of, verdict, why } }: (typeof drift)[number]): HTMLElement =>
    html`<li><strong>${system}${of.stage ? `, ${of.stage}` : ""}</strong> ${verdict}: ${why}</li>`;
  return html`<div class="trouble" role="note">
    <ul>
      ${drift.map(line)}
    </ul>
  </div>`;
}
