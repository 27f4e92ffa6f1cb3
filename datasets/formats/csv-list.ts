import { readCsvTable } from "./csv.js";
import type { ImageList, ListRow } from "./paddleclas-list.js";
import { UserError } from "../../src/pipeline/errors.js";
import type { Line } from "./text-lines.js";

/** What people call the columns of a list, the first that is there counts. */
const names = {
  path: ["path", "image", "image_path", "image_name", "filename", "file_name", "file", "image_id"],
  label: ["label", "class", "class_name", "category", "target", "class_id", "label_id", "identity"],
  uid: ["uid", "camera", "camera_id", "cam", "camid"],
} as const;

function placeOf(header: readonly string[], of: keyof typeof names): string | undefined {
  const plain = new Map(header.map((name) => [name.toLowerCase().trim(), name]));
  return names[of].map((name) => plain.get(name)).find((name) => name !== undefined);
}

/** Whether a first line names the columns of a list separated by commas. */
export function isCsvListHeader([first]: readonly Line[]): boolean {
  const header = first?.text.split(",").map((f) => f.replace(/^"|"$/g, "")) ?? [];
  return placeOf(header, "path") !== undefined && placeOf(header, "label") !== undefined;
}

/**
 * Reads a list of pictures as csv whose header names a column of paths, one of labels and, where
 * there is one, of cameras or picture numbers. Other columns are passed over.
 *
 * @throws UserError what `readCsvTable` throws; `list-line` for an empty path, label or uid.
 */
export async function readCsvList(file: string): Promise<ImageList> {
  const { columns, rows } = await readCsvTable(file, []);
  const [path, label, uid] = (["path", "label", "uid"] as const).map((of) => placeOf(columns, of));
  if (rows.length === 0)
    throw new UserError({ code: "list-empty", message: "the list has no lines", file });
  const read = rows.map(({ line, value, fields }): ListRow => {
    const [own, name] = [value(path!), value(label!)];
    const number = uid === undefined ? null : value(uid);
    if (!own || !name || number === "" || number === undefined || fields.length !== columns.length)
      throw new UserError({
        code: "list-line",
        message: "not a line of this list",
        file,
        path: `line ${line}`,
        expected: columns.join(","),
        found: fields.join(",").slice(0, 80),
        fix: "fill the columns of path and label, and quote fields that hold commas",
      });
    return { path: own, label: name, line, ...(number !== null && { uid: number }) };
  });
  return { file, delimiter: "comma", columns: uid === undefined ? 2 : 3, rows: read };
}
