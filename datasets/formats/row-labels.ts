import { extname } from "node:path";
import { z } from "zod";
import { UserError } from "../../src/pipeline/errors.js";
import { readRegular } from "../../src/pipeline/regular-file.js";
import { parseValue, unreadable } from "../../src/pipeline/schema.js";
import { readList, type ListOptions } from "./paddleclas-list.js";
import { readLines } from "./text-lines.js";

/** What is known of a row: its label and, where the set has them, the number of its picture. */
export interface RowLabel {
  readonly label: string;
  readonly uid: string | null;
}

const text = z.union([z.string(), z.number()]).transform(String);
const jsonSchema = z.array(z.union([text, z.looseObject({ label: text })])).min(1);

/**
 * Labels of rows, in their order: a PaddleClas list, a JSON array of labels (or of objects with a
 * `label`), or a text file with one label a line.
 *
 * @throws UserError `file-unreadable`, `labels-json`, `schema`, and what the list's reader throws
 */
export async function readRowLabels(file: string, options: ListOptions = {}): Promise<RowLabel[]> {
  if (extname(file).toLowerCase() === ".json") return jsonLabels(file);
  const lines = await readLines(file, "list-encoding");
  if (lines.length > 0 && lines.every((line) => !/\s/.test(line.text))) {
    return lines.map((line) => ({ label: line.text, uid: null }));
  }
  const { rows, columns } = await readList(file, options);
  return rows.map(({ label, uid }) => ({ label, uid: columns === 3 ? (uid ?? null) : null }));
}

async function jsonLabels(file: string): Promise<RowLabel[]> {
  const content = await readRegular(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  let value: unknown;
  try {
    value = JSON.parse(content.toString("utf8"));
  } catch (error) {
    const found = (error as Error).message;
    throw new UserError(
      { code: "labels-json", message: "not JSON", file, found },
      { cause: error },
    );
  }
  return parseValue(value, file, jsonSchema).map((item) => ({
    label: typeof item === "string" ? item : item.label,
    uid: null,
  }));
}
