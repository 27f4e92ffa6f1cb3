import { gunzipSync } from "node:zlib";
import { UserError } from "../../pipeline/errors.js";

/**
 * Reads tar archives (POSIX ustar, with GNU's and pax's long names) into views of their bytes.
 * Nothing is unpacked to disk. Links, devices and paths that leave the archive are refused.
 */

const block = 512;

/** What a gzip file may inflate to: as much as any model that can be imported. */
const mostInflated = 2 ** 31 - 1;

/** Weights shrink to nine tenths, graphs to a tenth: what inflates further than this is a bomb. */
const mostRatio = 50;
const smallest = 64 << 20;

/** An archive of more files than this is no model's. */
const mostMembers = 20_000;

/** @throws UserError `archive-unsafe` or `archive-unreadable`. */
export function readTar(bytes: Uint8Array, file: string): Map<string, Uint8Array> {
  const archive = inflated(bytes, file);
  const members = new Map<string, Uint8Array>();
  let longName: string | null = null;
  for (let at = 0; at + block <= archive.length;) {
    const header = archive.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) break;
    const entry = parseHeader(header, file, at);
    const contents = archive.subarray(at + block, at + block + entry.size);
    if (contents.length !== entry.size) {
      throw broken(file, `${entry.size} bytes of ${entry.name}`, `${contents.length} at its end`);
    }
    at += block + Math.ceil(entry.size / block) * block;
    if (entry.type === "L") longName = text(contents);
    else if (entry.type === "x") longName = paxPath(text(contents)) ?? longName;
    else if (entry.type !== "g") {
      addMember(members, { ...entry, name: longName ?? entry.name }, contents, file);
      longName = null;
    }
    if (members.size > mostMembers) throw unsafe(file, "a bomb", `over ${mostMembers} files`);
  }
  if (members.size === 0) throw broken(file, "files", "none");
  return members;
}

function inflated(bytes: Uint8Array, file: string): Uint8Array {
  const [a, b] = bytes;
  if (a === 0x50 && b === 0x4b) throw broken(file, "a tar archive", "a zip archive: unpack it");
  if (a !== 0x1f || b !== 0x8b) return bytes;
  const most = Math.min(mostInflated, Math.max(smallest, mostRatio * bytes.length));
  try {
    return gunzipSync(bytes, { maxOutputLength: most });
  } catch (error) {
    const large = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    if (large) throw unsafe(file, "a bomb", `over ${most} bytes when inflated`);
    throw broken(file, "a gzip file", (error as Error).message);
  }
}

interface TarEntry {
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

function parseHeader(header: Uint8Array, file: string, at: number): TarEntry {
  const field = (from: number, length: number): string =>
    text(header.subarray(from, from + length));
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (Number.parseInt(field(148, 8), 8) !== sum) {
    throw broken(file, "a tar archive", `no header of a file at byte ${at}`);
  }
  const size = Number.parseInt(field(124, 12) || "0", 8);
  if (!Number.isSafeInteger(size) || size < 0) throw broken(file, "a size", field(124, 12));
  const prefix = field(257, 5) === "ustar" ? field(345, 155) : "";
  const name = prefix === "" ? field(0, 100) : `${prefix}/${field(0, 100)}`;
  return { name, type: field(156, 1) || "0", size };
}

function addMember(
  members: Map<string, Uint8Array>,
  { name, type }: TarEntry,
  contents: Uint8Array,
  file: string,
): void {
  const path = name.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  const parts = path.split("/");
  if (path.startsWith("/") || /^[a-z]:/i.test(path) || parts.includes("..")) {
    throw unsafe(file, "a path that leaves it", name);
  }
  if (type === "5" || path === "" || path === ".") return;
  if (type !== "0" && type !== "7") throw unsafe(file, "a link or a device", name);
  members.set(path, contents);
}

/** The path in a pax header: lines of `length key=value`. */
function paxPath(records: string): string | null {
  const found = /(?:^|\n)\d+ path=([^\n]*)/.exec(records);
  return found?.[1] ?? null;
}

/** Text up to the first zero byte. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end))
    .toString("utf8")
    .trim();
}

function unsafe(file: string, what: string, found: string): UserError {
  return new UserError({
    code: "archive-unsafe",
    message: `the archive holds ${what}`,
    file,
    found,
    fix: "take the archive from its publisher",
  });
}

function broken(file: string, expected: string, found: string): UserError {
  return new UserError({
    code: "archive-unreadable",
    message: "is not a whole tar archive",
    file,
    expected,
    found,
    fix: "download it again",
  });
}
