import { UserError } from "../../src/pipeline/errors.js";
import { openRegular } from "../../src/pipeline/regular-file.js";
import { unreadable } from "../../src/pipeline/schema.js";
import type { Vectors } from "../../src/pipeline/types.js";

/** A benchmark of ann-benchmarks: vectors to index, vectors to ask for. */
export interface AnnBenchmark {
  readonly train: Vectors;
  readonly test: Vectors;
  /** `angular`: cosines; `euclidean`: squared distances. */
  readonly distance: "angular" | "euclidean";
}

/**
 * Reads an HDF5 file of ann-benchmarks: data sets `train` and `test`, attribute `distance`.
 *
 * Source: ann-benchmarks, `ann_benchmarks/datasets.py` (`write_output`).
 *
 * @throws UserError `file-unreadable`, `hdf5-format`, `hdf5-distance`
 */
export async function readAnnHdf5(file: string): Promise<AnnBenchmark> {
  await requireSignature(file);
  const { default: h5wasm } = await import("h5wasm/node");
  await h5wasm.ready;
  const opened = openFile(() => new h5wasm.File(file, "r"), file);
  try {
    const matrix = (name: string): Vectors => matrixOf(opened.get(name), name, file);
    const train = matrix("train");
    const test = matrix("test");
    const distance = String(opened.attrs.distance?.value ?? "none");
    if (distance !== "angular" && distance !== "euclidean") {
      throw new UserError({
        code: "hdf5-distance",
        message: "vectors of this distance are not searched here",
        file,
        path: "attribute distance",
        expected: "angular or euclidean",
        found: distance,
      });
    }
    return { train, test, distance };
  } finally {
    opened.close();
  }
}

/** What every HDF5 file begins with: the library prints its troubles with others. */
const signature = Buffer.from([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]);

async function requireSignature(file: string): Promise<void> {
  const handle = await openRegular(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  try {
    const { buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    if (!buffer.equals(signature)) throw notHdf5(file, "another beginning", undefined);
  } finally {
    await handle.close();
  }
}

function openFile<T>(open: () => T, file: string): T {
  try {
    return open();
  } catch (error) {
    throw notHdf5(file, (error as Error).message.split("\n")[0] ?? "", error);
  }
}

interface DatasetLike {
  readonly shape: readonly number[] | null;
  readonly value: unknown;
}

function matrixOf(found: unknown, name: string, file: string): Vectors {
  const { shape, value } = (found ?? { shape: null, value: null }) as DatasetLike;
  if (shape?.length !== 2 || !ArrayBuffer.isView(value)) {
    const what = shape === null ? "no such data set" : `shape ${shape?.join(" x ")}`;
    throw notHdf5(file, `${name}: ${what}`, undefined);
  }
  const data = Float32Array.from(value as unknown as ArrayLike<number>);
  return { data, dim: shape[1]! };
}

function notHdf5(file: string, found: string, cause: unknown): UserError {
  return new UserError(
    {
      code: "hdf5-format",
      message: "not an HDF5 file of ann-benchmarks",
      file,
      expected: "data sets train and test, each rows x dimension, and an attribute distance",
      found,
      fix: "save the vectors as .npy",
    },
    { cause },
  );
}
