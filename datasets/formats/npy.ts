import { type FileHandle } from "node:fs/promises";
import { writeAtomic } from "../../src/pipeline/atomic-file.js";
import { UserError } from "../../src/pipeline/errors.js";
import { openRegular } from "../../src/pipeline/regular-file.js";
import { unreadable } from "../../src/pipeline/schema.js";
import type { Codes, Vectors } from "../../src/pipeline/types.js";
import {
  describeType,
  headerOf,
  hostOrder,
  typeBytes,
  type NpyHeader,
  type NpyType,
} from "./npy-header.js";
import { readFully } from "./read-fully.js";

export type { NpyHeader, NpyType } from "./npy-header.js";

export type NpyData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

export interface NpyArray {
  readonly type: NpyType;
  readonly shape: readonly number[];
  /**
   * Row-major whatever the file's order. f2 is widened to float32; i8 and u8 become float64, and
   * must fit 2^53; b1 becomes 0 and 1.
   */
  readonly data: NpyData;
}

/** Data is read and converted this many bytes at a time, so that a file is never held twice. */
const blockBytes = 8 * 1024 * 1024;

/**
 * Reads the header of an .npy file, versions 1 to 3.
 *
 * Source: NumPy's `numpy.lib.format` (the format's definition).
 *
 * @throws UserError `file-unreadable`, `npy-magic`, `npy-header`, `npy-dtype`, `npy-size` (data
 * shorter or longer than the header says).
 */
export async function readNpyHeader(file: string): Promise<NpyHeader> {
  return withFile(file, (handle) => headerOf(handle, file));
}

/**
 * Reads an .npy array of numbers of any rank, in C or Fortran order, little- or big-endian.
 *
 * @throws UserError as `readNpyHeader`, and `npy-integer` where a 64-bit integer is beyond 2^53.
 */
export async function readNpy(file: string): Promise<NpyArray> {
  return withFile(file, async (handle) => {
    const header = await headerOf(handle, file);
    const data = allocate(header);
    await fill(handle, file, header, data);
    return { type: header.type, shape: header.shape, data };
  });
}

/**
 * Reads feature vectors: a rank-2 array [n, dim] of float32, float64 (rounded to float32) or
 * float16, in any order and endianness. Memory: the result and 8 MiB.
 *
 * @throws UserError as `readNpyHeader`; `npy-dtype` for integers and the like; `npy-shape` where it
 * is not rank 2, or has no rows or columns.
 */
export async function readNpyVectors(file: string): Promise<Vectors> {
  return withFile(file, async (handle) => {
    const header = await headerOf(handle, file);
    if (!header.type.startsWith("f")) {
      const fix =
        header.type === "u1"
          ? "read packed codes as binary (--binary packed), or save features with astype('float32')"
          : "save it with numpy.save(file, features.astype('float32'))";
      throw new UserError({
        code: "npy-dtype",
        message: "feature vectors must be floats",
        file,
        expected: "float32, float64 or float16",
        found: describeType(header),
        fix,
      });
    }
    const [rows, dim] = requireMatrix(header, file, "n x dim");
    const data = new Float32Array(rows * dim);
    await fill(handle, file, header, data);
    return { data, dim };
  });
}

/**
 * Reads packed binary codes: a rank-2 uint8 array [n, bits / 8], the most significant bit of a byte
 * first.
 *
 * @throws UserError as `readNpyHeader`; `npy-dtype` unless uint8; `npy-shape` where it is not rank
 * 2, or has no rows or columns.
 */
export async function readNpyCodes(file: string): Promise<Codes> {
  return withFile(file, async (handle) => {
    const header = await headerOf(handle, file);
    if (header.type !== "u1") {
      throw new UserError({
        code: "npy-dtype",
        message: "packed codes must be bytes",
        file,
        expected: "uint8",
        found: describeType(header),
        fix:
          "pack them with numpy.packbits(bits, axis=1), or let features be binarised " +
          "(--binary sign)",
      });
    }
    const [rows, width] = requireMatrix(header, file, "n x bits / 8");
    const data = new Uint8Array(rows * width);
    await fill(handle, file, header, data);
    return { data, bits: width * 8 };
  });
}

/**
 * Writes a row-major array of rank 1 or more atomically, as version 1 in this machine's byte order.
 * `data.length` must be the product of `shape`.
 */
