import {
  Batch,
  batchType,
  Column,
  columnFromArray,
  CompressionType,
  fixedSizeList,
  float32,
  float64,
  int32,
  setCompressionCodec,
  Table,
  tableFromColumns,
  tableFromIPC,
  tableToIPC,
  Type,
  uint8,
  utf8,
  type DataType,
} from "@uwdata/flechette";
import { writeAtomic } from "../../src/pipeline/atomic-file.js";
import { decompressLz4Frame } from "./lz4-frame.js";
import { UserError, oneOf } from "../../src/pipeline/errors.js";
import { readRegular } from "../../src/pipeline/regular-file.js";
import { unreadable } from "../../src/pipeline/schema.js";
import { isCodes, type Codes, type Vectors } from "../../src/pipeline/types.js";

/**
 * What a column may hold. Strings and numbers may be null (absent); matrices are fixed-size lists.
 */
export type ArrowColumn =
  | readonly (string | null)[]
  | readonly (number | null)[]
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint8Array
  | Vectors
  | Codes;

/** What buffers may be compressed with: pyarrow's Feather is LZ4 unless told otherwise. */
async function useCodecs(): Promise<void> {
  const { decompress } = await import("fzstd");
  const encode = (): never => {
    throw new Error("nothing is written compressed");
  };
  setCompressionCodec(CompressionType.LZ4_FRAME, { decode: decompressLz4Frame, encode });
  setCompressionCodec(CompressionType.ZSTD, { decode: (bytes) => decompress(bytes), encode });
}

/**
 * Reads an Arrow IPC file or stream, compressed ones too. Bytes of columns that are not compressed
 * are used in place, not copied.
 *
 * @throws UserError `file-unreadable`, `arrow-format`.
 */
