import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../src/pipeline/errors.js";
import { readCsvTable, type CsvTable } from "./csv.js";
import type { NamedBox, NamedBoxes } from "./named-boxes.js";

/**
 * Reads boxes of OpenImages: csv with `ImageID`, `LabelName`, `XMin`, `XMax`, `YMin`, `YMax` as
 * shares of the picture; `IsGroupOf` 1 is a crowd. `Score`, or a `Confidence` that is not 1 for
 * all, makes the boxes detections. Names of the labels come from `class-descriptions-boxable.csv`
 * beside the file where it is there.
 *
 * Format: https://storage.googleapis.com/openimages/web/download_v7.html
 *
 * @throws UserError `file-unreadable`, `csv-column`, `csv-line`.
 */
export async function readOpenImages(file: string): Promise<NamedBoxes> {
  const table = await readCsvTable(file, ["ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"]);
  const names = await descriptions(file);
  const scored = scoreColumn(table);
  const boxes = table.rows.map(({ line, value }): NamedBox => {
    const number = (column: string): number => {
      const found = value(column) ?? "";
      if (found !== "" && Number.isFinite(Number(found))) return Number(found);
      const expected = "a share of the picture, 0 to 1";
      const [path, code] = [`line ${line} ${column}`, "csv-line"];
      throw new UserError({ code, message: "not a number", file, path, expected, found });
    };
    const [x, y] = [number("XMin"), number("YMin")];
    const id = value("LabelName")!;
    return {
      image: value("ImageID")!,
      label: names.get(id) ?? id,
      box: [x, y, number("XMax") - x, number("YMax") - y],
      crowd: value("IsGroupOf") === "1",
      score: scored === null ? null : number(scored),
      at: `line ${line}`,
    };
  });
  const images = [...new Set(boxes.map((b) => b.image))].sort();
  return {
    ...{ file, boxes, classes: null, relative: true, notes: [] },
    images: images.map((name) => ({ name, width: 0, height: 0 })),
  };
}

/** A truth's confidence is 1 throughout: it says that a person drew the box. */
function scoreColumn({ columns, rows }: CsvTable): string | null {
  if (columns.includes("Score")) return "Score";
  if (!columns.includes("Confidence")) return null;
  return rows.every(({ value }) => Number(value("Confidence")) === 1) ? null : "Confidence";
}

async function descriptions(file: string): Promise<Map<string, string>> {
  const path = join(dirname(file), "class-descriptions-boxable.csv");
  if (!existsSync(path)) return new Map();
  const { head, rows } = await readCsvTable(path, []);
  const pairs = [head, ...rows.map((r) => r.fields)].map(([id, name]) => [id ?? "", name ?? ""]);
  return new Map(pairs as [string, string][]);
}
