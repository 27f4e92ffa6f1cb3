import type { DumpComparison } from "../../eval/gate/dumps.js";
import { colour, table, visible } from "../terminal.js";

/** Dumped tensors beside an export's, for people at a terminal. */
export function dumpsText({ sentence, healthy, rows, unknown }: DumpComparison): string {
  const right = { align: "right" as const };
  const paint = healthy ? colour.green : colour.red;
  const cells = rows.map((row) => [
    row.fine ? "" : ">",
    row.file,
    row.value,
    row.shape.join("x"),
    row.db === null ? "-" : row.db.toFixed(1),
    row.relative === null ? "another size" : row.relative.toExponential(1),
  ]);
  const heads = [
    { head: "" },
    { head: "tensor" },
    { head: "the model's value" },
    { head: "shape", ...right },
    { head: "dB", ...right },
    { head: "largest difference", ...right },
  ];
  const parts = [paint(colour.bold(visible(sentence))), table(heads, cells)];
  if (unknown.length > 0) {
    parts.push(`not in the graph (fused, or named otherwise): ${visible(unknown.join(", "))}`);
  }
  return parts.join("\n\n");
}
