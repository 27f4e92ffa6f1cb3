import { mkdir, open, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { asWriteError, writeAtomic } from "../../pipeline/atomic-file.js";
import { UserError } from "../../pipeline/errors.js";
import { upgradedCase } from "../record/case-upgrade.js";
import type { FinishedCell } from "../record/finished-cell.js";

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
  readonly #finished: Map<string, FinishedCell>;
  #admitted: number | null = null;

  private constructor(
    folder: string,
    startedAt: string,
    resumed: boolean,
    finished: Map<string, FinishedCell>,
  ) {
    this.folder = folder;
    this.startedAt = startedAt;
    this.resumed = resumed;
    this.#finished = finished;
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
    await lock(folder);
    try {
      if (fresh) await clear(folder);
      const finished = await readFinished(folder);
      const begun = await readFile(join(folder, "started"), "utf8").catch(() => null);
      if (begun !== null && !resume) {
        throw new UserError({
          code: "run-unfinished",
          message: `an earlier run of this config was cut off with ${finished.size} cells finished`,
          file: folder,
          fix: "go on with --resume, or begin anew with --fresh",
        });
      }
      const startedAt = begun ?? now;
      if (begun === null) await writeAtomic(join(folder, "started"), startedAt);
      return new Workspace(folder, startedAt, begun !== null, finished);
    } catch (error) {
      await rm(join(folder, "lock"), { force: true });
      throw error;
    }
  }

  finished(id: string): FinishedCell | undefined {
    return this.#finished.get(id);
  }

  async finish(done: FinishedCell): Promise<void> {
    await writeAtomic(join(this.folder, `cell-${done.cell.id}.json`), JSON.stringify(done), {
      flush: false,
    });
    this.#finished.set(done.cell.id, done);
  }

  /** Times of models so far, of an earlier run too; nothing where they are lost. */
  async times<T>(): Promise<T | undefined> {
    const text = await readFile(join(this.folder, timesFile), "utf8").catch(() => "");
    return parsed<T>(text) ?? undefined;
  }

  async keepTimes(times: unknown): Promise<void> {
    await writeAtomic(join(this.folder, timesFile), JSON.stringify(times), { flush: false });
  }

  /**
   * Names the process that measures for this run: until it has ended, too, nobody else is let in.
   */
  async admit(pid: number): Promise<void> {
    if (this.#admitted === pid) return;
    this.#admitted = pid;
    await writeAtomic(join(this.folder, "lock"), `${process.pid} ${pid}`, { flush: false });
  }

  /** Lets others in; the finished cells stay for `--resume`. */
  async release(): Promise<void> {
    await rm(join(this.folder, "lock"), { force: true });
  }

  /** The record is written: nothing here is needed any more. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

const timesFile = "model-times.json";

async function clear(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name !== "lock") await rm(join(folder, name), { recursive: true, force: true });
}

async function readFinished(folder: string): Promise<Map<string, FinishedCell>> {
  const finished = new Map<string, FinishedCell>();
  for (const name of await readdir(folder)) {
    if (!/^cell-.*\.json$/.test(name)) continue;
    const done = parsed<FinishedCell>(await readFile(join(folder, name), "utf8"));
    // A failed cell is tried again, and so is one that a power cut left without its content.
    if (done?.cell.state !== "completed") continue;
    finished.set(done.cell.id, { ...done, cases: done.cases.map(upgradedCase) });
  }
  return finished;
}

function parsed<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}

/** Longest that the worker of a killed owner is waited for. */
const lingerMs = 20_000;

async function lock(folder: string): Promise<void> {
  const file = join(folder, "lock");
  for (let attempt = 0; ; attempt++) {
    try {
      const handle = await open(file, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt > 1)
        throw asWriteError(file, error);
      const [owner = 0, worker = 0] = (await readFile(file, "utf8").catch(() => ""))
        .split(" ")
        .map(Number);
      // What measured for an owner that was killed sees that, and ends, in a moment: an item that
      // it has in hand is still written.
      for (
        const start = performance.now();
        owner > 0 &&
        !alive(owner) &&
        worker > 0 &&
        alive(worker) &&
        performance.now() - start < lingerMs;
      )
        await wait(10);
      if (owner > 0 && (alive(owner) || (worker > 0 && alive(worker)))) {
        throw new UserError({
          code: "run-locked",
          message: `another process (${owner}) is running this config`,
          file: folder,
          fix: "wait for it, or give this run another --runs folder",
        });
      }
      await rm(file, { force: true }); // its owner is gone: killed before it could unlock
    }
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
