import type { Diagnosis } from "../../../eval/gate/diagnosis.js";
import { divergenceChart } from "./divergence-chart.js";
import { markup, markupTable, type Markup } from "./markup.js";

const number = true;

/** Where a candidate broke: stages, mistakes undone, and the two graphs value by value. */
export function diagnosisSection(diagnosis: Diagnosis | null): Markup | null {
  if (!diagnosis) return null;
  const { layers, layersWhy, oracle, quantised } = diagnosis;
  return markup`<section><h2>Where it broke</h2>
<p>${diagnosis.sentence}</p>
${layers ? divergenceChart(layers) : markup`<p>Layers were not compared: ${layersWhy ?? ""}</p>`}
${layers ? layersTable(layers) : null}
${quantisedTable(quantised)}
${stagesTable(oracle)}
${attemptsTable(oracle)}
</section>`;
}

function layersTable({ rows, first }: NonNullable<Diagnosis["layers"]>): Markup {
  const columns = [
    { head: "Operator" },
    { head: "Baseline's value" },
    { head: "Candidate's value" },
    { head: "dB", number },
  ];
  const cells = rows.map((r) => {
    const db = r.db === null ? "-" : r.db.toFixed(1);
    return [r.op, r.baseline, r.candidate, r === first ? markup`<b>${db}</b>` : db];
  });
  return markup`<details><summary>Every value as a table (${rows.length})</summary>
${markupTable("Values in the order of computation", columns, cells)}</details>`;
}

function quantisedTable(quantised: Diagnosis["quantised"]): Markup | null {
  if (quantised.length === 0) return null;
  const columns = [
    { head: "Layer" },
    { head: "Operator" },
    { head: "Weights", number },
    { head: "dB at the end if in float", number },
    { head: "Gain, dB", number },
  ];
  const rows = quantised
    .slice(0, 10)
    .map((q) => [q.candidate, q.op, q.weights, q.dbInFloat.toFixed(2), q.gainDb.toFixed(2)]);
  return markupTable("Layers that lose most by int8: keep these in float", columns, rows);
}

function stagesTable({ stages }: Diagnosis["oracle"]): Markup | null {
  if (stages.length === 0) return null;
  const columns = [{ head: "Stage" }, { head: "Likeness", number }, { head: "Explains", number }];
  const rows = stages.map((s) => [
    s.stage,
    s.likeness.toFixed(4),
    `${Math.round(100 * s.explains)}%`,
  ]);
  return markupTable("With one stage of the baseline", columns, rows);
}

function attemptsTable({ attempts, asGiven }: Diagnosis["oracle"]): Markup | null {
  if (attempts.length === 0) return null;
  const columns = [{ head: "With" }, { head: "Mistake" }, { head: "Likeness", number }];
  const rows = attempts.slice(0, 8).map((a) => [a.with, a.fault, a.likeness.toFixed(4)]);
  const caption = `Usual mistakes undone, one at a time (as given ${asGiven.toFixed(4)})`;
  return markupTable(caption, columns, rows);
}
