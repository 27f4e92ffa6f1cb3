import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { asWriteError, writeAtomic } from "../pipeline/atomic-file.js";
import { UserError } from "../pipeline/errors.js";
import { scratchBeside, sweepScratch } from "../pipeline/scratch.js";

/** A file of a folder: text, bytes, or bytes in parts. */
export type Contents = string | Uint8Array | readonly Uint8Array[];

/**
 * Writes a folder whole or not at all: beside its place, checked there, then renamed.
 * @param check what must hold of the written folder; its error leaves nothing behind.
 * @throws UserError `file-exists` where something is there, `write-failed`, and what `check`
 *   throws.
 */
export async function writeFolder(
  folder: string,
  files: Readonly<Record<string, Contents>>,
  check: (folder: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  refuseExisting(folder);
  const temporary = scratchBeside(resolve(folder));
  try {
    await mkdir(dirname(resolve(folder)), { recursive: true });
    await sweepScratch(dirname(resolve(folder)));
    await mkdir(temporary);
    for (const [name, contents] of Object.entries(files)) {
      await writeAtomic(join(temporary, name), contents);
    }
    await check(temporary);
    await rename(temporary, folder);
  } catch (error) {
    throw asWriteError(folder, error);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** @throws UserError `file-exists`, before any work is done. */
export function refuseExisting(folder: string): void {
  if (!existsSync(folder)) return;
  throw new UserError({
    code: "file-exists",
    message: "is there already",
    file: folder,
    fix: "give another name, or move it away",
  });
}
