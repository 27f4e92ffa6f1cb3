import { closeSync, constants, fstatSync, openSync, readSync, type BigIntStats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { UserError } from "../errors.js";
import { HEADER_BYTES } from "./image-format.js";

/**
 * Most bytes an encoded picture may have, for a pixel: 16-bit RGBA without compression, and a
 * margin for metadata.
 */
const BYTES_A_PIXEL = 8;
const MARGIN_BYTES = 64 * 1024 * 1024;

/**
 * Reads an encoded picture. `inspect` sees its first bytes before the rest is read, and may throw.
 *
 * @throws UserError `image-unreadable` (missing, no right, a folder, a device), `image-empty`,
 * `image-too-large`.
 */
export async function readImageFile(
  file: string,
  maxPixels: number,
  inspect: (start: Uint8Array) => void,
): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const { size, isFile } = await handle
      .stat()
      .then((s) => ({ size: s.size, isFile: s.isFile() }));
    checkFile(file, isFile, size, maxPixels);
    const start = new Uint8Array(Math.min(HEADER_BYTES, size));
    const { bytesRead } = await handle.read(start, 0, start.length, 0);
    inspect(start.subarray(0, bytesRead));
    return await handle.readFile();
  } catch (error) {
    throw asReadError(file, error);
  } finally {
    await handle?.close();
  }
}

/**
 * The same on the calling thread, with what the system says of the file: where small files are read
 * one after another, hops to other threads and back cost more than the reading.
 *
 * @throws UserError of `readImageFile`.
 */
export function readImageFileSync(
  file: string,
  maxPixels: number,
): { readonly bytes: Uint8Array; readonly about: BigIntStats } {
  try {
    const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const about = fstatSync(handle, { bigint: true });
      const size = Number(about.size);
      checkFile(file, about.isFile(), size, maxPixels);
      const bytes = new Uint8Array(size);
      let read = 0;
      for (let n; read < size && (n = readSync(handle, bytes, read, size - read, read)) > 0;)
        read += n;
      return { bytes: bytes.subarray(0, read), about };
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw asReadError(file, error);
  }
}

function checkFile(file: string, isFile: boolean, size: number, maxPixels: number): void {
  if (!isFile) throw unreadable(file, "no regular file", "give the path of a picture");
  if (size === 0) throw emptyImage(file);
  const most = maxPixels * BYTES_A_PIXEL + MARGIN_BYTES;
  if (size > most) {
    throw new UserError({
      code: "image-too-large",
      message: "this file is too large for a picture",
      file,
      expected: `at most ${most} bytes`,
      found: `${size} bytes`,
      fix: "check that it is a picture, or scale it down",
    });
  }
}

export function emptyImage(file: string | undefined): UserError {
  return new UserError({
    code: "image-empty",
    message: "the picture has no bytes",
    ...(file !== undefined && { file }),
    fix: "copy or download the picture again",
  });
}

function unreadable(file: string, found: string, fix: string, cause?: unknown): UserError {
  return new UserError(
    { code: "image-unreadable", message: "the picture cannot be read", file, found, fix },
    { cause },
  );
}

/** What went wrong in reading a file, in the user's terms; anything else is passed on. */
export function asReadError(file: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const known: Record<string, readonly [string, string]> = {
    ENOENT: ["no such file", "check the path and the image root"],
    ENOTDIR: ["a parent of that path is a file", "check the path and the image root"],
    EISDIR: ["a folder", "give the path of a picture"],
    ENXIO: ["no regular file", "give the path of a picture"],
    EACCES: ["no right to read it", "change its permissions"],
    EPERM: ["no right to read it", "change its permissions"],
    ELOOP: ["a loop of symbolic links", "give the path of a picture"],
    ENAMETOOLONG: ["a path that is too long", "give a shorter path"],
    ERR_INVALID_ARG_VALUE: ["a path with a null byte", "check the list that the path comes from"],
    EIO: ["the disk reported an error", "copy the picture again from its source"],
    EMFILE: ["too many open files", "raise the limit with ulimit -n"],
  };
  const said = known[code];
  return said ? unreadable(file, said[0], said[1], error) : error;
}
