/** A table as text that other programs read. Cells are already formatted; nothing in them is trusted. */

export interface ExportTable {
  readonly caption: string;
  readonly columns: readonly { readonly head: string; readonly align: "left" | "right" }[];
  readonly rows: readonly (readonly string[])[];
}

/** RFC 4180, with a plain minus, and with an apostrophe before text that a spreadsheet would run as a formula. */
export function toCsv({ columns, rows }: ExportTable): string {
  const field = (text: string): string => {
    const plain = text.replaceAll("−", "-");
    const safe = /^[=+\-@\t\r]/.test(plain) && !/^[+-]?[\d.]/.test(plain) ? `'${plain}` : plain;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [columns.map((c) => field(c.head)), ...rows.map((row) => row.map(field))].map((row) => row.join(",")).join("\r\n") + "\r\n";
}

export function toMarkdown({ columns, rows }: ExportTable): string {
  const field = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;").replace(/\s*\n\s*/g, " ");
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  return [line(columns.map((c) => field(c.head))), line(columns.map((c) => (c.align === "right" ? "---:" : "---"))), ...rows.map((row) => line(row.map(field)))].join("\n") + "\n";
}

const latexCharacters: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#", "%": "\\%", "_": "\\_", "^": "\\textasciicircum{}", "~": "\\textasciitilde{}",
  "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}", "−": "$-$", "–": "--", "·": "$\\cdot$", "±": "$\\pm$", "×": "$\\times$", "®": "\\textsuperscript{\\textregistered}", "™": "\\texttrademark{}",
};

/** A `tabular` of the booktabs package inside a `table`. */
export function toLatex({ caption, columns, rows }: ExportTable): string {
  const field = (text: string): string => text.replace(/[\\{}$&#%_^~<>|−–·±×®™]/g, (c) => latexCharacters[c]!).replace(/\s*\n\s*/g, " ");
  const line = (row: readonly string[]): string => `${row.map(field).join(" & ")} \\\\`;
  return ["\\begin{table}", "\\centering", `\\caption{${field(caption)}}`, `\\begin{tabular}{${columns.map((c) => (c.align === "right" ? "r" : "l")).join("")}}`,
    "\\toprule", line(columns.map((c) => c.head)), "\\midrule", ...rows.map(line), "\\bottomrule", "\\end{tabular}", "\\end{table}", ""].join("\n");
}
