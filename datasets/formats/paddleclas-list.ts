import { UserError } from "../../src/pipeline/errors.js";
import type { Rules } from "../../src/pipeline/protocol.js";
import { readLines, type Line } from "./text-lines.js";

/** One picture of a list. */
export interface ListRow {
  readonly path: string;
  readonly label: string;
  /**
   * Camera or picture number, from the third column: with the same label it marks gallery items
   * that are not valid for a query.
   */
  readonly uid?: string;
  /** Line in the file, from 1. */
  readonly line: number;
}

export interface ImageList {
  readonly file: string;
  readonly delimiter: "tab" | "space" | "comma";
  readonly columns: 2 | 3;
  readonly rows: readonly ListRow[];
}

export interface ListOptions {
  /** `auto` (the default): a tab where any line has one, else a space. */
  readonly delimiter?: "tab" | "space" | "auto";
  /** 2: path, label. 3: path, label, uid. `auto` (the default): see `readList`. */
  readonly columns?: 2 | 3 | "auto";
  /** `whole` (the default), or cut at its first space. */
  readonly labels?: Rules["labels"];
}

/**
 * Reads a PaddleClas gallery or query list: UTF-8, one `path<delimiter>label[<delimiter>uid]` a
 * line; a byte order mark, CRLF and blank lines are accepted. There are no comments: `#` is an
 * ordinary character.
 *
 * With tabs the number of fields says whether there is a uid, and all lines must agree. With spaces
 * the path ends at the first space, and a label may itself hold spaces, so `auto` takes a third
 * field for a uid only where every line has three fields of which label and uid are integers (the
 * evaluation lists of PaddleClas are like that); where only the last is an integer both readings
 * make sense, and the list is refused until `columns` is given.
 *
 * Source: PaddleClas `ppcls/data/dataloader/vehicle_dataset.py` (VeriWild: path, label, camera),
 * `deploy/python/build_gallery.py` (`split_datafile`), and, for the cut label,
 * `deploy/python/predict_system.py` (`id_map[...].split()[1]`).
 *
 * @throws UserError `file-unreadable`, `list-encoding`, `list-line` (names the line),
 * `list-ambiguous`, `list-empty`.
 */
export async function readList(file: string, options: ListOptions = {}): Promise<ImageList> {
  return listOf(await readLines(file, "list-encoding"), file, options);
}

/** The same for text at hand; `file` is only named in errors. */
export function parseList(text: string, file: string, options: ListOptions = {}): ImageList {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  return listOf(
    lines
      .map((content, i) => ({ text: content.trim(), number: i + 1 }))
      .filter((l) => l.text !== ""),
    file,
    options,
  );
}

/**
 * How a row is written by `formatList`: a tab between fields, so that spaces in labels and paths
 * survive.
 */
export function formatList(rows: readonly Pick<ListRow, "path" | "label" | "uid">[]): string {
  return rows
    .map((r) => [r.path, r.label, ...(r.uid === undefined ? [] : [r.uid])].join("\t") + "\n")
    .join("");
}

function listOf(
  lines: readonly Line[],
  file: string,
  { delimiter = "auto", columns = "auto", labels = "whole" }: ListOptions,
): ImageList {
  if (lines.length === 0) {
    throw new UserError({
      code: "list-empty",
      message: "the list has no lines",
      file,
      expected: "path<tab>label, one picture a line",
      fix: "check that this is the file you meant",
    });
  }
  const chosen =
    delimiter === "auto" ? (lines.some((l) => l.text.includes("\t")) ? "tab" : "space") : delimiter;
  const parsed =
    chosen === "tab" ? splitAtTabs(lines, file, columns) : splitAtSpaces(lines, file, columns);
  const rows =
    labels === "first-word"
      ? parsed.rows.map((r) => ({ ...r, label: r.label.split(/\s+/)[0] ?? r.label }))
      : parsed.rows;
  return { file, delimiter: chosen, columns: parsed.columns, rows };
}

