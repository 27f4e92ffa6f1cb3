import { execFileSync } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { toCsv, toLatex, toMarkdown } from "../../src/eval/record/table-formats.js";
import { makeRecords } from "../reports/make-records.js";
import { shitu } from "./shitu.js";

/** RFC 4180. */
function csvParse(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g,
  )) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end === "\r\n") rows.push([]);
  }
  const [head, ...body] = rows.slice(0, -1);
  return body.map((row) => Object.fromEntries(head!.map((name, i) => [name, row[i]!])));
}

const hostile = "a|b_c* [x](y) <img>\n100% $x$ & #1 {z} \\cmd ~^";

describe("formats of a table", () => {
  const table = {
    caption: hostile,
    columns: [
      { head: "", align: "left" as const },
      { head: hostile, align: "right" as const },
    ],
    rows: [["[0.1, 0.2]", hostile]],
  };

  it("Markdown keeps rows and cells apart, and runs no markup", () => {
    const lines = toMarkdown(table).split("\n");
    expect(lines).toHaveLength(6); // caption, blank, head, rule, row, end
    for (const line of lines.slice(2, 5)) expect(line.match(/(?<!\\)\|/g)).toHaveLength(3);
    expect(lines[4]).not.toMatch(/<img|(?<!\\)[*_[]/);
  });

  it("LaTeX escapes its own characters, also a bracket that would follow a line break", () => {
    const text = toLatex(table);
    expect(text).toContain(
      "a\\textbar{}b\\_c* [x](y) \\textless{}img\\textgreater{} 100\\% \\$x\\$ \\& \\#1 " +
        "\\{z\\} \\textbackslash{}cmd \\textasciitilde{}\\textasciicircum{}",
    );
    expect(text).toContain("\n{[}0.1, 0.2] &");
  });

  it("CSV is read back as written, and starts no formula", () => {
    const text = toCsv(
      ["name", "value", "none"],
      [
        [hostile, -1.5, null],
        ['=1+1,"x"', 2, ""],
      ],
    );
    const rows = csvParse(text);
    expect(rows[0]).toEqual({ name: hostile, value: "-1.5", none: "" });
    expect(rows[1]).toEqual({ name: '\'=1+1,"x"', value: "2", none: "" });
  });
});

describe("shitu export", { timeout: 120_000 }, () => {
  let runs: string;
  beforeAll(async () => {
    runs = join(await mkdtemp(join(tmpdir(), "export-")), "runs");
    await makeRecords(runs);
  });

  it("puts ours beside the paper's, as the paper prints it and as raw numbers", async () => {
    const md = await shitu(["export", "--table", "5", "--runs", runs]);
    expect(md).toMatchObject({ code: 0, stderr: "" });
    expect(md.stdout).toMatch(
      /\| PP-LCNet-2\.5x \| All \| 0\.839 \/ 0\.\d{3} \\\[0\.\d{3}, 0\.\d{3}\\\] ~ \|/,
    );
    expect((await shitu(["export", "--table", "3", "--runs", runs])).stdout).toMatch(
      /\| PP-PicoDet \| PP-LCNet-2\.5x \| 640x640 \| 41\.0 \/ not run \| 29\.2 \/ not run \|/,
    );
    const json = JSON.parse(
      (await shitu(["export", "--table", "5", "--format", "json", "--runs", runs])).stdout,
    ) as {
      cells: {
        row: string;
        column: string;
        paper: number | null;
        ours: number | null;
        verdict: string;
        record: string | null;
      }[];
    };
    const csv = csvParse(
      (await shitu(["export", "--table", "5", "--format", "csv", "--runs", runs])).stdout,
    );
    expect(csv).toHaveLength(json.cells.length);
    for (const [i, cell] of json.cells.entries()) {
      expect(csv[i]).toMatchObject({
        row: cell.row,
        column: cell.column,
        paper: String(cell.paper ?? ""),
        ours: String(cell.ours ?? ""),
        verdict: cell.verdict,
        record: cell.record ?? "",
      });
    }
    expect(json.cells.filter((c) => c.ours !== null).length).toBeGreaterThan(10);
  });

  it("writes LaTeX that a TeX reads, where there is one", async () => {
    const { stdout } = await shitu(["export", "--table", "4", "--format", "latex", "--runs", runs]);
    expect(stdout).toContain("\\begin{tabular}{lrrr}");
    expect(stdout.match(/(?<!\\)&/g)!.length % 3).toBe(0);
    try {
      execFileSync("pdflatex", ["-version"], { stdio: "ignore" });
    } catch {
      return; // no TeX here: the escapes are tested above
    }
    expect(() =>
      execFileSync(
        "pdflatex",
        [
          "-halt-on-error",
          `\\documentclass{article}\\usepackage{booktabs}\\begin{document}${stdout}\\end{document}`,
        ],
        { cwd: runs, stdio: "ignore" },
      ),
    ).not.toThrow();
  });

  it("refuses tables without measurements, formats and records that it does not know", async () => {
    expect(await shitu(["export", "--table", "2"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/expected 3, 4, 5, 6, 7, 8, 9, found 2/) as string,
    });
    expect(await shitu(["export", "--table", "5", "--format", "doc"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/md, csv, latex, json/) as string,
    });
    expect(
      await shitu(["export", "--table", "5", "--record", "nowhere", "--runs", runs]),
    ).toMatchObject({ code: 2, stderr: expect.stringMatching(/no record of this name/) as string });
  });
});
