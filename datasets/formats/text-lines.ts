import { readFile, stat } from "node:fs/promises";
import { UserError } from "../../src/pipeline/errors.js";
import { unreadable } from "../../src/pipeline/schema.js";

/**
 * A line without its ending and outer white space; `number` counts from 1 and includes blank lines.
 */
export interface Line {
  readonly text: string;
  readonly number: number;
}

/** The longest text V8 can hold is 2^29 - 24 characters; UTF-8 may need more bytes, never fewer. */
const mostBytes = 512 * 1024 * 1024;

/**
 * The lines of a UTF-8 text file that are not blank. LF, CRLF and CR end a line; a byte order mark
 * is dropped.
 *
 * @throws UserError `file-unreadable`; `encodingCode` where the file is not UTF-8 (names the line)
 * or holds UTF-16; `file-too-large`.
 */
export async function readLines(file: string, encodingCode: string): Promise<Line[]> {
  let data: Buffer;
  try {
    const { size } = await stat(file);
    if (size > mostBytes) {
      throw new UserError({
        code: "file-too-large",
        message: "this text file is too large to read",
        file,
        expected: `at most ${mostBytes} bytes`,
        found: `${size} bytes`,
        fix: "split it",
      });
    }
    data = await readFile(file);
  } catch (error) {
    throw error instanceof UserError ? error : unreadable(file, error);
  }
  if ((data[0] === 0xff && data[1] === 0xfe) || (data[0] === 0xfe && data[1] === 0xff)) {
    throw new UserError({
      code: encodingCode,
      message: "the text is UTF-16",
      file,
      expected: "UTF-8",
      fix: "save it as UTF-8",
    });
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(data); // drops a byte order mark
  } catch {
    const line = firstBadLine(data);
    throw new UserError({
      code: encodingCode,
      message: "the text is not UTF-8",
      file,
      path: `line ${line}`,
      expected: "UTF-8",
      fix: "save it as UTF-8 (Chinese lists are often GBK: iconv -f GBK -t UTF-8)",
    });
  }
  return text
    .split(/\r\n|\n|\r/)
    .map((content, i) => ({ text: content.trim(), number: i + 1 }))
    .filter((line) => line.text !== "");
}

function firstBadLine(data: Buffer): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let start = 0, number = 1; start < data.length; number++) {
    const end = data.indexOf(0x0a, start);
    const stop = end < 0 ? data.length : end;
    try {
      decoder.decode(data.subarray(start, stop));
    } catch {
      return number;
    }
    start = stop + 1;
  }
  return 1;
}
