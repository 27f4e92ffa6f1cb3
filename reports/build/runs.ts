// build/: folders of records in; the files that the site's pages load out. It never sees the DOM.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { GateDocument } from "../../src/eval/gate/gate-record.js";
import type { Case } from "../../src/eval/record/case.js";
import { casesFromArrow } from "../../src/eval/record/cases.js";
import { listRecords, type RunRecord } from "../../src/eval/record/record.js";
import { readSamples, unitOfSamples } from "../../src/eval/record/samples.js";
import { sampleQuantile } from "../../src/eval/stats/quantile.js";
import { gateDocumentOf } from "./gates.js";
import { choiceView } from "./choice.js";
import { errorTypesOf } from "./error-types.js";
import type {
  BrokenRecord,
  Curve,
  RecordView,
  RunsView,
  SampleSummary,
} from "../analysis/record-view.js";

/**
 * Reads run records for the data loaders. Whatever is wrong with a record is carried along and
 * shown; nothing here throws for it.
 */

const project = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Rows of cases that a site holds at most: older records beyond it show their scores, not their
 * cases.
 */
const caseBudget = 250_000;

export interface LoadedRun {
  readonly view: RecordView;
  /** Empty where the budget or a broken file left them out. */
  readonly cases: readonly Case[];
  /** Of a gate's record: its judgement. */
  readonly gate: GateDocument | null;
  /** Image root by data set, where the record names one that exists here. */
  readonly imageRoots: ReadonlyMap<string, string>;
}

/** The folder of run records: SHITU_RUNS, or runs/ of the project. */
export function runsFolder(): string {
  return resolve(project, process.env.SHITU_RUNS ?? "runs");
}

/** Every record of the runs folder and of its `reference/`, newest first. */
export async function loadRuns(
  folder: string = runsFolder(),
): Promise<{ runs: LoadedRun[]; broken: BrokenRecord[] }> {
  const entries = [
    ...(await listRecords(folder)).map((entry) => ({ entry, reference: false })),
    ...(await listRecords(join(folder, "reference"))).map((entry) => ({ entry, reference: true })),
  ];
  const runs: LoadedRun[] = [];
  const broken: BrokenRecord[] = [];
  const start = (e: (typeof entries)[number]): string =>
    "record" in e.entry ? e.entry.record.provenance.startedAt : "";
  entries.sort((a, b) => start(b).localeCompare(start(a)));
  let rows = 0;
  for (const { entry, reference } of entries) {
    const key = `${reference ? "reference/" : ""}${basename(entry.folder)}`;
    if ("problem" in entry) {
      broken.push({ key, problem: entry.problem.replaceAll(`${entry.folder}/`, "") });
      continue;
    }
    const run = await loadRun(entry.folder, entry.record, key, reference, caseBudget - rows);
    rows += run.cases.length;
    runs.push(run);
  }
  return { runs, broken };
}

export function runsView({ runs, broken }: Awaited<ReturnType<typeof loadRuns>>): RunsView {
  return { records: runs.map((run) => run.view), broken };
}

