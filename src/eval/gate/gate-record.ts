import { createHash } from "node:crypto";
import { canonicalJson } from "../observe/cache.js";
import type { Case } from "../record/case.js";
import { casesToArrow } from "../record/cases.js";
import { collectProvenance } from "../record/provenance.js";
import {
  recordId,
  writeRecord,
  type Cell,
  type RecordedScore,
  type RunRecord,
} from "../record/record.js";
import { samplesToArrow } from "../record/samples.js";
import { recordSchemaVersion } from "../record/upgrade.js";
import { defaultIntervals, twoSidedLevel } from "../stats/interval-plan.js";
import { measured, named } from "../stats/score.js";
import type { Diagnosis } from "./diagnosis.js";
import { flipsOf, losersByClass, type ClassLoss, type GateFlip } from "./flips.js";
import type { DatasetResult, GateResult } from "./judgement.js";
import { measureNamed, type Finding } from "./measures.js";

/** A gate's judgement as a record under `runs/`, and the document that pages and machines read. */

/** `gate.json` in a record's folder, and what `--json` prints: all but the single items. */
export interface GateDocument extends Omit<GateResult, "datasets" | "latency"> {
  readonly schema: 1;
  readonly latency: {
    readonly verdict: string;
    readonly why: string;
    readonly noise: string;
  } | null;
  readonly datasets: readonly (Omit<DatasetResult, "items"> & {
    readonly items: number;
    /** Of `flipped` in all, at most so many. */
    readonly flips: readonly GateFlip[];
    readonly flipped: number;
    readonly losers: readonly ClassLoss[];
  })[];
  /** Null where nothing failed, or where it was not asked for. */
  readonly diagnosis: Diagnosis | null;
}

/** Flips that a document lists a data set. */
const mostFlips = 60;
const mostLosers = 20;

export function gateDocument(result: GateResult, diagnosis: Diagnosis | null): GateDocument {
  const { latency, datasets, ...rest } = result;
  return {
    schema: 1,
    ...rest,
    latency: latency && {
      verdict: latency.verdict,
      why: latency.why,
      noise: latency.certificate.passed
        ? "passed"
        : `failed: ${latency.certificate.why ?? "no reason"}`,
    },
    datasets: datasets.map(({ items, ...dataset }) => {
      const flips = flipsOf(items);
      return {
        ...dataset,
        items: items.length,
        flipped: flips.length,
        flips: flips.slice(0, mostFlips),
        losers: losersByClass(items).slice(0, mostLosers),
      };
    }),
    diagnosis,
  };
}

/**
 * Writes the record: a cell a data set, with a score a finding and a row an item.
 * @returns the record's folder.
 */
export async function writeGateRecord(
  runs: string,
  result: GateResult,
  document: GateDocument,
  times: { readonly startedAt: string; readonly finishedAt: string },
): Promise<string> {
  const identity = [result.gate, result.baseline, result.candidate, result.change];
  const configHash = createHash("sha256").update(canonicalJson(identity)).digest("hex");
  const cells = result.datasets.map((dataset) => cellOf(dataset, result));
  const record: RunRecord = {
    schema: recordSchemaVersion,
    id: recordId(times.startedAt, `gate-${result.gate}`, configHash),
    state: "completed",
    experiment: {
      name: `gate-${result.gate}`,
      title: `Gate: ${result.title}`,
      version: 1,
      protocol: "standard",
      config: {
        gate: result.gate,
        limits: result.limits.map(({ measure, limit }) => ({ measure, limit })),
      },
      configHash,
      intervals: { ...defaultIntervals, level: twoSidedLevel(result.level) },
    },
    provenance: { ...times, ...(await collectProvenance()) },
    cells: cells.map(({ cell }) => cell),
  };
  const { latency } = result;
  const samples =
    latency &&
    Object.fromEntries(Object.entries(latency.samplesMs).map(([name, list]) => [name, [...list]]));
  return writeRecord(runs, record, {
    "cases.arrow": casesToArrow(cells.flatMap(({ cases }) => cases)),
    "samples.arrow": samplesToArrow(samples ? { [cells[0]!.cell.id]: samples } : {}),
    "images.json": JSON.stringify(
      Object.fromEntries(result.datasets.map(({ name, images }) => [name, images])),
    ),
    "gate.json": `${JSON.stringify(document, null, 1)}\n`,
  });
}

function cellOf(dataset: DatasetResult, result: GateResult): { cell: Cell; cases: Case[] } {
  const { baseline, candidate } = result;
  const labels = { baseline: baseline.name, candidate: candidate.name, dataset: dataset.name };
  const hash = createHash("sha256").update(canonicalJson(labels)).digest("hex");
  const id = `gate-${hash.slice(0, 10)}`;
  const own = result.findings.filter((f) => f.dataset === dataset.name || f.dataset === null);
  return {
    cell: {
      id,
      kind: "gate",
      labels,
      versions: { model: candidate.sha256 ?? candidate.version, dataset: dataset.hash },
      state: "completed",
      scores: own.map((f) => scoreOf(f, result.level)),
      errors: dataset.items
        .filter((i) => i.candidate.failed)
        .map(({ item }) => ({ item, code: "not-measured", message: "the candidate gave nothing" })),
      notes: [
        `verdict: ${result.verdict}`,
        ...result.limits.map((l) => `${l.measure}: ${l.verdict}; ${l.why}`),
      ],
    },
    cases: dataset.items.map((i) => ({
      ...emptyCase,
      cell: id,
      item: i.item,
      image: i.image,
      truth: i.truth,
      prediction: i.candidate.said,
      outcome: outcomeOf(i.candidate),
    })),
  };
}

const emptyCase = {
  score: null,
  rank: null,
  neighbours: null,
  boxes: null,
  width: null,
  height: null,
  lostAt: null,
  stageMs: null,
};

function outcomeOf({
  right,
  failed,
}: DatasetResult["items"][number]["candidate"]): Case["outcome"] {
  if (failed) return "error";
  if (right === null) return "none";
  return right ? "hit" : "miss";
}

function scoreOf(finding: Finding, level: number): RecordedScore {
  const { kind, unit } = measureNamed(finding.measure);
  const better = kind === "most" ? ("lower" as const) : ("higher" as const);
  // Decibels are a ratio's logarithm; records know no unit of their own for them.
  const head = { metric: finding.measure, unit: unit === "dB" ? ("count" as const) : unit, better };
  if (finding.value === null) return { ...head, value: null, why: finding.why ?? "not measured" };
  const { value, n = 1, bounds, test } = finding;
  if (!Number.isFinite(value)) return { ...head, value: null, why: "no finite number" };
  const method = test?.name ?? "order-statistics";
  const interval = bounds
    ? { low: bounds[0], high: bounds[1], level: twoSidedLevel(level), method, units: n }
    : null;
  return named(head, measured(value, n, interval));
}
