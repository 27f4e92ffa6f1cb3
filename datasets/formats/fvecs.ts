import { type FileHandle } from "node:fs/promises";
import { endianness } from "node:os";
import { writeAtomic } from "../../src/pipeline/atomic-file.js";
import { UserError } from "../../src/pipeline/errors.js";
import { openRegular } from "../../src/pipeline/regular-file.js";
import { unreadable } from "../../src/pipeline/schema.js";
import type { Codes, Vectors } from "../../src/pipeline/types.js";
import { readFully } from "./read-fully.js";

/** n rows of `dim` integers, row-major: the exact neighbours that come with a benchmark. */
export interface IntegerRows {
  readonly data: Int32Array;
  readonly dim: number;
}

type Kind = "fvecs" | "bvecs" | "ivecs";
const componentBytes: Readonly<Record<Kind, number>> = { fvecs: 4, bvecs: 1, ivecs: 4 };
const blockBytes = 8 * 1024 * 1024;

/**
 * Reads float vectors: each row is its length as int32, then that many float32, all little-endian.
 * Memory: the result and 8 MiB.
 *
 * Source: the TEXMEX corpus page (Jégou, Douze, Schmid), which defines .fvecs, .bvecs and .ivecs.
 *
 * @throws UserError `file-unreadable`, `vecs-empty`, `vecs-dimension` (a row's length is absurd or
 * another than the first's; names the row), `vecs-size` (no whole number of rows).
 */
export async function readFvecs(file: string): Promise<Vectors> {
  return readRows(file, "fvecs", (n) => new Float32Array(n));
}

/** The same with one byte a component: packed codes, or 8-bit descriptors. */
export async function readBvecs(file: string): Promise<Codes> {
  const { data, dim } = await readRows(file, "bvecs", (n) => new Uint8Array(n));
  return { data, bits: dim * 8 };
}

/** The same with int32 components. */
export async function readIvecs(file: string): Promise<IntegerRows> {
  return readRows(file, "ivecs", (n) => new Int32Array(n));
}

export async function writeFvecs(file: string, { data, dim }: Vectors): Promise<void> {
  await writeRows(file, data, dim);
}

export async function writeBvecs(file: string, { data, bits }: Codes): Promise<void> {
  await writeRows(file, data, bits / 8);
}

export async function writeIvecs(file: string, { data, dim }: IntegerRows): Promise<void> {
  await writeRows(file, data, dim);
}

async function readRows<T extends Float32Array | Uint8Array | Int32Array>(
  file: string,
  kind: Kind,
  allocate: (n: number) => T,
): Promise<{ data: T; dim: number }> {
  let handle: FileHandle;
  try {
    handle = await openRegular(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    const { size } = await handle.stat();
    if (size === 0)
      throw new UserError({
        code: "vecs-empty",
        message: "the file is empty",
        file,
        expected: "at least one row",
        fix: "check what was saved",
      });
    const head = Buffer.alloc(4);
    if (size >= 4) await readFully(handle, head, 0, file);
    const dim = head.readInt32LE(0);
    const rowBytes = 4 + dim * componentBytes[kind];
    if (size < 4 || dim < 1 || rowBytes > size) {
      throw new UserError({
        code: "vecs-dimension",
        message: `not a .${kind} file: the first row's length makes no sense`,
        file,
        path: "row 0",
        expected: `between 1 and ${Math.max(1, Math.floor((size - 4) / componentBytes[kind]))}`,
        found: size < 4 ? `a file of ${size} bytes` : String(dim),
        fix: "check the extension and the byte order (little-endian)",
      });
    }
    const rows = size / rowBytes;
    const data = allocate(Math.floor(rows) * dim);
    const bytes = new Uint8Array(data.buffer);
    const rowsAtOnce = Math.max(1, Math.floor(blockBytes / rowBytes));
    const block = Buffer.alloc(Math.min(rowsAtOnce, Math.ceil(rows)) * rowBytes);
    for (let row = 0; row < Math.floor(rows);) {
      const count = Math.min(rowsAtOnce, Math.floor(rows) - row);
      await readFully(handle, block.subarray(0, count * rowBytes), row * rowBytes, file);
      for (let i = 0; i < count; i++, row++) {
        const start = i * rowBytes;
        const own = block.readInt32LE(start);
        if (own !== dim) {
          throw new UserError({
            code: "vecs-dimension",
            message: "a row has another length than the first",
            file,
            path: `row ${row}`,
            expected: String(dim),
            found: String(own),
            fix: "check the extension, or save rows of one length",
          });
        }
        bytes.set(block.subarray(start + 4, start + rowBytes), row * (rowBytes - 4));
      }
    }
    if (!Number.isInteger(rows)) {
      throw new UserError({
        code: "vecs-size",
        message: "the last row is cut short",
        file,
        expected: `a multiple of ${rowBytes} bytes (${dim} components a row)`,
        found: `${size} bytes`,
        fix: "copy the file again, or check the extension",
      });
    }
    if (endianness() === "BE" && componentBytes[kind] === 4) Buffer.from(data.buffer).swap32();
    return { data, dim };
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "EISDIR" ? unreadable(file, error) : error;
  } finally {
    await handle.close();
  }
}

async function writeRows(
  file: string,
  data: Float32Array | Uint8Array | Int32Array,
  dim: number,
): Promise<void> {
  const size = data.BYTES_PER_ELEMENT;
  const rows = data.length / dim;
  if (!Number.isInteger(rows))
    throw new RangeError(
      `writing rows of ${dim}: ${data.length} values are no whole number of rows`,
    );
  const out = Buffer.alloc(rows * (4 + dim * size));
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  for (let row = 0; row < rows; row++) {
    const start = row * (4 + dim * size);
    out.writeInt32LE(dim, start);
    bytes.copy(out, start + 4, row * dim * size, (row + 1) * dim * size);
    if (endianness() === "BE" && size === 4)
      out.subarray(start + 4, start + 4 + dim * size).swap32();
  }
  await writeAtomic(file, out);
}
