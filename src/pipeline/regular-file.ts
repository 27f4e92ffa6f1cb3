import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { UserError, unreadable } from "./errors.js";

/**
 * Opens files that are files: a named pipe waits for a writer for ever, and a device such as
 * /dev/zero never ends.
 */

// Without O_NONBLOCK, opening a pipe would wait for its writer.
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

/** @throws UserError `file-unreadable` for anything else, and where it cannot be opened. */
export async function openRegular(file: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(file, flags);
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    if ((await handle.stat()).isFile()) return handle;
    throw notRegular(file, (await handle.stat()).isDirectory());
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The same on the calling thread; the descriptor is the caller's to close. */
export function openRegularSync(file: string): number {
  let handle: number;
  try {
    handle = openSync(file, flags);
  } catch (error) {
    throw unreadable(file, error);
  }
  const about = fstatSync(handle);
  if (about.isFile()) return handle;
  closeSync(handle);
  throw notRegular(file, about.isDirectory());
}

/** A whole file, of 2 GiB at most. @throws UserError as `openRegular`. */
export async function readRegular(file: string): Promise<Buffer> {
  const handle = await openRegular(file);
  try {
    return await handle.readFile();
  } catch (error) {
    throw unreadable(file, error);
  } finally {
    await handle.close();
  }
}

/** The same on the calling thread. */
export function readRegularSync(file: string): Buffer {
  const handle = openRegularSync(file);
  try {
    return readFileSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Refuses what is no file on disk, before it is opened. */
export function notRegular(file: string, folder: boolean): UserError {
  return new UserError({
    code: "file-unreadable",
    message: folder ? "is a folder, not a file" : "is no regular file",
    file,
    ...(!folder && { found: "a pipe or a device" }),
    fix: folder ? "give the path of a file" : "write it to a file on disk, and give that",
  });
}
