import { existsSync } from "node:fs";
import { UserError, oneOf } from "../../src/pipeline/errors.js";
import { unreadable } from "../../src/pipeline/schema.js";
import type { Vectors } from "../../src/pipeline/types.js";

/** Vectors of a Parquet file, and the labels beside them where there is a column for them. */
export interface ParquetVectors {
  readonly vectors: Vectors;
  readonly labels: readonly string[] | null;
}

type Row = Readonly<Record<string, unknown>>;

/**
 * Reads the one column of a Parquet file that holds lists of numbers, and a column `label` where
 * there is one.
 *
 * @throws UserError `file-unreadable`, `parquet-format`, `parquet-column`
 */
export async function readParquet(file: string): Promise<ParquetVectors> {
  const rows = await rowsOf(file);
  const first = rows[0];
  if (first === undefined) throw badColumn(file, "the file has no rows");
  const names = Object.keys(first).filter((name) => isVector(first[name]));
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw badColumn(
      file,
      names.length > 1 ? oneOf(names) : `columns ${Object.keys(first).join(", ")}`,
    );
  }
  const vectors = stacked(rows, name, file);
  const labels = "label" in first ? rows.map((row) => String(row.label)) : null;
  return { vectors, labels };
}

async function rowsOf(file: string): Promise<Row[]> {
  if (!existsSync(file)) throw unreadable(file, { code: "ENOENT" });
  const { asyncBufferFromFile, parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  try {
    return await parquetReadObjects({ file: await asyncBufferFromFile(file), compressors });
  } catch (error) {
    throw new UserError(
      {
        code: "parquet-format",
        message: "not a Parquet file that can be read",
        file,
        found: (error as Error).message.split("\n")[0] ?? "",
        fix: "save the vectors as .npy",
      },
      { cause: error },
    );
  }
}

function isVector(value: unknown): value is ArrayLike<number> {
  const list = value as ArrayLike<unknown> | null;
  return typeof list === "object" && list !== null && typeof list[0] === "number";
}

function stacked(rows: readonly Row[], name: string, file: string): Vectors {
  const dim = (rows[0]![name] as ArrayLike<number>).length;
  const data = new Float32Array(rows.length * dim);
  for (const [place, row] of rows.entries()) {
    const values = row[name];
    if (!isVector(values) || values.length !== dim) {
      const found = isVector(values) ? `${values.length} values` : "no list of numbers";
      throw badColumn(file, found, `${name}, row ${place}`, `${dim} values, as row 0`);
    }
    data.set(values, place * dim);
  }
  return { data, dim };
}

function badColumn(
  file: string,
  found: string,
  path?: string,
  expected = "one column of lists of numbers",
): UserError {
  return new UserError({
    code: "parquet-column",
    message: "it is not clear which rows are the vectors",
    file,
    ...(path !== undefined && { path }),
    expected,
    found,
    fix: "write the vectors as one list column, all of one length",
  });
}
