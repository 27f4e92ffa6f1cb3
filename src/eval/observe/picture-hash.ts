import * as crypto from "node:crypto";
import { type BigIntStats, statSync } from "node:fs";
import { readImageFileSync } from "../../pipeline/image/image-file.js";
import { DEFAULT_MAX_PIXELS } from "../../pipeline/image/image.js";

/** What tells whether a file is still the one that was hashed. */
interface Hashed extends Pick<BigIntStats, "ino" | "size" | "mtimeNs" | "ctimeNs"> {
  readonly hash: string;
  /** Whether it was old enough, when it was read, for a change to be seen. */
  readonly settled: boolean;
}

/**
 * Files younger than this may change again within one tick of the file system's clock, unseen:
 * their hash is not kept.
 */
const settledNs = 2_000_000_000n;

const known = new Map<string, Hashed>();

/**
 * sha256 of a picture file's content, in hex. A file is read once a process: it is taken for the
 * same as long as inode, size and the times of the last change of content and of inode are.
 *
 * @throws UserError `image-unreadable` where it cannot be read or is no regular file,
 * `image-empty`, `image-too-large`.
 */
export function pictureHash(file: string): string {
  return knownHash(file) ?? readHashed(file).hash;
}

/** The hash of a file that was hashed before and has not changed since; null for all others. */
export function knownHash(file: string): string | null {
  const entry = known.get(file);
  return entry?.settled && isSame(file, entry) ? entry.hash : null;
}

/**
 * The hash of what was last read of a file, whatever it holds now: what this process measured. One
 * that was never read is read. @throws UserError of `pictureHash`.
 */
export function measuredHash(file: string): string {
  return known.get(file)?.hash ?? readHashed(file).hash;
}

/** Whether a file still is what was hashed, as far as the system tells. */
export function isAsHashed(file: string, hash: string): boolean {
  const entry = known.get(file);
  return entry?.hash === hash && isSame(file, entry);
}

function isSame(file: string, entry: Hashed): boolean {
  const now = statSync(file, { bigint: true, throwIfNoEntry: false });
  return (
    now !== undefined &&
    now.ino === entry.ino &&
    now.size === entry.size &&
    now.mtimeNs === entry.mtimeNs &&
    now.ctimeNs === entry.ctimeNs
  );
}

/** A picture's bytes and their hash, read once for both. @throws UserError of `pictureHash`. */
export function readHashed(file: string): { readonly bytes: Uint8Array; readonly hash: string } {
  // Statted before reading: a file that changes meanwhile has another time from then on.
  const {
    bytes,
    about: { ino, size, mtimeNs, ctimeNs },
  } = readImageFileSync(file, DEFAULT_MAX_PIXELS);
  const hash = sha256(bytes);
  const now = BigInt(Date.now()) * 1_000_000n;
  const settled = now - mtimeNs > settledNs && now - ctimeNs > settledNs;
  known.set(file, { ino, size, mtimeNs, ctimeNs, hash, settled });
  return { bytes, hash };
}

/** In one call where Node has it (20.12): two thirds of the time on a small file. */
const sha256: (bytes: Uint8Array) => string =
  "hash" in crypto
    ? (bytes) => crypto.hash("sha256", bytes, "hex")
    : (bytes) => crypto.createHash("sha256").update(bytes).digest("hex");
