import { constants } from "node:buffer";
import { readFile, stat } from "node:fs/promises";
import { UserError, unreadable } from "../../pipeline/errors.js";

/**
 * A text file as one string.
 *
 * @throws UserError `file-unreadable`; `file-too-large` where it is longer than V8's longest
 * string, before any of it is read.
 */
export async function readText(file: string): Promise<string> {
  const { size } = await stat(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  if (size > constants.MAX_STRING_LENGTH) {
    throw new UserError({
      code: "file-too-large",
      message: "is too large to be read at once",
      file,
      expected: `at most ${constants.MAX_STRING_LENGTH} bytes`,
      found: String(size),
      fix:
        "split it, or give it in a form that is read in parts: .jsonl for observations, " +
        ".arrow for evidence",
    });
  }
  return readFile(file, "utf8").catch((error: unknown) => {
    throw unreadable(file, error);
  });
}
