import { html } from "npm:htl";
import { hitsByCell } from "../analysis/model-pairs.js";
import {
  countGains,
  questionGains,
  questionTexts,
  specialistGroups,
  type Gain,
  type Question,
} from "../analysis/model-questions.js";
import { confidenceOf, type RecordView } from "../analysis/record-view.js";
import { outcomesOf } from "./cases.js";
import { dotPlot } from "./dot-plot.js";
import { recordTitle } from "./runs.js";

/** The paper's questions, a plot each, from the records that answer them. */
export async function questionPanels(
  record: RecordView,
  questions: readonly Question[],
): Promise<HTMLElement> {
  const records = [...new Set(questions.map((question) => question.record))];
  const rows = await Promise.all(records.map(outcomesOf));
  const hits = new Map(records.map((r, i) => [r, hitsByCell(rows[i]!)]));
  const plots = questions.flatMap((question) => {
    const gains = questionGains(question, hits.get(question.record)!);
    return gains.length === 0 ? [] : [questionPlot(record, question, gains)];
  });
  return html`<div class="panels">${plots}</div>`;
}

function questionPlot(
  shown: RecordView,
  { kind, record }: Question,
  gains: readonly Gain[],
): HTMLElement {
  const { title, of, tell } = questionTexts[kind];
  const specialist = kind === "specialist";
  return dotPlot({
    title,
    description: `${tell(gains)}${record === shown ? "" : ` From ${recordTitle(record)}.`}`,
    rows: gains,
    axis: `recall@1, ${of} (ratio)`,
    unit: "ratio",
    groupTitle: specialist ? "specialist" : "model",
    reference: 0,
    ...(specialist && {
      colours: ({ ink, paper }) => ({ domain: specialistGroups, range: [ink, paper] }),
    }),
  });
}

/** Every trained model less the chosen one. */
export function gainPlot(
  record: RecordView,
  baseline: string,
  gains: readonly Gain[],
): HTMLElement {
  const { better, worse, open } = countGains(gains);
  return dotPlot({
    title: `Recall@1 less that of ${baseline}`,
    description:
      `${better} differences are gains, ${worse} losses, ${open} cannot be told. The intervals ` +
      "are paired, so they are far narrower than those of the two values.",
    rows: gains,
    axis: "difference of recall@1 (ratio)",
    unit: "ratio",
    groupTitle: "model",
    series: true,
    reference: 0,
    note:
      `${confidenceOf(record)} intervals for paired proportions after Bonett and Price (2012), ` +
      "without correction for their number. Baselines without training are left out.",
  });
}
