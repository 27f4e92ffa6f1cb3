import type { Diagnosis } from "../../eval/gate/diagnosis.js";
import { colour, table, visible } from "../terminal.js";

export interface WrittenCard {
  readonly file: string | null;
  /** Why none was written; null where one was, or where none was asked for. */
  readonly why: string | null;
}

const right = { align: "right" as const };
const percent = (share: number): string => `${Math.round(100 * share)}%`;

/** A diagnosis for people at a terminal. */
export function diagnosisText(diagnosis: Diagnosis, written: WrittenCard): string {
  const paint = diagnosis.healthy ? colour.green : colour.red;
  const parts = [
    paint(colour.bold(visible(diagnosis.sentence))),
    scoresText(diagnosis),
    stagesText(diagnosis),
    attemptsText(diagnosis),
    layersText(diagnosis),
    quantisedText(diagnosis),
    written.file === null ? (written.why ?? "") : `wrote ${visible(written.file)}: look it over`,
  ];
  return parts.filter(Boolean).join("\n\n");
}

function scoresText({ scores, pictures }: Diagnosis): string {
  if (!scores) return "";
  const { metric, baseline, candidate, corrected } = scores;
  const values = [`baseline ${baseline.toFixed(3)}`, `candidate ${candidate.toFixed(3)}`];
  if (corrected !== null) values.push(`corrected ${corrected.toFixed(3)}`);
  return `${metric} on ${pictures} pictures: ${values.join(", ")}`;
}

function stagesText({ oracle }: Diagnosis): string {
  if (oracle.stages.length === 0) return "";
  const rows = oracle.stages.map((s) => [s.stage, s.likeness.toFixed(4), percent(s.explains)]);
  const heads = [{ head: "stage" }, { head: "likeness", ...right }, { head: "explains", ...right }];
  return `With one stage of the baseline:\n${table(heads, rows)}`;
}

function attemptsText({ oracle }: Diagnosis): string {
  if (oracle.attempts.length === 0) return "";
  const rows = oracle.attempts.slice(0, 8).map((a) => [a.with, a.fault, a.likeness.toFixed(4)]);
  const heads = [{ head: "with" }, { head: "mistake" }, { head: "likeness", ...right }];
  const given = oracle.asGiven.toFixed(4);
  return `Usual mistakes undone, one at a time (as given ${given}):\n${table(heads, rows)}`;
}

/** Rows around the first divergence. */
function layersText({ layers, layersWhy }: Diagnosis): string {
  if (!layers) return layersWhy === null ? "" : `layers not compared: ${visible(layersWhy)}`;
  const { matched, unmatched, first, rows, floorDb } = layers;
  const alone = unmatched.baseline + unmatched.candidate;
  const head = `${matched} values of the two graphs compared, ${alone} layers without a partner`;
  if (!first) return `${head}; none is below ${floorDb} dB`;
  const at = rows.indexOf(first);
  const shown = rows
    .slice(Math.max(0, at - 3), at + 4)
    .map((r) => [
      r === first ? ">" : "",
      r.op,
      r.baseline,
      r.candidate,
      r.db === null ? "-" : r.db.toFixed(1),
    ]);
  const heads = [
    { head: "" },
    { head: "operator" },
    { head: "baseline's value" },
    { head: "candidate's value" },
    { head: "dB", ...right },
  ];
  return `${head}; the first below ${floorDb} dB:\n${table(heads, shown)}`;
}

function quantisedText({ quantised }: Diagnosis): string {
  if (quantised.length === 0) return "";
  const rows = quantised
    .slice(0, 10)
    .map((q) => [q.candidate, q.op, q.weights, q.dbInFloat.toFixed(2), `+${q.gainDb.toFixed(2)}`]);
  const heads = [
    { head: "layer" },
    { head: "operator" },
    { head: "weights", ...right },
    { head: "dB in float", ...right },
    { head: "gain", ...right },
  ];
  const db = quantised[0]!.db.toFixed(2);
  const title = `Layers that lose most by int8 (${db} dB at the end as it is): keep these in float`;
  return `${title}\n${table(heads, rows)}`;
}
