// run/: a config in, one record out: its cells are measured in a process beside this one, kept and
// resumed. It never sees what a cell computes.
import { createHash } from "node:crypto";
import { join, sep } from "node:path";
import { UserError } from "../../pipeline/errors.js";
import { projectRoot } from "../../pipeline/root.js";
import { monotonicClock } from "../../pipeline/stopwatch.js";
import type { Clock, Progress } from "../../pipeline/types.js";
import { canonicalJson } from "../observe/cache.js";
import type { CellProcess } from "./cell-process.js";
import { changedSources, measureHere, timedSources, type MeasuredCell } from "./measured-cell.js";
import { casesToArrow } from "../record/cases.js";
import type { LoadedConfig } from "../config/config.js";
import { intervalsOf } from "../config/intervals.js";
import type { CellContext, CellOutcome, CellPlan, Sources } from "../experiments/cell.js";
import type { TimedBlock } from "../experiments/model-cost.js";
import { planMeasurement } from "../experiments/plan.js";
import { paperLabels } from "../record/paper-labels.js";
import { collectProvenance } from "../record/provenance.js";
import { recordSchemaVersion } from "../record/upgrade.js";
import { recordId, writeRecord, type RunRecord } from "../record/record.js";
import { Resources, type SharedWork } from "../observe/resources.js";
import { samplesToArrow } from "../record/samples.js";
import type { FinishedCell } from "../record/finished-cell.js";
import { ModelTimes, type DueBlock } from "./model-times.js";
import { Workspace } from "./workspace.js";

/** What the runner tells while it works. */
export interface RunEvents {
  cellStarted?(
    labels: Readonly<Record<string, string>>,
    kind: string,
    place: number,
    total: number,
  ): Progress;
  cellFinished?(done: FinishedCell, resumed: boolean, took?: CellTime): void;
  /** An earlier run's cell is measured anew: what it came from has changed. */
  cellOutdated?(done: FinishedCell, changed: readonly string[]): void;
  /** Files of the earlier run that are damaged: what they held is measured anew. */
  damaged?(files: readonly string[], folder: string): void;
}

/** Milliseconds that a cell took, and how many of them timing loops did. */
export interface CellTime {
  readonly ms: number;
  readonly loopMs: number;
}

export interface RunOptions {
  readonly runs: string;
  readonly cache: string;
  readonly resume?: boolean;
  readonly fresh?: boolean;
  /** Write a record also where every cell failed: for a run of many configs, which goes on. */
  readonly keepFailures?: boolean;
  readonly signal?: AbortSignal;
  readonly events?: RunEvents;
  readonly now?: () => Date;
  readonly clock?: Clock;
  /** Threads and pictures that go on after this run; without them, the run has its own. */
  readonly work?: SharedWork;
  /** Where cells are measured; without it, in this process, which a crash of native code ends. */
  readonly process?: CellProcess;
}

/**
 * The cells of a config in their order, with what is known to stand in their way; nothing is opened
 * or measured.
 *
 * @throws UserError `cell-twice` where two cells have the same labels: one would be taken for the
 * other.
 */
export async function planExperiment(
  loaded: LoadedConfig,
  resources: Resources,
): Promise<CellPlan[]> {
  const plans = (
    await Promise.all(loaded.config.measure.map((m) => planMeasurement(m, loaded, resources)))
  ).flat();
  const seen = new Set<string>();
  for (const plan of plans) {
    const id = cellId(plan);
    if (seen.has(id)) {
      throw new UserError({
        code: "cell-twice",
        message: "two cells of the sweep have the same labels",
        file: loaded.file,
        path: "measure",
        found: `${plan.kind} ${Object.values(plan.labels).join(" ")}`,
        fix:
          "list a model, data set or index once, or give models names of their own: { " +
          "card: …, name: … }",
      });
    }
    seen.add(id);
  }
  return plans;
}

