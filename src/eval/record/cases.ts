import { readFileSync } from "node:fs";
import { unreadable, UserError } from "../../pipeline/errors.js";
import { nullType, struct, tableFromIPC, type DataType } from "@uwdata/flechette";
import { arrowFile, countType, realType, rowsType, textType, typed } from "./arrow-columns.js";
import { checkColumns } from "./case-columns.js";
import { upgradedCase } from "./case-upgrade.js";
import type { Case, CaseCorners } from "./case.js";
import { caseOf, storedCase, type StoredCase } from "./stored-case.js";

/**
 * The file `cases.arrow` of a record: rows go in and come out, every column in the smallest type
 * that loses nothing.
 */

const types: { readonly [Name in keyof Case]: (values: readonly StoredCase[Name][]) => DataType } =
  {
    cell: textType,
    item: textType,
    image: textType,
    outcome: textType,
    truth: textType,
    prediction: textType,
    score: realType,
    rank: countType,
    neighbours: neighboursType,
    boxes: boxesType,
    width: countType,
    height: countType,
    lostAt: textType,
    stageMs: stagesType,
  };
const names = Object.keys(types) as (keyof Case)[];

/** The rows as an Arrow IPC file; without `image` where every picture is its row's item. */
export function casesToArrow(cases: readonly Case[]): Uint8Array {
  const rows = cases.map(storedCase);
  const column = <Name extends keyof Case>(name: Name): ReturnType<typeof typed> =>
    typed(
      types[name],
      rows.map((row) => row[name]),
    );
  const itemsOnly = cases.every(({ image, item }) => image === item);
  const held = names.filter((name) => name !== "image" || !itemsOnly);
  return arrowFile(Object.fromEntries(held.map((name) => [name, column(name)])));
}

/**
 * Reads them back, those of older records as well: their JSON texts become what they say, their
 * neighbours beyond `keptNeighbours` are left.
 *
 * @throws Error where a column is missing, of another type, or holds text that is no such JSON
 */
export function casesFromArrow(bytes: Uint8Array): Case[] {
  const table = tableFromIPC(bytes);
  const { fields } = table.schema;
  const image = fields.some(({ name }) => name === "image");
  const form = checkColumns(
    fields,
    names.filter((name) => name !== "image" || image),
  );
  const stored = table.toArray() as StoredCase[];
  const rows = image ? stored : stored.map((row) => ({ ...row, image: row.item }));
  return form === "json" ? (rows as unknown as Case[]).map(upgradedCase) : rows.map(caseOf);
}

/**
 * The same of a file.
 *
 * @throws UserError `file-unreadable`; `record-cases` where the file is damaged.
 */
export function readCases(file: string): Case[] {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    return casesFromArrow(bytes);
  } catch (error) {
    const complaint = {
      code: "record-cases",
      message: "the rows of this record are damaged",
      file,
      found: error instanceof Error ? error.message.split("\n")[0]! : String(error),
      fix: "copy the record again, or run its experiment again",
    };
    throw new UserError(complaint, { cause: error });
  }
}

const cornerTypes = (boxes: readonly CaseCorners[]): Record<string, DataType> => ({
  x0: countType(boxes.map((b) => b.x0)),
  y0: countType(boxes.map((b) => b.y0)),
  x1: countType(boxes.map((b) => b.x1)),
  y1: countType(boxes.map((b) => b.y1)),
});

function neighboursType(lists: readonly (StoredCase["neighbours"] | undefined)[]): DataType {
  return rowsType(lists, (entries) => ({
    entry: textType(entries.map((n) => n.entry)),
    score: realType(entries.map((n) => n.score)),
  }));
}

function boxesType(boxes: readonly StoredCase["boxes"][]): DataType {
  const held = boxes.filter((b) => b !== null);
  if (held.length === 0) return nullType();
  return struct({
    truth: rowsType(
      held.map((b) => b.truth),
      (rows) => ({
        ...cornerTypes(rows),
        label: textType(rows.map((b) => b.label)),
        stage: textType(rows.map((b) => b.stage)),
      }),
    ),
    found: rowsType(
      held.map((b) => b.found),
      (rows) => ({
        ...cornerTypes(rows),
        score: realType(rows.map((b) => b.score)),
        label: textType(rows.map((b) => b.label)),
        fate: textType(rows.map((b) => b.fate)),
        neighbours: neighboursType(rows.map((b) => b.neighbours)),
      }),
    ),
  });
}

function stagesType(times: readonly StoredCase["stageMs"][]): DataType {
  const stages = [...new Set(times.flatMap((t) => Object.keys(t ?? {})))];
  if (stages.length === 0) return nullType();
  return struct(
    Object.fromEntries(stages.map((stage) => [stage, realType(times.map((t) => t?.[stage]))])),
  );
}
