import type { GateDocument } from "../../src/eval/gate/gate-record.js";
import { picturedFlips, type GateView } from "../analysis/gate-view.js";
import type { LoadedRun } from "./runs.js";
import type { ShownCase } from "./shown-cases.js";

/** The document of a gate's record; null for what is none. */
export function gateDocumentOf(value: unknown): GateDocument | null {
  const { verdict, limits, datasets } = (value ?? {}) as Partial<GateDocument>;
  const whole = typeof verdict === "string" && Array.isArray(limits) && Array.isArray(datasets);
  return whole ? (value as GateDocument) : null;
}

/** The gates among the records, newest first. */
export function gateViews(runs: readonly LoadedRun[]): GateView[] {
  return runs.flatMap(({ view, gate }) => (gate ? [{ key: view.key, document: gate }] : []));
}

/** The cases whose pictures the flips of gates show. */
export function flippedCases(runs: readonly LoadedRun[]): ShownCase[] {
  return runs.flatMap(({ view, gate, cases }) =>
    (gate?.datasets ?? []).flatMap(({ name, flips }) => {
      const wanted = new Set(flips.slice(0, picturedFlips).map(({ item }) => item));
      const cell = view.cells.find((c) => c.labels.dataset === name)?.id;
      return cases
        .filter((row) => row.cell === cell && wanted.has(row.item))
        .map((row): ShownCase => ({ ...row, record: view.key, dataset: name, picturePriority: 0 }));
    }),
  );
}
