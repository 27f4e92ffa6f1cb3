/**
 * Tables as text for other programs, for the command line and the report's pages. Nothing in a cell
 * is trusted.
 */

export interface TextTable {
  readonly caption: string;
  readonly columns: readonly { readonly head: string; readonly align: "left" | "right" }[];
  readonly rows: readonly (readonly string[])[];
}

const oneLine = (text: string): string => text.replace(/\s*[\r\n]\s*/g, " ");

/** GitHub's tables; a pipe, a backslash, markup and emphasis in a cell are escaped. */
export function toMarkdown({ caption, columns, rows }: TextTable): string {
  const field = (text: string): string =>
    oneLine(text)
      .replace(/[\\|*_`[\]]/g, "\\$&")
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;");
  const line = (row: readonly string[]): string => `| ${row.map(field).join(" | ")} |\n`;
  return (
    `${field(caption)}\n\n${line(columns.map((c) => c.head))}| ` +
    `${columns.map((c) => (c.align === "right" ? "---:" : "---")).join(" | ")} ` +
    `|\n${rows.map(line).join("")}`
  );
}

/**
 * `-3.40 ms`, `+0.012 (-0.01 to 0.03)`: a number with its unit and interval, and nothing that could
 * run.
 */
const number = "[+-]?\\d[\\d.,]*(?: [A-Za-z%/]+)?";
const numeric = new RegExp(`^${number}(?: \\(${number}(?: –| to) ${number}\\))?$`);

/**
 * RFC 4180, with a plain minus; text that a spreadsheet would run as a formula gets an apostrophe
 * before it, a number does not.
 */
export function toCsv(
  columns: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string {
  const field = (value: string | number | null): string => {
    if (typeof value === "number") return String(value);
    const text = (value ?? "").replaceAll("−", "-");
    const safe = /^[=+\-@\t\r]/.test(text) && !numeric.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [columns, ...rows].map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

const latexCharacters: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  $: "\\$",
  "&": "\\&",
  "#": "\\#",
  "%": "\\%",
  _: "\\_",
  "^": "\\textasciicircum{}",
  "~": "\\textasciitilde{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  "−": "$-$",
  "–": "--",
  "·": "$\\cdot$",
  "±": "$\\pm$",
  "×": "$\\times$",
  "®": "\\textsuperscript{\\textregistered}",
  "™": "\\texttrademark{}",
};

/** A `tabular` with the rules of booktabs, in a `table`. */
export function toLatex({ caption, columns, rows }: TextTable): string {
  const field = (text: string): string =>
    oneLine(text).replace(/[\\{}$&#%_^~<>|−–·±×®™]/g, (c) => latexCharacters[c]!);
  // A row that begins with a bracket would be read as the length of the line break before it.
  const line = (row: readonly string[]): string =>
    `${row.map(field).join(" & ").replace(/^\[/, "{[}")} \\\\`;
  return [
    "\\begin{table}",
    "\\centering",
    `\\caption{${field(caption)}}`,
    `\\begin{tabular}{${columns.map((c) => (c.align === "right" ? "r" : "l")).join("")}}`,
    "\\toprule",
    line(columns.map((c) => c.head)),
    "\\midrule",
    ...rows.map(line),
    "\\bottomrule",
    "\\end{tabular}",
    "\\end{table}",
    "",
  ].join("\n");
}
