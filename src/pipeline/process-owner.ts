import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/**
 * Who wrote a lock or a temporary file. A process number alone says nothing: it is given again, and
 * lives twice where containers share a folder.
 */
export interface Owner {
  readonly pid: number;
  /** In the clock's ticks since the machine started; null where the system does not tell. */
  readonly started: string | null;
}

/** A process as it can be told from one that gets its number later. */
export function ownerOf(pid: number): Owner {
  return { pid, started: statOf(pid).started };
}

/** Whether it still runs; a zombie, which only waits for its parent to take note, does not. */
export function isAlive({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  const { state, started: now } = statOf(pid);
  if (state === "Z" || state === "X") return false;
  return started === null || now === null || now === started;
}

/** Fields 3 and 22 of /proc/PID/stat, counted after the name, which may hold spaces (proc(5)). */
function statOf(pid: number): { readonly state: string | null; readonly started: string | null } {
  let stat = "";
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    // no such process, or no /proc
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] || null, started: fields[19] ?? null };
}

/** The machine's name, as letters and digits. */
export const machineName: string =
  hostname()
    .replace(/[^A-Za-z0-9]/g, "")
    .slice(0, 16) || "none";
