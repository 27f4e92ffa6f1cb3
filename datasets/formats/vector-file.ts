// formats/: files of lists, vectors and boxes in; checked plain values, with what was let pass
// counted, out. It never sees a picture's pixels or a model.
import { extname } from "node:path";
import { UserError, oneOf } from "../../src/pipeline/errors.js";
import { isCodes, type Codes, type Vectors } from "../../src/pipeline/types.js";
import { readArrowRows, writeArrowRows } from "./arrow.js";
import { requireFinite } from "./finite.js";
import { readBvecs, readFvecs, writeBvecs, writeFvecs } from "./fvecs.js";
import { readNpyCodes, readNpyVectors, writeNpyRows } from "./npy.js";

type Kind = "real" | "binary";
interface Format {
  readonly real?: (file: string) => Promise<Vectors>;
  readonly binary?: (file: string) => Promise<Codes>;
  readonly write: (file: string, rows: Vectors | Codes) => Promise<void>;
}

const arrow: Format = {
  real: async (file) => (await readArrowRows(file, "real")) as Vectors,
  binary: async (file) => (await readArrowRows(file, "binary")) as Codes,
  write: (file, rows) => writeArrowRows(file, rows),
};
const formats: Readonly<Record<string, Format>> = {
  ".npy": { real: readNpyVectors, binary: readNpyCodes, write: writeNpyRows },
  ".fvecs": { real: readFvecs, write: (file, rows) => writeFvecs(file, rows as Vectors) },
  ".bvecs": { binary: readBvecs, write: (file, rows) => writeBvecs(file, rows as Codes) },
  ".arrow": arrow,
  ".feather": arrow,
};

/** The extensions that hold vectors (`real`) or packed codes (`binary`). */
export function vectorExtensions(kind: Kind): string[] {
  return Object.entries(formats)
    .filter(([, f]) => f[kind])
    .map(([extension]) => extension);
}

/**
 * Reads feature vectors from .npy, .fvecs or .arrow, by the file's extension, and checks that all
 * are finite.
 *
 * @throws UserError `vector-file-extension`, `vector-not-finite`, and what the format's reader
 * throws.
 */
export async function readVectors(file: string): Promise<Vectors> {
  const vectors = await pick(file, "real").real!(file);
  requireFinite(vectors, file);
  return vectors;
}

/** Reads packed codes (bits MSB first) from .npy, .bvecs or .arrow, by the file's extension. */
export async function readCodes(file: string): Promise<Codes> {
  return pick(file, "binary").binary!(file);
}

/** Writes rows in the format that the file's extension names. */
export async function writeRows(file: string, rows: Vectors | Codes): Promise<void> {
  await pick(file, isCodes(rows) ? "binary" : "real").write(file, rows);
}

function pick(file: string, kind: Kind): Format {
  const extension = extname(file).toLowerCase();
  const format = formats[extension];
  if (!format?.[kind]) {
    throw new UserError({
      code: "vector-file-extension",
      message:
        kind === "real"
          ? "feature vectors are not read from this kind of file"
          : "packed codes are not read from this kind of file",
      file,
      expected: oneOf(vectorExtensions(kind)),
      found: extension || "no extension",
      fix: "save them as .npy",
    });
  }
  return format;
}
