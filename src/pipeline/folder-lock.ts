import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { asWriteError, writeAtomic } from "./atomic-file.js";
import { UserError } from "./errors.js";
import { isAlive, ownerOf, type Owner } from "./process-owner.js";
import { scratchBeside } from "./scratch.js";

/**
 * One writer at a time in a folder, by a file `.lock` that names its owner: process, when that
 * process started, machine.
 */

const lockName = ".lock";

export interface LockOptions {
  /** How long to wait for another's work to end before refusing, ms. */
  readonly patienceMs?: number;
  /** Told once where another's work has to be waited for. */
  readonly waiting?: (owner: string) => void;
}

/** A lock in hand. */
export interface HeldLock {
  /** Names a child that works for the owner: it holds the lock, too, until it has ended. */
  admit(child: number): Promise<void>;
  release(): Promise<void>;
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
  { patienceMs = 15_000, waiting }: LockOptions = {},
): Promise<T> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw asWriteError(folder, error);
  });
  const lock = await takeLock(join(folder, lockName), { patienceMs, ...(waiting && { waiting }) });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** Locks that this process holds, where the system does not tell when a process started. */
const held = new Set<string>();

/**
 * Takes a lock file of its own name, whose folder is there.
 *
 * @throws UserError as `withFolderLock`.
 */
export async function takeLock(
  file: string,
  { patienceMs = 0, waiting }: LockOptions = {},
): Promise<HeldLock> {
  const own = { ...ownerOf(process.pid), host: hostname() };
  const until = Date.now() + patienceMs;
  for (let told = false; ;) {
    try {
      await writeFile(file, JSON.stringify(own), { flag: "wx" });
      held.add(file);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw asWriteError(file, error);
    }
    const found = await readLock(file);
    if (found === "gone") continue;
    const { owner, text } = found;
    if (owner === null || !(await isHeld(owner, file))) {
      await removeStale(file, text);
      continue;
    }
    if (Date.now() >= until) throw locked(file, owner);
    if (!told) waiting?.(nameOf(owner));
    told = true;
    await wait(50 + Math.random() * 50);
  }
  return {
    async admit(child) {
      await writeAtomic(file, JSON.stringify({ ...own, child: ownerOf(child) }), { flush: false });
    },
    async release() {
      held.delete(file);
      // Where the folder was taken away with the lock, another's may be there by now.
      const found = parsed(await readFile(file, "utf8").catch(() => ""));
      if (found?.pid === own.pid && found.started === own.started) await rm(file, { force: true });
    },
  };
}

interface LockOwner extends Owner {
  readonly host: string;
  readonly child?: Owner;
}

const process_ = z.object({ pid: z.number().int().positive(), started: z.string().nullable() });
const ownerSchema = process_.extend({ host: z.string(), child: process_.optional() });

interface FoundLock {
  readonly text: string;
  /** Null where it says nothing of its owner for two seconds: it was never written whole. */
  readonly owner: LockOwner | null;
}

async function readLock(file: string): Promise<FoundLock | "gone"> {
  for (let tries = 0; ; tries++) {
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) return "gone";
    const owner = parsed(text);
    if (owner || tries >= 20) return { text, owner };
    await wait(100);
  }
}

/** Null while it is being written, or where a kill or a disk tore it. */
function parsed(text: string): LockOwner | null {
  try {
    const { child, ...owner } = ownerSchema.parse(JSON.parse(text));
    return { ...owner, ...(child && { child }) };
  } catch {
    return null;
  }
}

/** Longest that the child of an owner that is gone is waited for, ms. */
const lingerMs = 20_000;

/** An owner on another machine is taken at its word. */
async function isHeld(owner: LockOwner, file: string): Promise<boolean> {
  if (owner.host !== hostname()) return true;
  // Its own number never counts: it is a lock of this process, or of one before it.
  if (owner.pid === process.pid) return held.has(file);
  if (isAlive(owner)) return true;
  if (!owner.child) return false;
  // What worked for an owner that was killed sees that, and ends, in a moment.
  for (const start = performance.now(); performance.now() - start < lingerMs; await wait(20))
    if (!isAlive(owner.child)) return false;
  return true;
}

/**
 * Moved aside first: of two that find the same stale lock, one moves it, and a fresh one that took
 * its place meanwhile is put back.
 */
async function removeStale(file: string, seen: string): Promise<void> {
  const read = (path: string): Promise<string | null> => readFile(path, "utf8").catch(() => null);
  if ((await read(file)) !== seen) return;
  const aside = scratchBeside(file);
  const moved = await rename(file, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  const found = await read(aside);
  if (found !== null && found !== seen)
    await writeFile(file, found, { flag: "wx" }).catch(() => undefined);
  await rm(aside, { force: true });
}

function nameOf({ pid, host }: LockOwner): string {
  return `process ${pid} on ${host}`;
}

function locked(file: string, owner: LockOwner): UserError {
  return new UserError({
    code: "folder-locked",
    message: `${nameOf(owner)} is writing here`,
    file,
    fix: "wait until it has ended; if it has, remove this file",
  });
}