/**
 * Runs every cell of a config and writes one record. A cell that fails for the user's reasons
 * becomes a failed cell and the sweep goes on; a fault of ours, or a disk that takes no more, stops
 * the run (what was finished stays for `--resume`).
 *
 * @returns the record and its folder; `record.state` is `failed` when any cell is.
 * @throws UserError the first cell's problem where no cell at all could be measured (unless one
 * crashed): nothing is written then.
 */
export async function runExperiment(
  loaded: LoadedConfig,
  options: RunOptions,
): Promise<{ record: RunRecord; folder: string }> {
  const { config } = loaded;
  const now = options.now ?? (() => new Date());
  const signal = options.signal ?? new AbortController().signal;
  const configHash = createHash("sha256").update(canonicalJson(config)).digest("hex");
  const workspace = await Workspace.open(
    join(options.runs, `.${config.name}-${configHash.slice(0, 12)}.partial`),
    {
      resume: options.resume ?? false,
      fresh: options.fresh ?? false,
      now: now().toISOString(),
    },
  );
  const resources = new Resources(loaded, options.cache, options.work);
  const clock = options.clock ?? monotonicClock;
  try {
    if (workspace.damaged.length > 0)
      options.events?.damaged?.(workspace.damaged, workspace.folder);
    const plans = await planExperiment(loaded, resources);
    if (plans[0]?.problem && plans.every((p) => p.problem)) throw plans[0].problem;
    const timed = await timedSources(plans);
    const times = new ModelTimes(plans, await workspace.times(timed));
    const done: FinishedCell[] = [];
    const failures: UserError[] = [];
    const timeBlock = ({ plan, timing, number }: DueBlock): Promise<TimedBlock> =>
      options.process
        ? options.process.time(
            { loaded, cache: options.cache, cell: cellId(plan), block: number },
            signal,
          )
        : timing.block(number, resources, signal);
    for (const [place, plan] of plans.entries()) {
      signal.throwIfAborted();
      const id = cellId(plan);
      const earlier = workspace.kept(id);
      const changed = earlier ? await changedSources(earlier.sources, plan) : [];
      if (earlier && changed.length === 0) {
        done.push(earlier.done);
        options.events?.cellFinished?.(earlier.done, true);
        continue;
      }
      if (earlier) options.events?.cellOutdated?.(earlier.done, changed);
      const progress =
        options.events?.cellStarted?.(plan.labels, plan.kind, place, plans.length) ??
        (() => undefined);
      const start = clock();
      let loopMs = 0;
      let sources: Sources | null = null;
      const measure = async (): Promise<CellOutcome> => {
        const measured = await measureWhere(
          plan,
          id,
          { resources, signal, progress, intervals: intervalsOf(config) },
          loaded,
          options,
          workspace,
        );
        ({ loopMs, sources } = measured);
        return measured.outcome;
      };
      const finished = await finishCell(
        { kind: plan.kind, labels: { ...plan.labels, ...paperLabels(plan, config) } },
        id,
        measure,
        (error) => failures.push(error),
      );
      await workspace.finish({ done: finished, sources });
      done.push(finished);
      options.events?.cellFinished?.(finished, false, { ms: clock() - start, loopMs });
      await timeModels(times, (place + 1) / plans.length, timeBlock);
      await workspace.keepTimes(times.kept, timed);
    }
    // What a run that was cut off left to do.
    await timeModels(times, 1, timeBlock);
    // Nothing to keep: all is wrong for a reason that the user can mend.
    if (
      !options.keepFailures &&
      failures[0] &&
      failures.length === done.length &&
      failures.every(({ code }) => code !== "cell-crashed")
    ) {
      await workspace.remove();
      throw failures[0];
    }
    const { level } = intervalsOf(config);
    const completed = done.map((d, i) => times.complete(d, plans[i]!, level));
    const record = await compose(
      loaded,
      configHash,
      workspace.startedAt,
      now().toISOString(),
      completed,
    );
    const folder = await writeRecord(options.runs, record, filesOf(completed));
    await workspace.remove();
    return { record, folder };
  } finally {
    await resources.close();
    await workspace.release();
  }
}

