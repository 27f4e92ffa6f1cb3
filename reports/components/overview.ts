import { html } from "npm:htl";
import { formatTime } from "../analysis/format.js";
import { headlineOf } from "../analysis/headline.js";
import { total, type SummarizedTable } from "../analysis/paper-sentence.js";
import { completedCells, recordsWith, type RunsView } from "../analysis/record-view.js";

/** The whole system says most; where no record has it, the newest that says anything. */
export function overviewHeadline({ records }: RunsView): string | null {
  const told = [...recordsWith(records, "pipeline"), ...records].map((r) => headlineOf(r));
  return told.find((text) => text !== null) ?? null;
}

/** The three jobs: their question, where they stand, and the command that goes on with them. */
export function jobs(runs: RunsView, tables: readonly SummarizedTable[]): HTMLElement {
  return html`<div class="jobs">${reproduce(tables)} ${gate(runs)} ${choose(runs)}</div>`;
}

interface Job {
  readonly name: string;
  readonly page: string;
  readonly question: string;
  readonly state: string;
  readonly command: string;
}

function job({ name, page, question, state, command }: Job): HTMLElement {
  return html`<section class="job">
    <h2><a href=${page}>${name}</a></h2>
    <p>${question}</p>
    <p class="state">${state}</p>
    <code>${command}</code>
  </section>`;
}

function reproduce(tables: readonly SummarizedTable[]): HTMLElement {
  const measured = tables.filter(({ table }) => table.table >= 3);
  const sum = (name: "measured" | "of" | "kept" | "reversed" | "undecided"): number =>
    total(measured, (summary) => summary[name]);
  return job({
    name: "Reproduce",
    page: "./paper.html",
    question: "Do the paper's tables come out?",
    state:
      `${sum("measured")} of ${sum("of")} numbers of Tables 3 to 9 have one of ours beside them. ` +
      `Of the paper's orderings ${sum("kept")} hold, ${sum("reversed")} are reversed, ` +
      `${sum("undecided")} cannot be told.`,
    command: "npx shitu reproduce",
  });
}

function gate({ records }: RunsView): HTMLElement {
  const experiments = new Set(records.map((r) => r.experiment.name)).size;
  const [newest] = records;
  const age = newest ? `; the newest is of ${formatTime(newest.provenance.startedAt)}` : "";
  return job({
    name: "Gate",
    page: "./gate.html",
    question: "Is this model, export or index as good as the last?",
    state:
      `${counted(records.length, "run")} of ${counted(experiments, "experiment")} to ` +
      `compare${age}.`,
    command: "npx shitu gate --candidate NEW --baseline OLD --data SET",
  });
}

function choose({ records }: RunsView): HTMLElement {
  const [sweep] = recordsWith(records, "index");
  return job({
    name: "Choose",
    page: "./index-choice.html",
    question: "Which index, with which parameters, within my limits?",
    state:
      sweep === undefined
        ? "No index sweep has been run yet."
        : `${completedCells(sweep, "index").length} measured points to choose from; the newest ` +
          `sweep is of ${formatTime(sweep.provenance.startedAt)}.`,
    command: "npx shitu choose --gallery VECTORS --recall 0.95",
  });
}

const counted = (n: number, one: string): string => `${n} ${one}${n === 1 ? "" : "s"}`;
