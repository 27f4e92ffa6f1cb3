import { UserError, oneOf } from "../../src/pipeline/errors.js";
import type { Box } from "../../src/pipeline/types.js";
import type { ListRow } from "./paddleclas-list.js";
import { readLines } from "./text-lines.js";

/** One record of a csv file; `line` counts from 1. */
export interface CsvRecord<Name extends string> {
  readonly line: number;
  readonly values: Readonly<Record<Name, string>>;
}

/**
 * Reads a csv file with a header line and picks the named columns. A record is one line: quoted
 * line breaks are refused.
 *
 * @throws UserError `csv-column` (a column is missing), `csv-line` (wrong number of fields), and
 * what `readLines` throws.
 */
export async function readCsv<Name extends string>(
  file: string,
  columns: readonly Name[],
): Promise<CsvRecord<Name>[]> {
  const [header, ...lines] = await readLines(file, "csv-encoding");
  const names = header ? fields(header.text, file, 1) : [];
  const places = columns.map((name) => {
    const place = names.indexOf(name);
    if (place < 0) {
      throw new UserError({
        code: "csv-column",
        message: `the csv file has no column ${JSON.stringify(name)}`,
        file,
        path: "line 1",
        expected: columns.join(","),
        found: names.length === 0 ? "an empty file" : `columns ${oneOf(names.slice(0, 12))}`,
        fix: "check that this is the file you meant",
      });
    }
    return place;
  });
  return lines.map(({ text, number }) => {
    const cells = fields(text, file, number);
    if (cells.length !== names.length) {
      throw new UserError({
        code: "csv-line",
        message: "a record has another number of fields than the header",
        file,
        path: `line ${number}`,
        expected: `${names.length} fields`,
        found: `${cells.length}`,
        fix: "quote fields that hold commas",
      });
    }
    return {
      line: number,
      values: Object.fromEntries(
        columns.map((name, i) => [name, cells[places[i]!]!.trim()]),
      ) as Record<Name, string>,
    };
  });
}

/** A csv file by the names of its header. */
export interface CsvTable {
  readonly columns: readonly string[];
  /** The header's fields: the first record of a file without one. */
  readonly head: readonly string[];
  readonly rows: readonly CsvRow[];
}

export interface CsvRow {
  readonly line: number;
  readonly fields: readonly string[];
  /** The field of a column, or undefined where there is none of that name. */
  readonly value: (column: string) => string | undefined;
}

/**
 * Reads a csv file with all of its columns, of which some must be there.
 *
 * @throws UserError as `readCsv`.
 */
export async function readCsvTable(file: string, needed: readonly string[]): Promise<CsvTable> {
  if (needed.length > 0) await readCsv(file, needed);
  const [header, ...lines] = await readLines(file, "csv-encoding");
  const head = header ? fields(header.text, file, 1).map((f) => f.trim()) : [];
  const places = new Map(head.map((name, i) => [name, i]));
  const rows = lines.map(({ text, number }): CsvRow => {
    const cells = fields(text, file, number).map((f) => f.trim());
    return { line: number, fields: cells, value: (c) => cells[places.get(c) ?? -1] };
  });
  return { columns: head, head, rows };
}

/** The fields of one record (RFC 4180): a quoted field may hold commas, and `""` for a quote. */
function fields(text: string, file: string, line: number): string[] {
  const found: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",][^,]*|))(,|$)/y;
  for (;;) {
    const match = field.exec(text);
    if (!match)
      throw new UserError({
        code: "csv-line",
        message: "a quote is not closed, or stands inside a field",
        file,
        path: `line ${line}`,
        found: text.slice(0, 80),
        fix: 'quote the whole field, and double the quotes inside it: "a ""b"""',
      });
    found.push(match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'));
    if (match[3] === "") return found;
  }
}

/** A box of one picture. */
export interface BoxRecord {
  readonly path: string;
  readonly box: Box;
  readonly line: number;
}

/**
 * Reads iCartoonFace's detection annotations: csv without a header, `image,x1,y1,x2,y2` in pixels,
 * one face a line.
 *
 * @throws UserError `csv-line` where a line is not that, or a box has no area.
 */
export async function readIcartoonFaceBoxes(file: string): Promise<BoxRecord[]> {
  return (await readLines(file, "csv-encoding")).map(({ text, number }) => {
    const [path = "", ...corners] = fields(text, file, number).map((f) => f.trim());
    const [x0, y0, x1, y1] = corners.slice(0, 4).map((c) => (c === "" ? NaN : Number(c)));
    if (
      path === "" ||
      ![x0, y0, x1, y1].every((v) => v !== undefined && Number.isFinite(v)) ||
      x1! <= x0! ||
      y1! <= y0!
    ) {
      throw new UserError({
        code: "csv-line",
        message: "not a box",
        file,
        path: `line ${number}`,
        expected: "image,x1,y1,x2,y2 with x1 < x2 and y1 < y2",
        found: text.slice(0, 80),
        fix: "mend or remove the line",
      });
    }
    return { path, box: { x0: x0!, y0: y0!, x1: x1!, y1: y1! }, line: number };
  });
}

/**
 * Reads Google Landmarks v2's `train_clean.csv` (`landmark_id,images`, the images separated by
 * spaces). A picture with id `abcdef…` lies at `a/b/c/abcdef….jpg` in the release's archives.
 *
 * @throws UserError `csv-column`, `csv-line`.
 */
export async function readLandmarks(file: string): Promise<ListRow[]> {
  const records = await readCsv(file, ["landmark_id", "images"]);
  return records.flatMap(({ line, values }) =>
    values.images
      .split(/\s+/)
      .filter((id) => id !== "")
      .map((id): ListRow => {
        if (!/^[0-9a-f]{3,}$/.test(id)) {
          throw new UserError({
            code: "csv-line",
            message: "not a picture's id",
            file,
            path: `line ${line}`,
            expected: "hexadecimal digits",
            found: id.slice(0, 40),
            fix: "use train_clean.csv as released",
          });
        }
        return { path: `${id[0]}/${id[1]}/${id[2]}/${id}.jpg`, label: values.landmark_id, line };
      }),
  );
}
