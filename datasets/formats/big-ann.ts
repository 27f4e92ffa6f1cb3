import { UserError } from "../../src/pipeline/errors.js";
import { openRegular } from "../../src/pipeline/regular-file.js";
import { unreadable } from "../../src/pipeline/schema.js";
import type { Vectors } from "../../src/pipeline/types.js";
import type { IntegerRows } from "./fvecs.js";
import { readFully } from "./read-fully.js";

type Kind = "fbin" | "u8bin" | "i8bin";

const componentBytes: Readonly<Record<Kind, number>> = { fbin: 4, u8bin: 1, i8bin: 1 };
const headBytes = 8;
/** Components are converted so many bytes at a time. */
const blockBytes = 8 * 1024 * 1024;

/**
 * Reads the vectors of the big-ann benchmarks: the number of rows and their dimension as uint32,
 * then the components row by row, little-endian: float32 (.fbin), uint8 (.u8bin) or int8 (.i8bin).
 *
 * Source: big-ann-benchmarks, `benchmark/dataset_io.py` (`xbin_mmap`).
 *
 * @throws UserError `file-unreadable`, `bin-header`, `bin-size`.
 */
export async function readBigAnn(file: string, kind: Kind): Promise<Vectors> {
  return withFile(file, async (handle) => {
    const { rows, dim } = await headOf(handle, file, componentBytes[kind]);
    const data = new Float32Array(rows * dim);
    if (kind === "fbin") {
      await readFully(handle, Buffer.from(data.buffer), headBytes, file);
      return { data, dim };
    }
    const block = new Uint8Array(Math.min(blockBytes, data.length));
    for (let done = 0; done < data.length; done += block.length) {
      const bytes = block.subarray(0, Math.min(block.length, data.length - done));
      await readFully(handle, bytes, headBytes + done, file);
      data.set(kind === "u8bin" ? bytes : new Int8Array(bytes.buffer, 0, bytes.length), done);
    }
    return { data, dim };
  });
}

/**
 * Reads the exact neighbours that come with those vectors: queries and k as uint32, then the ids
 * (uint32) and their distances (float32), each queries x k. The distances are not kept.
 *
 * Source: the same, `knn_result_read`.
 */
export async function readBigAnnTruth(file: string): Promise<IntegerRows> {
  return withFile(file, async (handle) => {
    const { rows, dim } = await headOf(handle, file, 8);
    const data = new Int32Array(rows * dim);
    await readFully(handle, Buffer.from(data.buffer), headBytes, file);
    return { data, dim };
  });
}

type Handle = Awaited<ReturnType<typeof openRegular>>;

async function withFile<T>(file: string, work: (handle: Handle) => Promise<T>): Promise<T> {
  const handle = await openRegular(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  try {
    return await work(handle);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "EISDIR" ? unreadable(file, error) : error;
  } finally {
    await handle.close();
  }
}

async function headOf(
  handle: Handle,
  file: string,
  itemBytes: number,
): Promise<{ rows: number; dim: number }> {
  const { size } = await handle.stat();
  const head = Buffer.alloc(headBytes);
  if (size >= headBytes) await readFully(handle, head, 0, file);
  const rows = head.readUInt32LE(0);
  const dim = head.readUInt32LE(4);
  if (rows < 1 || dim < 1) {
    throw new UserError({
      code: "bin-header",
      message: "the head makes no sense",
      file,
      expected: "rows and dimension, each 1 or more",
      found: size < headBytes ? `a file of ${size} bytes` : `${rows} x ${dim}`,
      fix: "check the extension and the byte order (little-endian)",
    });
  }
  const expected = headBytes + rows * dim * itemBytes;
  if (size !== expected) {
    throw new UserError({
      code: "bin-size",
      message: "the file is not as long as its head says",
      file,
      expected: `${expected} bytes for ${rows} x ${dim}`,
      found: `${size} bytes`,
      fix: "copy the file again, or check the extension",
    });
  }
  return { rows, dim };
}
