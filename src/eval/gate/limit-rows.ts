import type { GateDocument } from "./gate-record.js";
import { show, type LimitResult } from "./limits.js";

/** A gate's limits as rows of text, for the terminal and for Markdown alike. */
export interface LimitRow {
  readonly verdict: string;
  readonly measure: string;
  readonly dataset: string;
  readonly baseline: string;
  readonly candidate: string;
  readonly value: string;
  readonly limit: string;
  readonly n: string;
  readonly why: string;
}

const order = { fail: 0, "cannot tell": 1, pass: 2 } as const;

/** Failures first, then what could not be told. */
export function limitRows({ limits }: GateDocument): LimitRow[] {
  return [...limits].sort((a, b) => order[a.verdict] - order[b.verdict]).map(rowOf);
}

function rowOf({ verdict, measure, dataset, kind, limit, finding, why }: LimitResult): LimitRow {
  const { value, baseline, candidate, bounds, n } = finding;
  const number = (v: number | undefined | null): string =>
    v === undefined || v === null ? "-" : show(v);
  const plus = kind === "loss" && value !== null && value > 0 ? "+" : "";
  const interval = bounds ? ` [${show(bounds[0])}, ${show(bounds[1])}]` : "";
  const sign = { loss: "lose ", least: ">= ", most: "<= " }[kind];
  return {
    verdict,
    measure,
    dataset: dataset ?? "",
    baseline: number(baseline),
    candidate: number(candidate),
    value: value === null ? "-" : `${plus}${show(value)}${interval}`,
    limit: `${sign}${show(limit)}`,
    n: n === undefined ? "" : String(n),
    why,
  };
}

/** One line: the verdict and what decided it. */
export function headline({ verdict, limits, baseline, candidate }: GateDocument): string {
  const count = (v: string): number => limits.filter((l) => l.verdict === v).length;
  const words = {
    pass: `all ${limits.length} limits hold`,
    fail: `${count("fail")} of ${limits.length} limits are broken`,
    "cannot tell": `${count("cannot tell")} of ${limits.length} limits could not be told`,
  }[verdict];
  return `${verdict.toUpperCase()}: ${candidate.name} against ${baseline.name}: ${words}`;
}
