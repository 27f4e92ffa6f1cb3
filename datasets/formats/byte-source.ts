import { closeSync, readSync } from "node:fs";
import { unreadable } from "../../src/pipeline/errors.js";
import { openRegularSync } from "../../src/pipeline/regular-file.js";

/** Hands out the next bytes: fills `into` from `at` on, returns how many it wrote; 0 at the end. */
export type ByteSource = (into: Uint8Array, at: number) => number;

/** Opens a file for `read` and closes it after. */
export function withFileSource<T>(file: string, read: (source: ByteSource) => T): T {
  const handle = openRegularSync(file);
  try {
    return read((into, at) => {
      try {
        return readSync(handle, into, at, into.length - at, null);
      } catch (error) {
        throw unreadable(file, error);
      }
    });
  } finally {
    closeSync(handle);
  }
}

/** A source over text at hand; for tests, `chunk` bytes are handed out at a time. */
export function textSource(text: string | Uint8Array, chunk = Infinity): ByteSource {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  let given = 0;
  return (into, at) => {
    const n = Math.min(chunk, into.length - at, bytes.length - given);
    into.set(bytes.subarray(given, given + n), at);
    given += n;
    return n;
  };
}
