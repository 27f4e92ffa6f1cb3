import { constants } from "node:buffer";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { UserError, unreadable } from "./errors.js";
import { notRegular } from "./regular-file.js";

/**
 * Text of files as it was written, or a refusal: a reader that puts U+FFFD in place of bytes that
 * it does not know makes one name of several.
 */

export interface TextSource {
  /** Only named in errors. */
  readonly file: string;
  /** The error's code where it is not UTF-8; `text-encoding` unless said. */
  readonly code?: string;
  /** Where the bytes are in the file; the line of the first that is not UTF-8 unless said. */
  readonly path?: string;
}

/**
 * Bytes as UTF-8 text, a byte order mark dropped.
 *
 * @throws UserError `code` for any other encoding, with the line and the encoding that it may be.
 */
export function strictText(
  bytes: Uint8Array,
  { file, code = "text-encoding", path }: TextSource,
): string {
  if (isUtf16(bytes)) {
    throw new UserError({
      code,
      message: "the text is UTF-16",
      file,
      expected: "UTF-8",
      fix: "save it as UTF-8",
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const guess = guessedEncoding(bytes);
    throw new UserError({
      code,
      message: `the text is not UTF-8; it may be ${guess}`,
      file,
      path: path ?? `line ${firstBadLine(bytes)}`,
      expected: "UTF-8",
      fix: `save it as UTF-8 (iconv -f ${guess} -t UTF-8)`,
    });
  }
}

/**
 * A whole file as strict text.
 *
 * @throws UserError `file-unreadable`; `file-too-large` where it is longer than V8's longest
 * string, before any of it is read; `code` as `strictText`.
 */
export async function readStrictText(file: string, code?: string): Promise<string> {
  const bytes = await readWhole(file);
  return strictText(bytes, code === undefined ? { file } : { file, code });
}

async function readWhole(file: string): Promise<Uint8Array> {
  try {
    const about = await stat(file);
    if (about.isFIFO() && handed.test(file)) return await readPipe(file);
    if (!about.isFile()) throw notRegular(file, about.isDirectory());
    const { size } = about;
    if (size <= constants.MAX_STRING_LENGTH) return await readFile(file);
    throw new UserError({
      code: "file-too-large",
      message: "this text file is too large to read at once",
      file,
      expected: `at most ${constants.MAX_STRING_LENGTH} bytes`,
      found: `${size} bytes`,
      fix:
        "split it, or give it in a form that is read in parts: .jsonl for observations, " +
        ".arrow for evidence",
    });
  } catch (error) {
    throw error instanceof UserError ? error : unreadable(file, error);
  }
}

/** A pipe that a shell handed over: `<(…)`, or standard input. */
const handed = /^\/(dev\/(stdin|fd\/\d+)|proc\/(self|\d+)\/fd\/\d+)$/;
/** Most that is read of one, bytes. */
const mostPiped = 64 << 20;

async function readPipe(file: string): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of createReadStream(file) as AsyncIterable<Buffer>) {
    parts.push(part);
    if ((size += part.length) <= mostPiped) continue;
    throw new UserError({
      code: "file-too-large",
      message: "too much comes out of this pipe",
      file,
      expected: `at most ${mostPiped} bytes`,
      fix: "write it to a file, and give that",
    });
  }
  return Buffer.concat(parts);
}

function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** GBK (with gb2312 in it) where all of it reads as such, as nothing else of two bytes would. */
function guessedEncoding(bytes: Uint8Array): string {
  try {
    new TextDecoder("gbk", { fatal: true }).decode(bytes);
    return "GBK";
  } catch {
    return "Latin-1";
  }
}

function firstBadLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const end = bytes.indexOf(0x0a, start);
    const stop = end < 0 ? bytes.length : end;
    try {
      decoder.decode(bytes.subarray(start, stop));
    } catch {
      return number;
    }
    start = stop + 1;
  }
  return 1;
}
