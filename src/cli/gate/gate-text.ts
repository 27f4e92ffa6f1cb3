// gate/: what the gate and the diagnosis found in; text for people and for machines out. It never
// judges.
import { changeNames } from "../../eval/gate/change.js";
import type { GateDocument } from "../../eval/gate/gate-record.js";
import { colour, table, visible } from "../terminal.js";
import { headline, limitRows } from "../../eval/gate/limit-rows.js";

/** A gate's judgement for people at a terminal. */
export function gateText(document: GateDocument, { flips }: { readonly flips: number }): string {
  const paint = { pass: colour.green, fail: colour.red, "cannot tell": colour.yellow };
  const right = { align: "right" as const };
  const rows = limitRows(document).map((r) => [
    r.verdict,
    r.measure,
    r.dataset,
    r.baseline,
    r.candidate,
    r.value,
    r.limit,
    r.n,
  ]);
  const limits = table(
    [
      { head: "verdict" },
      { head: "measure" },
      { head: "data set" },
      { head: "baseline", ...right },
      { head: "candidate", ...right },
      { head: "difference or value", ...right },
      { head: "limit" },
      { head: "n", ...right },
    ],
    rows,
  );
  const open = document.limits
    .filter((l) => l.verdict !== "pass")
    .map((l) => `  ${l.verdict}: ${l.measure}: ${visible(l.why)}`);
  const facts = [
    `change: ${changeNames[document.change]}; level ${document.level}`,
    ...document.notes,
    ...(document.latency ? [`latency: ${document.latency.why}`] : []),
  ];
  const parts = [
    paint[document.verdict](colour.bold(headline(document))),
    facts.map((f) => `  ${visible(f)}`).join("\n"),
    limits,
    open.join("\n"),
    ...document.datasets.map((d) => flipText(d, flips)),
    diagnosisText(document),
  ];
  return parts.filter(Boolean).join("\n\n");
}

function diagnosisText({ diagnosis }: GateDocument): string {
  return diagnosis ? `${colour.bold("Where it broke:")} ${visible(diagnosis.sentence)}` : "";
}

function flipText(dataset: GateDocument["datasets"][number], count: number): string {
  if (count === 0 || dataset.flips.length === 0) return "";
  const rows = dataset.flips
    .slice(0, count)
    .map((f) => [f.direction, f.item, f.truth, f.baseline, f.candidate]);
  const heads = ["", "item", "truth", "baseline said", "candidate said"].map((head) => ({ head }));
  const losers = dataset.losers.slice(0, 5).map((l) => `${l.label} ${l.gained - l.lost}`);
  const lost =
    losers.length > 0 ? `\nclasses that lost most: ${losers.map(visible).join(", ")}` : "";
  return `${dataset.name}: ${dataset.flipped} items flipped\n${table(heads, rows)}${lost}`;
}
