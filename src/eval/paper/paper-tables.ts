import { z } from "zod";
import { UserError } from "../../pipeline/errors.js";
import { readYaml } from "../../pipeline/schema.js";

/** The paper's tables as data: `configs/paper/tables.yaml`. */

const identity = z.strictObject({
  metric: z.string().optional(),
  model: z.string().optional(),
  system: z.string().optional(),
  dataset: z.string().optional(),
  stage: z.string().optional(),
  /** By whose definition the number counts, where there are several: paddle. */
  definition: z.string().optional(),
  /** Whose times they are: never joined with ours, and never ordered across. */
  processor: z.string().optional(),
  /** The mean over the table's data sets, not a measurement of its own. */
  average: z.boolean().optional(),
});

const measure = {
  /** As printed: ratio, %, ms, MB, MiB, M, images, classes or text. */
  unit: z.enum(["ratio", "%", "ms", "MB", "MiB", "M", "images", "classes", "text"]).optional(),
  /** Printed value x scale = the unit of records. */
  scale: z.number().positive().optional(),
  better: z.enum(["higher", "lower"]).optional(),
  /** Number of the table's footnote, from 1. */
  footnote: z.number().int().positive().optional(),
};

const besideSchema = z.strictObject({
  table: z.number().int().positive(),
  row: z.string(),
  column: z.string(),
  printed: z.string(),
});

const columnSchema = z.strictObject({
  name: z.string(),
  group: z.string().optional(),
  /** A number of another table, of the same measure under the same conditions. */
  beside: besideSchema.optional(),
  ...measure,
  is: identity.optional(),
});
const rowSchema = z.strictObject({
  name: z.string(),
  ...measure,
  is: identity.optional(),
  values: z.array(z.string().nullable()),
});

const tableSchema = z.strictObject({
  table: z.number().int().positive(),
  title: z.string(),
  section: z.string(),
  footnotes: z.array(z.string()).default([]),
  protocol: z.array(z.string()).default([]),
  columns: z.array(columnSchema).min(1),
  rows: z.array(rowSchema).min(1),
  /** Why an exact number of ours differs from the paper's, where it is known. */
  explained: z
    .array(z.strictObject({ row: z.string(), column: z.string(), why: z.string() }))
    .default([]),
});

const paperSchema = z.strictObject({
  title: z.string(),
  cite: z.string(),
  tables: z.array(tableSchema).min(1),
  audit: z.array(z.strictObject({ tables: z.array(z.number().int()), finding: z.string() })),
});

export type PaperIdentity = z.infer<typeof identity>;
export type PaperTable = z.infer<typeof tableSchema>;
export type Paper = z.infer<typeof paperSchema>;

/** One cell of a paper's table, with what its row and column say of it put together. */
export interface PaperCell {
  readonly row: string;
  readonly column: string;
  readonly unit: NonNullable<PaperTable["columns"][number]["unit"]>;
  readonly scale: number;
  readonly better: "higher" | "lower" | null;
  readonly is: PaperIdentity;
  /** As printed; null is a dash or a blank. */
  readonly printed: string | null;
  /** In the unit of records; null for texts, dashes and blanks. */
  readonly value: number | null;
  /**
   * Half a unit of the last printed digit, in the unit of records: the paper's value is known to no
   * better.
   */
  readonly rounding: number;
  /** What a number that stands alone in its column may be put in proportion to. */
  readonly beside: BesideCell | null;
}

interface BesideCell extends Pick<PaperCell, "row" | "printed" | "value" | "rounding"> {
  readonly table: number;
}

/**
 * Reads the tables. A row of the wrong length, an unknown footnote or a value that is no number is
 * a UserError naming the place.
 */