export async function readArrow(file: string): Promise<Table> {
  let bytes: Buffer;
  try {
    bytes = await readRegular(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  await useCodecs();
  try {
    return tableFromIPC(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    throw new UserError(
      {
        code: "arrow-format",
        message: "not an Arrow IPC file or stream",
        file,
        found: (error as Error).message.split("\n")[0] ?? "",
        fix: "write it again as a file or a stream (feather.write_feather, RecordBatchFileWriter)",
      },
      { cause: error },
    );
  }
}

/**
 * Writes columns of equal length as one Arrow IPC file, atomically and without a second copy of the
 * values. Column order is kept. Strings become utf8, numbers float64, typed arrays their own type,
 * vectors and codes fixed-size lists of float32 and uint8.
 */
export async function writeArrow(
  file: string,
  columns: Readonly<Record<string, ArrowColumn>>,
): Promise<void> {
  const table = tableFromColumns(
    Object.entries(columns).map(([name, values]): [string, Column<unknown>] => [
      name,
      columnOf(values),
    ]),
  );
  // flechette asks only for `write`; its own memory sink would join the parts into one more copy.
  const parts: Uint8Array[] = [];
  const sink = {
    write: (bytes: Uint8Array) => {
      parts.push(bytes);
    },
    pad: (count: number) => {
      parts.push(new Uint8Array(count));
    },
    finish: () => null,
  };
  tableToIPC(table, { format: "file", sink });
  await writeAtomic(file, parts);
}

/**
 * Vectors (a column of lists of floats) or codes (a column of lists of uint8) of an Arrow file,
 * named `column` or the only one of its kind.
 *
 * @throws UserError as `readArrow`; `arrow-column` where there is no such column, or it holds nulls
 * or lists of unequal length.
 */
export async function readArrowRows(
  file: string,
  kind: "real" | "binary",
  column?: string,
): Promise<Vectors | Codes> {
  const table = await readArrow(file);
  const fits = (type: DataType) =>
    isList(type) &&
    (kind === "real" ? isFloat(type.children[0]!.type) : isByte(type.children[0]!.type));
  const names = table.schema.fields.filter((f) => fits(f.type)).map((f) => f.name);
  const name = column ?? (names.length === 1 ? names[0] : undefined);
  const expected =
    kind === "real" ? "one column of lists of floats" : "one column of lists of uint8";
  if (name === undefined || !names.includes(name)) {
    throw new UserError({
      code: "arrow-column",
      message:
        column === undefined
          ? "it is not clear which column holds the rows"
          : `no usable column ${JSON.stringify(column)}`,
      file,
      expected,
      found:
        names.length > 0
          ? oneOf(names)
          : `columns ${oneOf(table.names.slice(0, 12).map(String)) || "none"}`,
      fix: "write the rows as one fixed-size list column",
    });
  }
  const child = table.getChild(name);
  const n = child.length;
  const wrong = (row: number, found: string) =>
    new UserError({
      code: "arrow-column",
      message: `column ${JSON.stringify(name)} holds a row of another length`,
      file,
      path: `row ${row}`,
      expected: "lists of one length without nulls",
      found,
      fix: "write it again as a fixed-size list",
    });
  if (n === 0)
    throw new UserError({
      code: "arrow-column",
      message: `column ${JSON.stringify(name)} is empty`,
      file,
      expected: "at least one row",
      fix: "check what was saved",
    });
  const first = child.at(0) as ArrayLike<number> | null;
  if (!first) throw wrong(0, "null");
  const width = first.length;
  if (width === 0) throw wrong(0, "an empty list");
  const data = kind === "real" ? new Float32Array(n * width) : new Uint8Array(n * width);
  let row = 0;
  for (const values of child as Iterable<ArrayLike<number> | null>) {
    if (values === null || values.length !== width)
      throw wrong(row, values === null ? "null" : `${values.length} values instead of ${width}`);
    data.set(values, row++ * width);
  }
  return kind === "real"
    ? { data: data as Float32Array, dim: width }
    : { data: data as Uint8Array, bits: width * 8 };
}

/** Vectors or codes in the column `name`, with further columns beside them. */
export async function writeArrowRows(
  file: string,
  rows: Vectors | Codes,
  more: Readonly<Record<string, ArrowColumn>> = {},
  name = "vector",
): Promise<void> {
  await writeArrow(file, { ...more, [name]: rows });
}

function isList(
  type: DataType,
): type is Extract<DataType, { children: unknown }> & { children: [{ type: DataType }] } {
  return (
    type.typeId === Type.FixedSizeList ||
    type.typeId === Type.List ||
    type.typeId === Type.LargeList
  );
}

function isFloat(type: DataType): boolean {
  return type.typeId === Type.Float;
}

function isByte(type: DataType): boolean {
  return (
    type.typeId === Type.Int &&
    (type as { bitWidth: number; signed: boolean }).bitWidth === 8 &&
    !(type as { signed: boolean }).signed
  );
}

function columnOf(values: ArrowColumn): Column<unknown> {
  if (values instanceof Float32Array) return direct(float32(), values);
  if (values instanceof Float64Array) return direct(float64(), values);
  if (values instanceof Int32Array) return direct(int32(), values);
  if (values instanceof Uint8Array) return direct(uint8(), values);
  if (isRows(values)) return matrix(values);
  const list = values as readonly (string | number | null)[];
  return columnFromArray(
    list as unknown[],
    typeof list.find((v) => v !== null) === "string" ? utf8() : float64(),
  ) as Column<unknown>;
}

function isRows(values: ArrowColumn): values is Vectors | Codes {
  return !Array.isArray(values);
}

const noNulls = () => new Uint8Array(0);

function batch(
  type: DataType,
  parts: {
    length: number;
    values?: Float32Array | Float64Array | Int32Array | Uint8Array;
    children?: Batch<unknown>[];
  },
): Batch<unknown> {
  const Kind = batchType(type, {}) as unknown as new (options: object) => Batch<unknown>;
  return new Kind({ nullCount: 0, validity: noNulls(), type, ...parts });
}

function direct(
  type: DataType,
  values: Float32Array | Float64Array | Int32Array | Uint8Array,
): Column<unknown> {
  return new Column([batch(type, { length: values.length, values })], type);
}

function matrix(rows: Vectors | Codes): Column<unknown> {
  const width = isCodes(rows) ? rows.bits / 8 : rows.dim;
  const element = isCodes(rows) ? uint8() : float32();
  const type = fixedSizeList(element, width);
  const child = batch(element, { length: rows.data.length, values: rows.data });
  return new Column([batch(type, { length: rows.data.length / width, children: [child] })], type);
}