async function timeModels(
  times: ModelTimes,
  share: number,
  timeBlock: (due: DueBlock) => Promise<TimedBlock>,
): Promise<void> {
  for (const due of times.due(share))
    try {
      times.add(due, await timeBlock(due));
    } catch (error) {
      times.fail(due, error);
    }
}

/**
 * In the process given for it, else here. What is known to be missing is not carried to another
 * process to be found missing there.
 */
async function measureWhere(
  plan: CellPlan,
  id: string,
  context: CellContext,
  loaded: LoadedConfig,
  options: RunOptions,
  workspace: Workspace,
): Promise<MeasuredCell> {
  if (!options.process || plan.problem) {
    return measureHere(plan, context);
  }
  options.process.start();
  if (options.process.pid !== null) await workspace.admit(options.process.pid);
  return options.process.measure({ loaded, cache: options.cache, cell: id }, context);
}

async function finishCell(
  { kind, labels }: Pick<CellPlan, "kind" | "labels">,
  id: string,
  measure: () => Promise<CellOutcome>,
  onFailure: (error: UserError) => void,
): Promise<FinishedCell> {
  const head = { id, kind, labels: { ...labels } };
  try {
    const {
      versions,
      scores,
      errors = [],
      notes = [],
      findings,
      cases,
      samples,
      curves,
      imageRoots,
    } = await measure();
    return {
      cell: {
        ...head,
        versions: { ...versions },
        state: "completed",
        scores,
        errors: errors.map((e) => ({ ...e, message: withoutRoot(e.message) })),
        notes: [...notes],
        ...(findings && { findings: [...findings] }),
      },
      cases: cases.map((c) => ({ ...c, cell: id })),
      ...(samples && { samples }),
      ...(curves && { curves }),
      ...(imageRoots && { imageRoots }),
    };
  } catch (error) {
    // A disk that takes no more would fail every further cell, and each would look like a fault of
    // its own.
    if (!(error instanceof UserError) || error.code === "write-failed") throw error;
    onFailure(error);
    return {
      cell: {
        ...head,
        versions: {},
        state: "failed",
        code: error.code,
        message: withoutRoot(error.message),
      },
      cases: [],
    };
  }
}

/**
 * Paths inside the project are recorded relative to it: a record says nothing about the machine's
 * folders.
 */
function withoutRoot(message: string): string {
  return message.replaceAll(`${projectRoot}${sep}`, "");
}

/** Stable over runs and machines: the kind, and a hash of the labels. */
export function cellId({ kind, labels }: CellPlan): string {
  return `${kind}-${createHash("sha256").update(canonicalJson(labels)).digest("hex").slice(0, 10)}`;
}

async function compose(
  { config }: LoadedConfig,
  configHash: string,
  startedAt: string,
  finishedAt: string,
  done: readonly FinishedCell[],
): Promise<RunRecord> {
  const provenance = await collectProvenance();
  return {
    schema: recordSchemaVersion,
    id: recordId(startedAt, config.name, configHash),
    state: done.every((d) => d.cell.state === "completed") ? "completed" : "failed",
    experiment: {
      name: config.name,
      title: config.title,
      version: config.version,
      protocol: config.protocol,
      config,
      configHash,
      intervals: { ...intervalsOf(config) },
    },
    provenance: { startedAt, finishedAt, ...provenance },
    cells: done.map((d) => d.cell),
  };
}

function filesOf(done: readonly FinishedCell[]): Record<string, Uint8Array | string> {
  const by = <T>(pick: (d: FinishedCell) => T | undefined): string =>
    JSON.stringify(
      Object.fromEntries(
        done.flatMap((d) => {
          const value = pick(d);
          return value === undefined ? [] : [[d.cell.id, value]];
        }),
      ),
    );
  return {
    "cases.arrow": casesToArrow(done.flatMap((d) => d.cases)),
    "samples.arrow": samplesToArrow(
      Object.fromEntries(done.flatMap((d) => (d.samples ? [[d.cell.id, d.samples]] : []))),
    ),
    "curves.json": by((d) => d.curves),
    "images.json": JSON.stringify(Object.assign({}, ...done.map((d) => d.imageRoots ?? {}))),
  };
}
