import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isAlive, machineName, ownerOf } from "./process-owner.js";

/**
 * Temporary files and folders. Their names say who writes them, so that what a killed process left
 * is swept by the next one that writes into the same folder.
 */

const own = ownerOf(process.pid);

/** A name beside `path`, of its own folder's disk and short whatever that name's length. */
export function scratchBeside(path: string): string {
  const name = [own.pid, own.started ?? "x", machineName, randomBytes(4).toString("hex")].join("-");
  return join(dirname(path), `.shitu-${name}.tmp`);
}

/** A new folder in the system's place for temporary ones. */
export async function scratchFolder(): Promise<string> {
  await sweepScratch(tmpdir());
  const folder = scratchBeside(join(tmpdir(), "any"));
  await mkdir(folder);
  return folder;
}

const pattern = /^\.shitu-(\d+)-(\d+|x)-([A-Za-z0-9]+)-[0-9a-f]{8}\.tmp$/;
/** What another machine wrote so long ago is taken for left over, ms. */
const longAgo = 24 * 3600 * 1000;
const swept = new Set<string>();

/** Removes what processes that are gone left in a folder: once a process. Never throws. */
export async function sweepScratch(folder: string): Promise<void> {
  if (swept.has(folder)) return;
  swept.add(folder);
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (await isLeftOver(name, path))
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isLeftOver(name: string, path: string): Promise<boolean> {
  const [, pid, started, machine] = pattern.exec(name) ?? [];
  if (pid === undefined) return false;
  if (machine === machineName)
    return !isAlive({ pid: Number(pid), started: started === "x" ? null : started! });
  const about = await stat(path).catch(() => null);
  return about !== null && Date.now() - about.mtimeMs > longAgo;
}
