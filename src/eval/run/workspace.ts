import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { asWriteError } from "../../pipeline/atomic-file.js";
import { UserError } from "../../pipeline/errors.js";
import { takeLock, type HeldLock } from "../../pipeline/folder-lock.js";
import { scratchBeside } from "../../pipeline/scratch.js";
import type { Sources } from "../experiments/cell.js";
import { finishedCellSchema, type FinishedCell } from "../record/finished-cell.js";
import type { KeptTimes } from "./model-times.js";
import { readSealed, writeSealed } from "./sealed-file.js";

/** A finished cell with the hashes of what it came from; null where they could not be had. */
export interface KeptCell {
  readonly done: FinishedCell;
  readonly sources: Sources | null;
}

const keptSchema = z.strictObject({
  done: finishedCellSchema,
  sources: z.record(z.string(), z.string()).nullable(),
});
const timesSchema = z.strictObject({
  times: z.record(
    z.string(),
    z.strictObject({
      dataset: z.string(),
      pictures: z.number().int().positive(),
      samplesMs: z.array(z.number()),
    }),
  ),
  sources: z.record(z.string(), z.string()),
});
const startedSchema = z.strictObject({ startedAt: z.iso.datetime() });

/**
 * The folder of a run that goes on: one file a finished cell, written atomically, so that a kill
 * loses at most the cell in flight (whose items are in the observation cache). One process at a
 * time: the second is refused.
 */
export class Workspace {
  readonly folder: string;
  readonly startedAt: string;
  /** An earlier run began it. */
  readonly resumed: boolean;
  /** Names of files that were damaged: what they held is measured anew. */
  readonly damaged: readonly string[];
  readonly #kept: Map<string, KeptCell>;
  readonly #lock: HeldLock;
  #admitted: number | null = null;

  private constructor(
    folder: string,
    begun: { readonly startedAt: string; readonly resumed: boolean },
    { kept, damaged }: Finished,
    lock: HeldLock,
  ) {
    this.folder = folder;
    this.startedAt = begun.startedAt;
    this.resumed = begun.resumed;
    this.damaged = damaged;
    this.#kept = kept;
    this.#lock = lock;
  }

  /**
   * @throws UserError `run-locked` while another process works there; `run-unfinished` where an
   * earlier run was cut off and neither `resume` nor `fresh` says what to do with it.
   */
  static async open(
    folder: string,
    { resume, fresh, now }: { resume: boolean; fresh: boolean; now: string },
  ): Promise<Workspace> {
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw asWriteError(folder, error);
    });
    const lock = await takeLock(join(folder, "lock")).catch((error: unknown) => {
      throw asRunLocked(error);
    });
    try {
      if (fresh) await clear(folder);
      const finished = await readFinished(folder);
      const file = join(folder, "started");
      const resumed = finished.kept.size > 0 || finished.damaged.length > 0;
      if (resumed && !resume) throw unfinished(folder, finished.kept.size);
      const found = resumed ? await readSealed(file, startedSchema) : "missing";
      const startedAt = typeof found === "object" ? found.value.startedAt : now;
      if (typeof found !== "object") await writeSealed(file, { startedAt });
      const damaged = [...finished.damaged, ...(found === "damaged" ? ["started"] : [])];
      return new Workspace(folder, { startedAt, resumed }, { ...finished, damaged }, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** A cell that an earlier run finished, with what it came from. */
  kept(id: string): KeptCell | undefined {
    return this.#kept.get(id);
  }

  async finish(kept: KeptCell): Promise<void> {
    const { id } = kept.done.cell;
    await writeSealed(join(this.folder, cellFile(id)), kept);
    this.#kept.set(id, kept);
  }

  /** Times of models so far, of an earlier run of the same sources too; none where lost. */
  async times(sources: Sources): Promise<Readonly<Record<string, KeptTimes>>> {
    const found = await readSealed(join(this.folder, timesFile), timesSchema);
    return typeof found === "object" && isDeepStrictEqual(found.value.sources, sources)
      ? found.value.times
      : {};
  }

  async keepTimes(times: Readonly<Record<string, KeptTimes>>, sources: Sources): Promise<void> {
    await writeSealed(join(this.folder, timesFile), { times, sources });
  }

  /**
   * Names the process that measures for this run: until it has ended, too, nobody else is let in.
   */
  async admit(pid: number): Promise<void> {
    if (this.#admitted === pid) return;
    this.#admitted = pid;
    await this.#lock.admit(pid);
  }

  /** Lets others in; finished cells stay for `--resume`, and where there is none, nothing does. */
  async release(): Promise<void> {
    if (![...this.#kept.values()].some(({ done }) => done.cell.state === "completed"))
      await this.remove();
    await this.#lock.release();
  }

  /** The record is written: nothing here is needed any more. */
  async remove(): Promise<void> {
    // Out of the way first: who comes meanwhile begins a folder of its own.
    const aside = scratchBeside(this.folder);
    await rename(this.folder, aside).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw asWriteError(aside, error);
    });
    await rm(aside, { recursive: true, force: true });
  }
}

const timesFile = "model-times.json";

function cellFile(id: string): string {
  return `cell-${id}.json`;
}

function asRunLocked(error: unknown): unknown {
  if (!(error instanceof UserError) || error.code !== "folder-locked") return error;
  const { message, fix, ...rest } = error.complaint;
  return new UserError({
    ...rest,
    code: "run-locked",
    message: `another process is running this config: ${message}`,
    fix: `${fix}; or give this run another --runs folder`,
  });
}

function unfinished(folder: string, cells: number): UserError {
  return new UserError({
    code: "run-unfinished",
    message: `an earlier run of this config was cut off with ${cells} cells finished`,
    file: folder,
    fix: "go on with --resume, or begin anew with --fresh",
  });
}

async function clear(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name !== "lock") await rm(join(folder, name), { recursive: true, force: true });
}

interface Finished {
  readonly kept: Map<string, KeptCell>;
  readonly damaged: readonly string[];
}

async function readFinished(folder: string): Promise<Finished> {
  const kept = new Map<string, KeptCell>();
  const damaged: string[] = [];
  for (const name of await readdir(folder)) {
    if (!/^cell-.*\.json$/.test(name)) continue;
    const found = await readSealed(join(folder, name), keptSchema);
    if (found === "missing") continue;
    if (found === "damaged" || name !== cellFile(found.value.done.cell.id)) {
      damaged.push(basename(name));
      continue;
    }
    const { cell } = found.value.done;
    // A failed cell is tried again.
    if (cell.state === "completed") kept.set(cell.id, found.value);
  }
  return { kept, damaged };
}
