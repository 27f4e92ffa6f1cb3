import { FileAttachment } from "observablehq:stdlib";
import type { GateView } from "../analysis/gate-view.js";
import { formatTime } from "../analysis/format.js";
import { runs } from "./runs.js";

/** The gates among the records, newest first. */
export const gates = ((await FileAttachment("../data/gates.json").json()) as GateView[]).filter(
  ({ key }) => runs.records.some((record) => record.key === key),
);

/** `fail: light-int8 against light-general, 3 Feb 2026, 09:30 UTC`. */
export function gateTitle({ key, document }: GateView): string {
  const record = runs.records.find((r) => r.key === key);
  const when = record ? `, ${formatTime(record.provenance.startedAt)}` : "";
  const { verdict, candidate, baseline } = document;
  return `${verdict}: ${candidate.name} against ${baseline.name}${when}`;
}
