import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { UserError, unreadable } from "../../pipeline/errors.js";

/**
 * sha256, in hex, of a file of any size, read in parts.
 *
 * @throws UserError `file-unreadable`, also for what is no regular file.
 */
export async function fileHash(file: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    if (!(await stat(file)).isFile()) throw notRegular(file);
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    throw error instanceof UserError ? error : unreadable(file, error);
  }
  return hash.digest("hex");
}

function notRegular(file: string): UserError {
  return new UserError({
    code: "file-unreadable",
    message: "is no regular file",
    file,
    fix: "give the path of a file on disk",
  });
}
