import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "./errors.js";
import { scratchBeside, sweepScratch } from "./scratch.js";

/**
 * Writes a file whole or not at all: a temporary file beside it, flushed to disk, then renamed over
 * it. A list of parts is written in turn.
 *
 * @param flush false for scratch that a power cut may take (a killed process loses nothing either
 * way): a flush waits for the disk.
 */
export async function writeAtomic(
  file: string,
  data: Uint8Array | string | readonly Uint8Array[],
  { flush = true } = {},
): Promise<void> {
  const temporary = scratchBeside(file);
  try {
    await mkdir(dirname(file), { recursive: true });
    await sweepScratch(dirname(file));
    const handle = await open(temporary, "wx");
    try {
      for (const part of Array.isArray(data)
        ? (data as readonly Uint8Array[])
        : [data as Uint8Array | string])
        await handle.writeFile(part);
      if (flush) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw asWriteError(file, error);
  }
}

/**
 * Says a full disk, a missing right or a read-only disk in the user's terms; passes anything else
 * on.
 */
export function asWriteError(file: string, error: unknown): unknown {
  const errno = (error as NodeJS.ErrnoException).code ?? "";
  const fixes: Record<string, string> = {
    ENOSPC: "free some space on that disk, or write elsewhere",
    EDQUOT: "free some of the quota, or write elsewhere",
    EACCES: "choose a folder that you may write to",
    EPERM: "choose a folder that you may write to",
    EROFS: "choose a folder on a disk that is not read-only",
    ENOTDIR: "a parent of that path is a file: choose another path",
    EEXIST: "a parent of that path is a file: choose another path",
    EISDIR: "that path is a folder: choose another name",
    ENOTEMPTY: "that path is a folder: choose another name",
    ENAMETOOLONG: "give a shorter name or path",
    EMFILE: "raise the limit of open files with ulimit -n",
    ENFILE: "end other programs: the system has too many files open",
    EIO: "the disk reports an error: check it, or write elsewhere",
    EFBIG: "raise the limit of file sizes with ulimit -f",
    ELOOP: "a loop of symbolic links: choose another path",
    EBUSY: "another program holds it: end that, or choose another name",
    ETXTBSY: "another program holds it: end that, or choose another name",
  };
  const fix = fixes[errno];
  if (fix === undefined) return error;
  return new UserError(
    { code: "write-failed", message: "cannot be written", file, found: errno, fix },
    { cause: error },
  );
}
