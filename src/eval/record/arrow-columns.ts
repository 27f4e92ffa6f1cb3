import {
  columnFromArray,
  dictionary,
  fixedSizeList,
  float32,
  float64,
  int16,
  int32,
  int8,
  list,
  nullType,
  struct,
  tableFromColumns,
  tableToIPC,
  Type,
  utf8,
  type Column,
  type DataType,
} from "@uwdata/flechette";

/**
 * Chooses the Arrow type of a record's column: the smallest that gives every value back to the last
 * bit. Values come in, a type goes out; a column without any value takes no room at all.
 */

/** A column of the type that is chosen for its values. */
export function typed<T>(
  typeOf: (values: readonly T[]) => DataType,
  values: readonly T[],
): Column<unknown> {
  return columnFromArray(values as unknown[], typeOf(values));
}

/** Columns by name as an Arrow IPC file. */
export function arrowFile(columns: Readonly<Record<string, Column<unknown>>>): Uint8Array {
  const bytes = tableToIPC(tableFromColumns(Object.entries(columns)), { format: "file" });
  if (!bytes) throw new Error("flechette gave no Arrow bytes");
  return bytes;
}

type Nullable<T> = T | null | undefined;

/** Texts as a dictionary, its places no wider than the number of distinct texts asks for. */
export function textType(values: Iterable<Nullable<string>>): DataType {
  const distinct = new Set(present(values));
  return distinct.size === 0 ? nullType() : dictionary(utf8(), integer(distinct.size));
}

/** Whole numbers, such as ranks and pixels; other numbers where any is not whole or beyond 2^31. */
export function countType(values: Iterable<Nullable<number>>): DataType {
  const numbers = present(values);
  if (numbers.length === 0) return nullType();
  const most = numbers.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  const whole = numbers.every((x) => Number.isInteger(x) && !Object.is(x, -0));
  return whole && most < 2 ** 31 ? integer(most) : realType(numbers);
}

/** Real numbers: 32 bits where that loses nothing, as of what a network gave. */
export function realType(values: Iterable<Nullable<number>>): DataType {
  const numbers = present(values);
  if (numbers.length === 0) return nullType();
  return numbers.every((x) => Object.is(Math.fround(x), x)) ? float32() : float64();
}

/**
 * Lists of rows, typed by the columns of all their rows; of one size where all are. A column that
 * no row has a value for is left out, as Arrow's null type cannot be built inside another.
 */
export function rowsType<Row>(
  lists: readonly Nullable<readonly Row[]>[],
  columns: (rows: readonly Row[]) => Record<string, DataType>,
): DataType {
  const held = present(lists);
  if (held.length === 0) return nullType();
  const entries = Object.entries(columns(held.flat()));
  const row = struct(Object.fromEntries(entries.filter(([, { typeId }]) => typeId !== Type.Null)));
  const length = held[0]!.length;
  const even = held.length === lists.length && held.every((rows) => rows.length === length);
  return even && length > 0 ? fixedSizeList(row, length) : list(row);
}

function integer(most: number): ReturnType<typeof int32> {
  if (most < 2 ** 7) return int8();
  return most < 2 ** 15 ? int16() : int32();
}

function present<T>(values: Iterable<Nullable<T>>): T[] {
  return [...values].filter((value): value is T => value !== null && value !== undefined);
}
