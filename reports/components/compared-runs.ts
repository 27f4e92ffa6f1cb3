import { html } from "npm:htl";
import { defaultPair, type ComparedScores } from "../analysis/compare.js";
import { comparisonSentence, flipsOf, flipText } from "../analysis/comparison-sentence.js";
import { formatDifference, formatInterval } from "../analysis/format.js";
import type { RecordView } from "../analysis/record-view.js";
import { dataTable, type Column } from "./data-table.js";
import { processorOf } from "./provenance.js";
import { absent, message, runs } from "./runs.js";
import { scoreNode } from "./score-columns.js";

/** The records that can be compared: those with a cell that was measured. */
export const comparable = runs.records.filter((r) => r.cells.some((c) => c.state === "completed"));

/** The two that the address names, else the newest two of one experiment. */
export function initialPair(): readonly [RecordView | undefined, RecordView | undefined] {
  const asked = new URLSearchParams(location.search);
  const named = (which: string): RecordView | undefined =>
    comparable.find((r) => r.key === asked.get(which));
  const [before, after] = [named("before"), named("after")];
  return before && after ? [before, after] : defaultPair(comparable);
}

/** What two runs say of each other: a sentence, its cautions, and the cells in common. */
export function comparedRuns(
  before: RecordView | null,
  after: RecordView | null,
  compared: readonly ComparedScores[],
): HTMLElement {
  if (before === null || after === null)
    return absent("two runs", "npx shitu run configs/first-light.yaml");
  if (before === after) return html`<p>Choose two different runs.</p>`;
  return html`<div>
    ${message(comparisonSentence(compared))} ${cautionLine(before, after, compared)}
    ${compared.length === 0 ? null : comparedTable(compared)}
  </div>`;
}

function cautionLine(
  before: RecordView,
  after: RecordView,
  compared: readonly ComparedScores[],
): HTMLElement | null {
  const cautions = [configCaution(before, after), timeCaution(before, after, compared)];
  const told = cautions.filter((text) => text !== null);
  if (compared.length === 0 || told.length === 0) return null;
  return html`<p class="muted">${told.join(" ")}</p>`;
}

function configCaution(before: RecordView, after: RecordView): string | null {
  return before.experiment.configHash === after.experiment.configHash
    ? null
    : "The two ran different configs.";
}

function timeCaution(
  before: RecordView,
  after: RecordView,
  compared: readonly ComparedScores[],
): string | null {
  if (processorOf(before.provenance.machine) !== processorOf(after.provenance.machine))
    return "They ran on different processors, so times do not compare.";
  if (compared.every((c) => c.before.unit !== "ms")) return null;
  return (
    "Times of two runs also differ by what else the machine did: a difference in ms is certain " +
    "only within one interleaved run (see Latency)."
  );
}

function comparedTable(compared: readonly ComparedScores[]): HTMLElement {
  return dataTable({
    caption: "Cells in common",
    rows: compared,
    downloads: "compare",
    limit: 60,
    columns,
  });
}

const interval = ({ low, high, before }: ComparedScores): string | null =>
  low === null || high === null ? null : formatInterval(low, high, before.unit);
const verdictClasses: Readonly<Record<string, string>> = { better: "agrees", worse: "differs" };

const columns: readonly Column<ComparedScores>[] = [
  { head: "Cell", value: (c) => c.name },
  { head: "Metric", value: (c) => c.metric },
  {
    head: "Before",
    align: "right",
    value: (c) => c.before.value,
    show: (c) => scoreNode(c.before),
  },
  { head: "After", align: "right", value: (c) => c.after.value, show: (c) => scoreNode(c.after) },
  {
    head: "Difference",
    align: "right",
    value: (c) => c.difference,
    text: differenceText,
    show: differenceNode,
  },
  { head: "Verdict", value: (c) => c.verdict, show: verdictNode },
  {
    head: "Flipped",
    align: "right",
    value: (c) => (c.judged === 0 ? null : flipsOf(c)),
    text: flipText,
  },
  { head: "Interval", value: (c) => c.method, text: (c) => c.method.replace(/,.*/, "") },
];

function differenceText(c: ComparedScores): string {
  const within = interval(c);
  const difference = formatDifference(c.difference, c.before.unit);
  return within === null ? difference : `${difference} (${within})`;
}

function differenceNode(c: ComparedScores): HTMLElement {
  const within = interval(c);
  return html`<span class="score"
    ><span class="value">${formatDifference(c.difference, c.before.unit)}</span>${
      within === null ? "" : html`<span class="interval">${within}</span>`
    }</span
  >`;
}

function verdictNode({ verdict }: ComparedScores): HTMLElement {
  const look = verdictClasses[verdict] ?? "not-comparable";
  return html`<span class="verdict ${look}">${verdict}</span>`;
}
