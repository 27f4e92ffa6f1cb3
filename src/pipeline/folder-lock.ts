import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { asWriteError } from "./atomic-file.js";
import { UserError } from "./errors.js";

/**
 * One writer at a time in a folder, by a file `.lock` that names its owner: process, when that
 * process started, machine. A process number alone says nothing: it is given again, and lives twice
 * where containers share a folder.
 */

const lockName = ".lock";

export interface LockOptions {
  /** How long to wait for another's work to end before refusing, ms. */
  readonly patienceMs?: number;
}

/**
 * Does `work` while nobody else that asks holds the folder, which is made where it is missing. A
 * lock whose owner is gone, or that cannot be read, is taken over.
 *
 * @throws UserError `folder-locked` naming owner, file and remedy; `write-failed`; and whatever
 * `work` throws.
 */
export async function withFolderLock<T>(
  folder: string,
  work: () => Promise<T>,
  { patienceMs = 15_000 }: LockOptions = {},
): Promise<T> {
  const file = join(folder, lockName);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw asWriteError(folder, error);
  });
  const own = await ownerOf(process.pid);
  await take(file, own, Date.now() + patienceMs);
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string, own: Owner, until: number): Promise<void> {
  for (;;) {
    try {
      await writeFile(file, JSON.stringify(own), { flag: "wx" });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw asWriteError(file, error);
    }
    const owner = await readOwner(file);
    if (owner === "gone") continue;
    if (owner === null || !(await isAlive(owner))) {
      await removeStale(file, owner);
      continue;
    }
    if (Date.now() >= until) throw locked(file, owner);
    await wait(50 + Math.random() * 50);
  }
}

interface Owner {
  readonly pid: number;
  /** In the clock's ticks since the machine started; null where the system does not tell. */
  readonly started: string | null;
  readonly host: string;
}

/** Null for a lock that says nothing of its owner for two seconds: it was never written whole. */
async function readOwner(file: string): Promise<Owner | null | "gone"> {
  for (let tries = 0; ; tries++) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) return "gone";
    try {
      const { pid, started, host } = JSON.parse(text) as Partial<Owner>;
      if (Number.isInteger(pid) && typeof host === "string")
        return { pid: pid!, started: started ?? null, host };
    } catch {
      // Being written, or torn by a kill.
    }
    if (tries >= 20) return null;
    await wait(100);
  }
}

/** An owner on another machine is taken at its word. */
async function isAlive(owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  const { started } = await ownerOf(owner.pid);
  return owner.started === null || started === null || started === owner.started;
}

async function ownerOf(pid: number): Promise<Owner> {
  // Field 22 of /proc/PID/stat, counted after the name, which may hold spaces (proc(5)).
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  return { pid, started, host: hostname() };
}

/**
 * Moved aside first: of two that find the same stale lock, one moves it, and a fresh one that took
 * its place meanwhile is put back.
 */
async function removeStale(file: string, seen: Owner | null): Promise<void> {
  const aside = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const moved = await rename(file, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  const found = await readFile(aside, "utf8").catch(() => "");
  const fresh = seen !== null && found !== "" && found !== JSON.stringify(seen);
  if (fresh) await writeFile(file, found, { flag: "wx" }).catch(() => undefined);
  await rm(aside, { force: true });
}

function locked(file: string, { pid, host }: Owner): UserError {
  return new UserError({
    code: "folder-locked",
    message: `process ${pid} on ${host} is writing here`,
    file,
    fix: "wait until it has ended; if it has, remove this file",
  });
}
