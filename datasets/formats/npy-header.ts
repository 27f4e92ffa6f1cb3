import type { FileHandle } from "node:fs/promises";
import { endianness } from "node:os";
import { UserError } from "../../src/pipeline/errors.js";
import { readFully } from "./read-fully.js";

/** NumPy's kinds and sizes that we read: b1 is bool, f2 half precision. Byte order aside. */
export type NpyType =
  "b1" | "i1" | "u1" | "i2" | "u2" | "i4" | "u4" | "i8" | "u8" | "f2" | "f4" | "f8";

export interface NpyHeader {
  readonly version: 1 | 2 | 3;
  readonly type: NpyType;
  readonly byteOrder: "little" | "big" | "none";
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the data starts, in bytes. */
  readonly dataStart: number;
}

export const typeBytes: Readonly<Record<NpyType, number>> = {
  b1: 1,
  i1: 1,
  u1: 1,
  i2: 2,
  u2: 2,
  i4: 4,
  u4: 4,
  i8: 8,
  u8: 8,
  f2: 2,
  f4: 4,
  f8: 8,
};
export const hostOrder = endianness() === "LE" ? "little" : "big";

/**
 * Reads and checks the header of an open .npy file.
 *
 * @throws UserError `npy-magic`, `npy-header`, `npy-dtype`, `npy-size`.
 */
export async function headerOf(handle: FileHandle, file: string): Promise<NpyHeader> {
  const { size } = await handle.stat();
  const start = Buffer.alloc(12);
  const got = (await handle.read(start, 0, 12, 0)).bytesRead;
  if (got < 10 || start.toString("latin1", 0, 6) !== "\x93NUMPY") {
    const zip = start.toString("latin1", 0, 2) === "PK";
    throw new UserError({
      code: "npy-magic",
      message: zip
        ? "this is a zip archive, as numpy.savez writes it, not one array"
        : "not an .npy file",
      file,
      expected: "\\x93NUMPY at the start",
      found:
        got === 0 ? "an empty file" : JSON.stringify(start.toString("latin1", 0, Math.min(got, 8))),
      fix: "save one array with numpy.save",
    });
  }
  const version = start[6]!;
  if (version < 1 || version > 3) {
    throw new UserError({
      code: "npy-header",
      message: "unknown version of the .npy format",
      file,
      expected: "1, 2 or 3",
      found: String(version),
      fix: "save it again with numpy.save",
    });
  }
  const lengthBytes = version === 1 ? 2 : 4;
  const length = version === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  const dataStart = 8 + lengthBytes + length;
  if (dataStart > size || length > 1 << 20) {
    throw new UserError({
      code: "npy-header",
      message: "the header is cut short or absurdly long",
      file,
      expected: `${length} bytes of header`,
      found: `a file of ${size} bytes`,
      fix: "copy or save the file again",
    });
  }
  const text = Buffer.alloc(length);
  await readFully(handle, text, 8 + lengthBytes, file);
  const header = parseHeader(text.toString(version === 3 ? "utf8" : "latin1"), file);
  const wanted = header.shape.reduce((a, b) => a * b, 1) * typeBytes[header.type];
  if (size - dataStart !== wanted) {
    throw new UserError({
      code: "npy-size",
      message:
        size - dataStart < wanted
          ? "the file is cut short"
          : "the file holds more than its header says",
      file,
      expected: `${wanted} bytes of data for ${header.shape.join(" x ")} ${describeType(header)}`,
      found: `${size - dataStart}`,
      fix: "copy or save the file again",
    });
  }
  return { version: version as 1 | 2 | 3, dataStart, ...header };
}

/** The header is a Python dictionary literal with three known keys in any order. */
function parseHeader(text: string, file: string): Omit<NpyHeader, "version" | "dataStart"> {
  const bad = (message: string) =>
    new UserError({
      code: "npy-header",
      message,
      file,
      expected: "descr, fortran_order and shape",
      found: text.trim().slice(0, 100),
      fix: "save it again with numpy.save",
    });
  // Python writes single quotes, other writers double ones, too.
  const descr = /["']descr["']\s*:\s*(["']([^"']*)["']|\[)/.exec(text);
  const order = /["']fortran_order["']\s*:\s*(True|False)/.exec(text);
  const shape = /["']shape["']\s*:\s*\(([\d,\sL]*)\)/.exec(text);
  if (!descr || !order || !shape) throw bad("the header cannot be understood");
  const parts = /^([<>|=])?([a-zA-Z]\d+)/.exec(descr[2] ?? "");
  const type = parts?.[2] as NpyType | undefined;
  if (!type || !(type in typeBytes) || parts![0].length !== descr[2]!.length) {
    const object = descr[2]?.includes("O") === true;
    throw new UserError({
      code: "npy-dtype",
      message: object ? "the array holds pickled Python objects" : "this dtype is not read",
      file,
      expected: "bool, an integer or a float of up to 64 bits",
      found: descr[2] ?? "a record dtype",
      fix: object
        ? "rows of unequal length make such arrays: check them, then save with astype('float32')"
        : "save one column with astype('float32')",
    });
  }
  const sizes = shape[1]!
    .split(",")
    .map((s) => s.trim().replace(/L$/, ""))
    .filter((s) => s !== "")
    .map(Number);
  if (!sizes.every(Number.isSafeInteger) || !Number.isSafeInteger(sizes.reduce((a, b) => a * b, 8)))
    throw bad("the shape is not a list of sizes");
  const byteOrder =
    typeBytes[type] === 1
      ? "none"
      : parts![1] === ">"
        ? "big"
        : parts![1] === "<"
          ? "little"
          : hostOrder;
  return { type, byteOrder, fortranOrder: order[1] === "True", shape: sizes };
}

/** As NumPy names it: `float32`, `int16 (big-endian)`. */
export function describeType({ type, byteOrder }: Pick<NpyHeader, "type" | "byteOrder">): string {
  const kinds: Readonly<Record<string, string>> = { b: "bool", i: "int", u: "uint", f: "float" };
  const bits = typeBytes[type] * 8;
  const name = type === "b1" ? "bool" : `${kinds[type[0]!]}${bits}`;
  return byteOrder === "big" ? `${name} (big-endian)` : name;
}
