import { join } from "node:path";
import { compareTable } from "../../eval/paper/paper-comparison.js";
import { readPaper, type PaperTable } from "../../eval/paper/paper-tables.js";
import { readRecord } from "../../eval/record/record.js";
import { writeAtomic } from "../../pipeline/atomic-file.js";
import { UserError } from "../../pipeline/errors.js";
import { projectRoot } from "../../pipeline/root.js";
import { choice, whole } from "../options.js";
import { legend, paperMatrix, paperRows, reasons } from "../../eval/paper/paper-matrix.js";
import { allRecords, casesOfFolder, recordFolder } from "../record-folder.js";
import { toCsv, toLatex, toMarkdown } from "../../eval/record/table-formats.js";
import type { Verb } from "../verb.js";

interface Options {
  table: string;
  format: string;
  record?: string;
  runs?: string;
  out?: string;
}

export const verb: Verb = {
  build(command) {
    command
      .description(
        "Write a table of the paper with ours beside it: Markdown and LaTeX as the paper " +
          "prints it, CSV and JSON one row a number with raw values.",
      )
      .requiredOption("--table <n>", "which: 3 to 9")
      .option("--format <format>", "md, csv, latex or json", "md")
      .option(
        "--record <id>",
        "from this record alone (default: the newest that has the cell, committed ones last)",
      )
      .option("--runs <folder>", "where records are (default: runs/, or SHITU_RUNS)")
      .option("--out <file>", "into a file (default: standard output)")
      .action(exportTable);
  },
};

/** The paper's table of that number. */
export function tableOf(tables: readonly PaperTable[], option: string, text: string): PaperTable {
  const n = whole(option, text);
  const found = tables.find((t) => t.table === n);
  if (!found || n < 3)
    throw new UserError({
      code: "bad-option",
      message: `${option}: no table of measurements`,
      expected: tables
        .filter((t) => t.table >= 3)
        .map((t) => t.table)
        .join(", "),
      found: text,
      fix: "Tables 1 and 2 state training data: there is nothing to measure",
    });
  return found;
}

async function namedRecord(name: string, runs: string | undefined) {
  const folder = await recordFolder(name, runs);
  return { folder, record: await readRecord(folder) };
}

async function exportTable(options: Options): Promise<void> {
  const format = choice("--format", options.format, ["md", "csv", "latex", "json"]);
  const paper = await readPaper(join(projectRoot, "configs", "paper", "tables.yaml"));
  const table = tableOf(paper.tables, "--table", options.table);
  const records =
    options.record === undefined
      ? await allRecords(options.runs)
      : [await namedRecord(options.record, options.runs)];
  const compared = compareTable(
    table,
    records.map(({ record, folder }) => ({
      key: record.id,
      record,
      cases: casesOfFolder(folder),
    })),
  );
  const notes = [legend, ...reasons(compared).map((why) => `~ ${why}`)];
  const text = ((): string => {
    switch (format) {
      case "json": {
        const { title, footnotes, protocol } = table;
        const cells = paperRows(compared);
        const document = { table: table.table, title, footnotes, protocol, cells };
        return `${JSON.stringify(document, null, 2)}\n`;
      }
      case "csv": {
        const rows = paperRows(compared);
        const columns = Object.keys(rows[0] ?? {});
        return toCsv(
          columns,
          rows.map((row) => columns.map((c) => row[c] ?? null)),
        );
      }
      case "latex":
        return `% ${notes.join("\n% ")}\n${toLatex(paperMatrix(compared))}`;
      case "md":
        return `${toMarkdown(paperMatrix(compared))}\n${notes.map((n) => `${n}\n`).join("\n")}`;
    }
  })();
  if (options.out === undefined) process.stdout.write(text);
  else await writeAtomic(options.out, text);
}