export async function writeNpy(
  file: string,
  data: NpyData,
  shape: readonly number[],
): Promise<void> {
  const count = shape.reduce((a, b) => a * b, 1);
  if (count !== data.length)
    throw new RangeError(
      `writeNpy: shape ${shape.join(" x ")} needs ${count} values, got ${data.length}`,
    );
  const type = npyTypeOf(data);
  const order = typeBytes[type] === 1 ? "|" : hostOrder === "little" ? "<" : ">";
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Magic, version, length and dictionary are padded with spaces to a multiple of 64 and end in a
  // newline.
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
  const header = Buffer.alloc(10 + length, " ");
  header.write("\x93NUMPY\x01\x00", "latin1");
  header.writeUInt16LE(length, 8);
  header.write(dictionary, 10, "latin1");
  header[header.length - 1] = 0x0a;
  await writeAtomic(file, [header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}

/** Writes vectors as float32 [n, dim], or codes as uint8 [n, bits / 8]. */
export async function writeNpyRows(file: string, rows: Vectors | Codes): Promise<void> {
  const width = "bits" in rows ? rows.bits / 8 : rows.dim;
  await writeNpy(file, rows.data, [rows.data.length / width, width]);
}

async function withFile<T>(file: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle;
  try {
    handle = await openRegular(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    return await work(handle);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "EISDIR" ? unreadable(file, error) : error;
  } finally {
    await handle.close();
  }
}

function requireMatrix({ shape }: NpyHeader, file: string, expected: string): [number, number] {
  const found = shape.length === 0 ? "a single number" : `shape ${shape.join(" x ")}`;
  if (shape.length !== 2) {
    throw new UserError({
      code: "npy-shape",
      message: "not a matrix",
      file,
      expected: `${expected}, two dimensions`,
      found,
      fix: "reshape it to one row a picture",
    });
  }
  if (shape[0] === 0 || shape[1] === 0)
    throw new UserError({
      code: "npy-shape",
      message: "the matrix is empty",
      file,
      expected: `${expected}, at least 1 x 1`,
      found,
      fix: "check what was saved",
    });
  return [shape[0]!, shape[1]!];
}

function npyTypeOf(data: NpyData): NpyType {
  if (data instanceof Float32Array) return "f4";
  if (data instanceof Float64Array) return "f8";
  const kind =
    data instanceof Uint8Array || data instanceof Uint16Array || data instanceof Uint32Array
      ? "u"
      : "i";
  return `${kind}${data.BYTES_PER_ELEMENT}` as NpyType;
}

function allocate({ type, shape }: NpyHeader): NpyData {
  const count = shape.reduce((a, b) => a * b, 1);
  switch (type) {
    case "b1":
    case "u1":
      return new Uint8Array(count);
    case "i1":
      return new Int8Array(count);
    case "u2":
      return new Uint16Array(count);
    case "i2":
      return new Int16Array(count);
    case "u4":
      return new Uint32Array(count);
    case "i4":
      return new Int32Array(count);
    case "f2":
    case "f4":
      return new Float32Array(count);
    case "i8":
    case "u8":
    case "f8":
      return new Float64Array(count);
  }
}

/** Reads the data into `target`, row-major, converting where its type differs. */
async function fill(
  handle: FileHandle,
  file: string,
  header: NpyHeader,
  target: NpyData,
): Promise<void> {
  const { type, byteOrder, shape, fortranOrder, dataStart } = header;
  const size = typeBytes[type];
  const swap = byteOrder !== "none" && byteOrder !== hostOrder;
  const transposed = fortranOrder && shape.filter((s) => s > 1).length > 1;
  if (!transposed && (type === "b1" ? "u1" : type) === npyTypeOf(target)) {
    const bytes = Buffer.from(target.buffer, target.byteOffset, target.byteLength);
    await readFully(handle, bytes, dataStart, file);
    if (swap) swapBytes(bytes, size);
    return;
  }
  const block = Buffer.from(
    new ArrayBuffer(Math.min(blockBytes, Math.max(size, target.length * size))),
  );
  const place = transposed ? columnMajorPlaces(shape) : null;
  for (let done = 0; done < target.length;) {
    const count = Math.min(block.length / size, target.length - done);
    const bytes = block.subarray(0, count * size);
    await readFully(handle, bytes, dataStart + done * size, file);
    if (swap) swapBytes(bytes, size);
    const values = decode(bytes, type, file, done);
    if (place) for (let i = 0; i < count; i++) target[place()] = values[i]!;
    else target.set(values, done);
    done += count;
  }
}

function swapBytes(bytes: Buffer, size: number): void {
  if (size === 2) bytes.swap16();
  else if (size === 4) bytes.swap32();
  else if (size === 8) bytes.swap64();
}

/** Where each value of a column-major file goes in row-major order, one call a value. */
function columnMajorPlaces(shape: readonly number[]): () => number {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const at = shape.map(() => 0);
  let place = 0;
  return () => {
    const here = place;
    for (let axis = 0; axis < shape.length; axis++) {
      place += strides[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      place -= strides[axis]! * shape[axis]!;
      at[axis] = 0;
    }
    return here;
  };
}

/** Values of this machine's byte order; `done` is the number of the first, for errors. */
function decode(bytes: Buffer, type: NpyType, file: string, done: number): ArrayLike<number> {
  const { buffer, byteOffset } = bytes;
  const count = bytes.length / typeBytes[type];
  switch (type) {
    case "b1":
    case "u1":
      return bytes;
    case "i1":
      return new Int8Array(buffer, byteOffset, count);
    case "u2":
      return new Uint16Array(buffer, byteOffset, count);
    case "i2":
      return new Int16Array(buffer, byteOffset, count);
    case "u4":
      return new Uint32Array(buffer, byteOffset, count);
    case "i4":
      return new Int32Array(buffer, byteOffset, count);
    case "f4":
      return new Float32Array(buffer, byteOffset, count);
    case "f8":
      return new Float64Array(buffer, byteOffset, count);
    case "f2":
      return Float32Array.from(new Uint16Array(buffer, byteOffset, count), halfToFloat);
    case "i8":
    case "u8": {
      const wide =
        type === "i8"
          ? new BigInt64Array(buffer, byteOffset, count)
          : new BigUint64Array(buffer, byteOffset, count);
      return Float64Array.from({ length: count }, (_, i) => {
        const value = Number(wide[i]!);
        if (!Number.isSafeInteger(value)) {
          throw new UserError({
            code: "npy-integer",
            message: "an integer is too large to be held exactly",
            file,
            path: `value ${done + i}`,
            expected: "at most 2^53 - 1",
            found: String(wide[i]),
            fix: "number the items from 0",
          });
        }
        return value;
      });
    }
  }
}

/** IEEE 754 binary16 to binary32, exact. */
function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