async function loadRun(
  folder: string,
  record: RunRecord,
  key: string,
  reference: boolean,
  budget: number,
): Promise<LoadedRun> {
  const warnings: string[] = [];
  const sidecar = async (name: string): Promise<unknown> => {
    const file = join(folder, name);
    if (!existsSync(file)) return {};
    try {
      return JSON.parse(await readFile(file, "utf8")) as unknown;
    } catch (error) {
      warnings.push(`${name} cannot be read: ${(error as Error).message}`);
      return {};
    }
  };
  let cases: readonly Case[] = [];
  let total = 0;
  if (existsSync(join(folder, "cases.arrow"))) {
    try {
      cases = casesFromArrow(await readFile(join(folder, "cases.arrow")));
      total = cases.length;
      if (total > budget) {
        cases = [];
        warnings.push(
          `its ${total} cases are left out of this site, which holds ${caseBudget} of the ` +
            "newest runs",
        );
      }
    } catch (error) {
      warnings.push(`cases.arrow cannot be read: ${(error as Error).message}`);
    }
  }
  const samples = summaries(
    await readSamples(folder).catch((error: unknown) => {
      warnings.push(
        `${existsSync(join(folder, "samples.arrow")) ? "samples.arrow" : "samples.json"} ` +
          `cannot be read: ${(error as Error).message.replaceAll(`${folder}/`, "")}`,
      );
      return {};
    }),
  );
  const curves = resampled(await sidecar("curves.json"));
  const imageRoots = roots(await sidecar("images.json"));
  const gate = gateDocumentOf(await sidecar("gate.json"));
  const choice = choiceOf(await sidecar("choice.json"), warnings);
  const errorTypes = errorTypesByCell(record, cases);
  return {
    view: {
      ...record,
      key,
      reference,
      warnings,
      samples,
      curves,
      errorTypes,
      choice,
      cases: { total, shown: cases.length, byCell: countByCell(cases) },
    },
    cases,
    gate,
    imageRoots,
  };
}

function choiceOf(value: unknown, warnings: string[]): RecordView["choice"] {
  try {
    return choiceView(value);
  } catch (error) {
    const [first] = (error as Error).message.split("\n");
    warnings.push(`choice.json is no answer of shitu choose: ${first}`);
    return null;
  }
}

function errorTypesByCell(record: RunRecord, cases: readonly Case[]): RecordView["errorTypes"] {
  const detection = new Map(
    record.cells.flatMap((cell): [string, Case[]][] =>
      cell.kind === "detection" && cell.state === "completed" ? [[cell.id, []]] : [],
    ),
  );
  for (const row of cases) detection.get(row.cell)?.push(row);
  return Object.fromEntries(
    [...detection].flatMap(([cell, rows]) => {
      const types = errorTypesOf(rows);
      return types === null ? [] : [[cell, types]];
    }),
  );
}

function countByCell(cases: readonly Case[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { cell } of cases) counts[cell] = (counts[cell] ?? 0) + 1;
  return counts;
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((x) => typeof x === "number" && Number.isFinite(x));
const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];

/** Every list of times as its 101 quantiles, by the function that scores them in records. */
function summaries(value: unknown): RecordView["samples"] {
  return Object.fromEntries(
    entriesOf(value).map(([cell, lists]) => [
      cell,
      Object.fromEntries(
        entriesOf(lists).flatMap(([name, list]): [string, SampleSummary][] => {
          if (!isNumbers(list) || list.length === 0 || unitOfSamples(name) !== "ms") return [];
          const sorted = Float64Array.from(list).sort();
          const quantiles = Array.from({ length: 101 }, (_, percent) =>
            sampleQuantile(sorted, percent / 100),
          );
          return [[name, { n: list.length, quantiles }]];
        }),
      ),
    ]),
  );
}

/** Curves thinned to 201 points at most, ends kept. */
function resampled(value: unknown): RecordView["curves"] {
  return Object.fromEntries(
    entriesOf(value).map(([cell, axes]) => [
      cell,
      Object.fromEntries(
        entriesOf(axes).flatMap(([name, list]): [string, number[]][] => {
          if (!isNumbers(list)) return [];
          const points = Math.min(list.length, 201);
          return [
            [
              name,
              Array.from(
                { length: points },
                (_, i) =>
                  list[points === 1 ? 0 : Math.round((i * (list.length - 1)) / (points - 1))]!,
              ),
            ],
          ];
        }),
      ) satisfies Curve,
    ]),
  );
}

function roots(value: unknown): Map<string, string> {
  return new Map(
    entriesOf(value).flatMap(([dataset, root]): [string, string][] => {
      if (typeof root !== "string") return [];
      const path = isAbsolute(root) ? root : join(project, root);
      return existsSync(path) ? [[dataset, path]] : [];
    }),
  );
}
