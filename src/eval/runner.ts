import { createHash } from "node:crypto";
import { join } from "node:path";
import { UserError } from "../pipeline/errors.js";
import type { Clock, Progress } from "../pipeline/types.js";
import { canonicalJson } from "./cache.js";
import { casesToArrow } from "./cases.js";
import type { LoadedConfig } from "./config.js";
import type { CellContext, CellPlan } from "./experiments/cell.js";
import { planMeasurement } from "./experiments/plan.js";
import { collectProvenance } from "./provenance.js";
import { recordId, writeRecord, type RunRecord } from "./record.js";
import { Resources } from "./resources.js";
import { Workspace, type FinishedCell } from "./workspace.js";

/** What the runner tells while it works. */
export interface RunEvents {
  cellStarted?(labels: Readonly<Record<string, string>>, kind: string, place: number, total: number): Progress;
  cellFinished?(done: FinishedCell, resumed: boolean): void;
}

export interface RunOptions {
  readonly runs: string;
  readonly cache: string;
  readonly resume?: boolean;
  readonly fresh?: boolean;
  readonly signal?: AbortSignal;
  readonly events?: RunEvents;
  readonly now?: () => Date;
  readonly clock?: Clock;
}

/**
 * Runs every cell of a config and writes one record. A cell that fails for the user's reasons becomes a failed cell and the
 * sweep goes on; a fault of ours stops the run (what was finished stays for `--resume`).
 *
 * @returns the record and its folder; `record.state` is `failed` when any cell is.
 */
export async function runExperiment(loaded: LoadedConfig, options: RunOptions): Promise<{ record: RunRecord; folder: string }> {
  const { config } = loaded;
  const now = options.now ?? (() => new Date());
  const signal = options.signal ?? new AbortController().signal;
  const configHash = createHash("sha256").update(canonicalJson(config)).digest("hex");
  const workspace = await Workspace.open(join(options.runs, `.${config.name}-${configHash.slice(0, 12)}.partial`), {
    resume: options.resume ?? false,
    fresh: options.fresh ?? false,
    now: now().toISOString(),
  });
  const resources = new Resources(loaded, options.cache);
  try {
    const plans = (await Promise.all(config.measure.map((m) => planMeasurement(m, loaded, resources)))).flat();
    const done: FinishedCell[] = [];
    for (const [place, plan] of plans.entries()) {
      signal.throwIfAborted();
      const id = cellId(plan);
      const earlier = workspace.finished(id);
      if (earlier) {
        done.push(earlier);
        options.events?.cellFinished?.(earlier, true);
        continue;
      }
      const progress = options.events?.cellStarted?.(plan.labels, plan.kind, place, plans.length) ?? (() => undefined);
      const finished = await measureCell(id, plan, { resources, signal, progress });
      await workspace.finish(finished);
      done.push(finished);
      options.events?.cellFinished?.(finished, false);
    }
    const record = await compose(loaded, configHash, workspace.startedAt, now().toISOString(), done);
    const folder = await writeRecord(options.runs, record, filesOf(done));
    await workspace.remove();
    return { record, folder };
  } finally {
    await resources.close();
    await workspace.release();
  }
}

async function measureCell(id: string, plan: CellPlan, context: CellContext): Promise<FinishedCell> {
  const head = { id, kind: plan.kind, labels: { ...plan.labels } };
  try {
    const { versions, scores, errors = [], notes = [], cases, samples, curves, imageRoots } = await plan.measure(context);
    return {
      cell: { ...head, versions: { ...versions }, state: "completed", scores, errors, notes: [...notes] },
      cases: cases.map((c) => ({ ...c, cell: id })),
      ...(samples && { samples }),
      ...(curves && { curves }),
      ...(imageRoots && { imageRoots }),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { cell: { ...head, versions: {}, state: "failed", code: error.code, message: error.message }, cases: [] };
  }
}

/** Stable over runs and machines: the kind, and a hash of the labels. */
function cellId({ kind, labels }: CellPlan): string {
  return `${kind}-${createHash("sha256").update(canonicalJson(labels)).digest("hex").slice(0, 10)}`;
}

async function compose({ config }: LoadedConfig, configHash: string, startedAt: string, finishedAt: string, done: readonly FinishedCell[]): Promise<RunRecord> {
  const provenance = await collectProvenance();
  return {
    schema: 1,
    id: recordId(startedAt, config.name, configHash),
    state: done.every((d) => d.cell.state === "completed") ? "completed" : "failed",
    experiment: { name: config.name, title: config.title, version: config.version, protocol: config.protocol, config, configHash },
    provenance: { startedAt, finishedAt, ...provenance },
    cells: done.map((d) => d.cell),
  };
}

function filesOf(done: readonly FinishedCell[]): Record<string, Uint8Array | string> {
  const by = <T>(pick: (d: FinishedCell) => T | undefined): string =>
    JSON.stringify(Object.fromEntries(done.flatMap((d) => { const value = pick(d); return value === undefined ? [] : [[d.cell.id, value]]; })));
  return {
    "cases.arrow": casesToArrow(done.flatMap((d) => d.cases)),
    "samples.json": by((d) => d.samples),
    "curves.json": by((d) => d.curves),
    "images.json": JSON.stringify(Object.assign({}, ...done.map((d) => d.imageRoots ?? {}))),
  };
}