export async function readPaper(file: string): Promise<Paper> {
  const paper = await readYaml(file, paperSchema);
  for (const [t, table] of paper.tables.entries()) {
    const at = (path: string): string => `tables[${t}].${path}`;
    for (const [r, row] of table.rows.entries()) {
      if (row.values.length !== table.columns.length) {
        throw new UserError({
          code: "paper-table",
          message:
            `row ${JSON.stringify(row.name)} of Table ${table.table} has another ` +
            "number of values than there are columns",
          file,
          path: at(`rows[${r}].values`),
          expected: String(table.columns.length),
          found: String(row.values.length),
          fix: "write null for a dash or a blank",
        });
      }
    }
    for (const [kind, list] of [
      ["rows", table.rows],
      ["columns", table.columns],
    ] as const) {
      for (const [i, { footnote }] of list.entries()) {
        if (footnote !== undefined && footnote > table.footnotes.length) {
          throw new UserError({
            code: "paper-table",
            message: `no such footnote in Table ${table.table}`,
            file,
            path: at(`${kind}[${i}].footnote`),
            expected: `1 to ${table.footnotes.length}`,
            found: String(footnote),
            fix: "number footnotes from 1",
          });
        }
      }
    }
    for (const [c, { beside }] of table.columns.entries()) {
      if (beside) requireCopied(beside, paper, { file, path: at(`columns[${c}].beside.printed`) });
    }
    for (const [r, row] of cellsOf(table).entries()) {
      for (const [c, cell] of row.entries()) {
        if (cell.printed !== null && cell.unit !== "text" && cell.value === null) {
          throw new UserError({
            code: "paper-table",
            message: "not a number",
            file,
            path: at(`rows[${r}].values[${c}]`),
            expected: `a number in ${cell.unit}`,
            found: JSON.stringify(cell.printed),
            fix: "copy the number as it is printed, or give the column the unit text",
          });
        }
      }
    }
  }
  return paper;
}

/** A number that stands in two places of the file is the same in both. */
function requireCopied(
  { table, row, column, printed }: z.infer<typeof besideSchema>,
  paper: Paper,
  place: { readonly file: string; readonly path: string },
): void {
  const cells = paper.tables.filter((t) => t.table === table).flatMap((t) => cellsOf(t).flat());
  const original = cells.find((c) => c.row === row && c.column === column);
  if (original?.printed === printed) return;
  throw new UserError({
    code: "paper-table",
    message: `Table ${table} has another number, or none, in row ${JSON.stringify(row)}`,
    ...place,
    expected: original?.printed ?? `a cell ${JSON.stringify(column)} with a number`,
    found: printed,
    fix: "copy row, column and number from that table",
  });
}

/**
 * The cells of a table by row and column. A row's unit, scale and direction win over its column's.
 */
export function cellsOf(table: PaperTable): PaperCell[][] {
  return table.rows.map((row) =>
    table.columns.map((column, i) => {
      const unit = row.unit ?? column.unit ?? "text";
      const scale = row.scale ?? column.scale ?? 1;
      const printed = row.values[i] ?? null;
      const number = printed === null || unit === "text" ? null : printedNumber(printed);
      return {
        row: row.name,
        column: column.name,
        unit,
        scale,
        better: row.better ?? column.better ?? null,
        is: { ...column.is, ...row.is },
        printed,
        value: number === null ? null : number.value * scale,
        rounding: number === null ? 0 : number.rounding * scale,
        beside: column.beside ? besideCell(column.beside, scale) : null,
      };
    }),
  );
}

function besideCell(
  { table, row, printed }: z.infer<typeof besideSchema>,
  scale: number,
): BesideCell {
  const number = printedNumber(printed);
  const value = number && number.value * scale;
  return { table, row, printed, value, rounding: (number?.rounding ?? 0) * scale };
}

/** `0.63262`, `1700K`, `5M`: the number and half a unit of its last digit. */
function printedNumber(text: string): { value: number; rounding: number } | null {
  const match = /^(\d+)(?:\.(\d+))?([KkM]?)$/.exec(text);
  if (!match) return null;
  const factor = { "": 1, k: 1e3, m: 1e6 }[match[3]!.toLowerCase()]!;
  return {
    value: Number(`${match[1]}.${match[2] ?? "0"}`) * factor,
    rounding: 0.5 * 10 ** -(match[2]?.length ?? 0) * factor,
  };
}
