import { UserError } from "./errors.js";

/**
 * Errors of the system and of Node that are the user's to mend, in the user's terms: the last
 * boundary, for what no reader or writer has said better.
 */

const errors: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ["no such file or folder", "check the path"],
  EACCES: ["no right to this file or folder", "change its permissions, or choose another place"],
  EPERM: ["no right to this file or folder", "change its permissions, or choose another place"],
  EROFS: ["the disk is read-only", "choose a folder on another disk"],
  ENOSPC: ["the disk is full", "free some space on that disk, or write elsewhere"],
  EDQUOT: ["the quota is used up", "free some of the quota, or write elsewhere"],
  EFBIG: ["the file would be larger than it may be", "raise the limit with ulimit -f"],
  EMFILE: ["too many open files", "raise the limit with ulimit -n"],
  ENFILE: ["the system has too many files open", "end other programs"],
  ENAMETOOLONG: ["a name or path that is too long", "give a shorter one"],
  EISDIR: ["a folder where a file is expected", "give the path of a file"],
  ENOTDIR: ["a file where a folder is expected", "give the path of a folder"],
  EEXIST: ["there is something of that name already", "choose another name"],
  ENOTEMPTY: ["a folder of that name is there already", "choose another name"],
  ELOOP: ["a loop of symbolic links", "give another path"],
  EIO: ["the disk reported an error", "check the disk, or use another"],
  EBUSY: ["another program holds it", "end that program"],
  ETXTBSY: ["another program holds it", "end that program"],
  ENXIO: ["no regular file", "give the path of a file on disk"],
  ESPIPE: ["no regular file", "give the path of a file on disk"],
  ESTALE: ["a network disk lost the file", "mount it again"],
  EAGAIN: ["the system gives no more processes", "raise the limit with ulimit -u"],
  ENOMEM: ["the memory is used up", "give it more memory, or fewer workers"],
  ERR_FS_FILE_TOO_LARGE: ["a file too large to be read at once", "split it"],
  ERR_STRING_TOO_LONG: ["a text too long to be read at once", "split it"],
  ERR_INVALID_ARG_VALUE: ["a path with a null byte", "check where that path comes from"],
  ERR_WORKER_INIT_FAILED: ["a worker could not be started", "use fewer workers"],
  ERR_WORKER_OUT_OF_MEMORY: ["a worker's memory is used up", "use fewer workers"],
};

/** What a thrown value says of the system, as a UserError; null where it is a fault of ours. */
export function asSystemError(error: unknown): UserError | null {
  if (!(error instanceof Error)) return null;
  const { code, path, syscall, message } = error as NodeJS.ErrnoException;
  const known = code !== undefined && Object.hasOwn(errors, code) ? errors[code] : undefined;
  if (known && !(code === "ERR_INVALID_ARG_VALUE" && !message.includes("null bytes")))
    return said(known, path, [code!, syscall].filter(Boolean).join(", "), error);
  if (outOfMemory.test(message))
    return said(
      ["the memory is used up", "give it more memory, or less work"],
      path,
      message,
      error,
    );
  return error.cause === undefined ? null : asSystemError(error.cause);
}

const outOfMemory = /bad_alloc|Array buffer allocation failed|Cannot create a Buffer larger than/;

function said(
  [message, fix]: readonly [string, string],
  file: string | undefined,
  found: string,
  cause: Error,
): UserError {
  // A run stops where the disk takes no more: each further cell would fail for the same reason.
  const full = /^(ENOSPC|EDQUOT|EROFS|EFBIG)\b/.test(found);
  return new UserError(
    {
      code: full ? "write-failed" : "system-error",
      message,
      ...(file !== undefined && { file }),
      found,
      fix,
    },
    { cause },
  );
}
