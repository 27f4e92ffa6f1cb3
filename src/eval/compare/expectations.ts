import { UserError } from "../../pipeline/errors.js";
import type { ExperimentConfig } from "../config/config.js";
import { plainLabels } from "../record/paper-labels.js";
import type { Cell, RunRecord } from "../record/record.js";

/** A config's expected values held against a record: a benchmark that is a test, too. */

export interface Checked {
  /** Labels that the expectation gives for its cell. */
  readonly cell: Readonly<Record<string, string>>;
  readonly metric: string;
  readonly of: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly expected: number;
  readonly tolerance: number;
  readonly found: number | null;
  readonly verdict: "within" | "outside" | "not measured";
  readonly why: string | null;
}

/**
 * @throws UserError `expect-unknown` where an expectation names no cell, more than one cell, or a
 * score that its cell does not have: an expectation that nothing answers would pass in silence.
 */
export function checkExpectations(
  expectations: ExperimentConfig["expect"],
  record: RunRecord,
  file: string,
): Checked[] {
  return expectations.map(({ cell: labels, metric, of = {}, value, tolerance }, i): Checked => {
    const refuse = (message: string, expected: string, found: string): UserError =>
      new UserError({
        code: "expect-unknown",
        message,
        file,
        path: `expect[${i}]`,
        expected,
        found,
        fix: "give the labels that tell one cell from the others, and a metric of its kind",
      });
    const { kind, ...rest } = labels;
    const cells = record.cells.filter(
      (c) =>
        (kind === undefined || c.kind === kind) &&
        Object.entries(rest).every(([name, v]) => c.labels[name] === v),
    );
    const shown = (list: readonly Cell[]): string =>
      list
        .slice(0, 3)
        .map((c) => JSON.stringify({ kind: c.kind, ...plainLabels(c.labels) }))
        .join(", ");
    if (cells.length === 0)
      throw refuse(
        "no cell has these labels",
        `one of ${shown(record.cells)}`,
        JSON.stringify(labels),
      );
    if (cells.length > 1)
      throw refuse("more than one cell has these labels", "one cell", shown(cells));
    const cell = cells[0]!;
    const head = { cell: labels, metric, of, expected: value, tolerance };
    if (cell.state === "failed")
      return { ...head, unit: "", found: null, verdict: "not measured", why: cell.message };
    const scores = cell.scores.filter(
      (s) =>
        s.metric === metric &&
        Object.keys({ ...s.of, ...of }).every((name) => s.of?.[name] === of[name]),
    );
    if (scores.length !== 1) {
      const there = cell.scores.map((s) =>
        JSON.stringify({ metric: s.metric, ...(s.of && { of: s.of }) }),
      );
      throw refuse(
        `the cell has ${scores.length === 0 ? "no" : "more than one"} such score`,
        `one of ${[...new Set(there)].slice(0, 8).join(", ")}`,
        JSON.stringify({ metric, of }),
      );
    }
    const score = scores[0]!;
    if (score.value === null)
      return { ...head, unit: score.unit, found: null, verdict: "not measured", why: score.why };
    // Rounding in a value that was copied from a record must not fail it.
    const within = Math.abs(score.value - value) <= tolerance + 1e-12 * Math.abs(value);
    return {
      ...head,
      unit: score.unit,
      found: score.value,
      verdict: within ? "within" : "outside",
      why: null,
    };
  });
}