interface Split {
  readonly columns: 2 | 3;
  readonly rows: readonly ListRow[];
}

function splitAtTabs(lines: readonly Line[], file: string, columns: 2 | 3 | "auto"): Split {
  const fieldsOf = (line: Line) => line.text.split("\t").map((f) => f.trim());
  const first = lines[0]!;
  const wanted = columns === "auto" ? fieldsOf(first).length : columns;
  if (wanted !== 2 && wanted !== 3) {
    throw badLine(
      file,
      first,
      "path<tab>label or path<tab>label<tab>uid",
      `${wanted} field${wanted === 1 ? "" : "s"}`,
      "put one tab between the fields",
    );
  }
  const rows = lines.map((line): ListRow => {
    const fields = fieldsOf(line);
    const [path = "", label = "", uid = ""] = fields;
    if (fields.length !== wanted || path === "" || label === "" || (wanted === 3 && uid === "")) {
      const found =
        fields.length === wanted
          ? "an empty field"
          : `${fields.length} field${fields.length === 1 ? "" : "s"}`;
      throw badLine(
        file,
        line,
        `${wanted} fields separated by ` +
          `tabs${columns === "auto" && line !== first ? `, like line ${first.number}` : ""}`,
        found,
        "give each line the same fields",
      );
    }
    return wanted === 3
      ? { path, label, uid, line: line.number }
      : { path, label, line: line.number };
  });
  return { columns: wanted, rows };
}

const integer = /^\d+$/;

function splitAtSpaces(lines: readonly Line[], file: string, columns: 2 | 3 | "auto"): Split {
  const split = lines.map((line) => {
    const fields = line.text.split(/\s+/);
    if (fields.length < 2)
      throw badLine(
        file,
        line,
        "path label, or path label uid",
        "one field",
        "add the label, after a tab or a space",
      );
    if (holdsSpace(fields))
      throw badLine(
        file,
        line,
        "a path without spaces",
        `a path that seems to end at ${JSON.stringify(fields.find((f) => picture.test(f)))}`,
        "separate the fields by tabs",
      );
    return fields;
  });
  const wanted = columns === "auto" ? spaceColumns(split, file) : columns;
  const rows = lines.map((line, i): ListRow => {
    const fields = split[i]!;
    const path = fields[0]!;
    const rest = line.text.slice(path.length).trimStart();
    if (wanted === 2) return { path, label: rest, line: line.number };
    if (fields.length < 3)
      throw badLine(
        file,
        line,
        "path label uid",
        "2 fields",
        "add the camera or picture number, or read the list with 2 columns",
      );
    const uid = fields.at(-1)!;
    return { path, label: rest.slice(0, -uid.length).trimEnd(), uid, line: line.number };
  });
  return { columns: wanted, rows };
}

const picture = /\.(jpe?g|png|bmp|webp|gif|tiff?)$/i;

/** Whether the first field is the front of a file name that goes on after a space. */
function holdsSpace([path = "", ...rest]: readonly string[]): boolean {
  return !picture.test(path) && rest.some((field) => picture.test(field));
}

function spaceColumns(split: readonly (readonly string[])[], file: string): 2 | 3 {
  const three = split.every((f) => f.length === 3 && integer.test(f[2]!));
  if (!three) return 2;
  if (split.every((f) => integer.test(f[1]!))) return 3;
  throw new UserError({
    code: "list-ambiguous",
    message: "every line ends in a number after a space: it may be a uid or the end of the label",
    file,
    found: split[0]!.join(" "),
    fix:
      "say how many columns the list has (2: path label, 3: path label uid), or separate " +
      "the fields by tabs",
  });
}

function badLine(
  file: string,
  line: Line,
  expected: string,
  found: string,
  fix: string,
): UserError {
  const shown = line.text.length > 60 ? `${line.text.slice(0, 57)}...` : line.text;
  return new UserError({
    code: "list-line",
    message: `not a list line: ${JSON.stringify(shown)}`,
    file,
    path: `line ${line.number}`,
    expected,
    found,
    fix,
  });
}
