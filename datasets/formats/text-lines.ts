import { readStrictText } from "../../src/pipeline/strict-text.js";

/**
 * A line without its ending and outer white space; `number` counts from 1 and includes blank lines.
 */
export interface Line {
  readonly text: string;
  readonly number: number;
}

/**
 * The lines of a UTF-8 text file that are not blank. LF, CRLF and CR end a line; a byte order mark
 * is dropped.
 *
 * @throws UserError `file-unreadable`; `encodingCode` where the file is not UTF-8 (names the line
 * and what it may be); `file-too-large`.
 */
export async function readLines(file: string, encodingCode: string): Promise<Line[]> {
  const text = await readStrictText(file, encodingCode);
  return text
    .split(/\r\n|\n|\r/)
    .map((content, i) => ({ text: content.trim(), number: i + 1 }))
    .filter((line) => line.text !== "");
}
