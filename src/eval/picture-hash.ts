import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, statSync, constants } from "node:fs";
import { asReadError, readImageFile } from "../pipeline/image-file.js";
import { DEFAULT_MAX_PIXELS } from "../pipeline/image.js";
import { UserError } from "../pipeline/errors.js";

/** What tells whether a file is still the one that was hashed. */
interface Hashed {
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly hash: string;
}

/** Files younger than this may change again within one tick of the file system's clock, unseen: their hash is not kept. */
const settledNs = 2_000_000_000n;

const known = new Map<string, Hashed>();

/**
 * sha256 of a picture file's content, in hex. A file is read once a process: it is taken for the same as long as inode, size and the times of
 * the last change of content and of inode are. Read on the calling thread: pictures are small, and hops to other threads cost more.
 *
 * @throws UserError `image-unreadable` where it cannot be read or is no regular file.
 */
export function pictureHash(file: string): string {
  const before = knownHash(file);
  if (before !== null) return before;
  try {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!fstatSync(handle).isFile()) throw new UserError({ code: "image-unreadable", message: "the picture cannot be read", file, found: "no regular file", fix: "give the path of a picture" });
      const hash = createHash("sha256");
      for (let n; (n = readSync(handle, block)) > 0; ) hash.update(block.subarray(0, n));
      return remember(file, hash.digest("hex"));
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw asReadError(file, error);
  }
}

const block = Buffer.allocUnsafeSlow(1 << 18);

/** The hash of a file that was hashed before and has not changed since; null for all others. */
export function knownHash(file: string): string | null {
  const entry = known.get(file);
  if (!entry) return null;
  const now = statSync(file, { bigint: true, throwIfNoEntry: false });
  const same = now !== undefined && now.ino === entry.ino && now.size === entry.size && now.mtimeNs === entry.mtimeNs && now.ctimeNs === entry.ctimeNs;
  if (same) return entry.hash;
  known.delete(file);
  return null;
}

/** A picture's bytes and their hash, read once for both. @throws UserError of `readImageFile`. */
export async function readHashed(file: string): Promise<{ readonly bytes: Uint8Array; readonly hash: string }> {
  const bytes = await readImageFile(file, DEFAULT_MAX_PIXELS, () => undefined);
  return { bytes, hash: remember(file, createHash("sha256").update(bytes).digest("hex")) };
}

/** Statted after reading: a file that changed in between is too young to be kept. */
function remember(file: string, hash: string): string {
  const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  const now = BigInt(Date.now()) * 1_000_000n;
  if (now - mtimeNs > settledNs && now - ctimeNs > settledNs) known.set(file, { ino, size, mtimeNs, ctimeNs, hash });
  return hash;
}
