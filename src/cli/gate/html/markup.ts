/** HTML text that is safe to place into HTML. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = Markup | string | number | null | readonly Part[];

/** HTML from a template; whatever is placed into it is escaped, unless it is markup itself. */
export function markup(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.reduce((text, s, i) => text + asText(parts[i - 1] ?? null) + s));
}

function asText(part: Part): string {
  if (part === null) return "";
  if (part instanceof Markup) return part.text;
  if (Array.isArray(part)) return part.map(asText).join("");
  return escaped(String(part));
}

/** Labels and file names are hostile until shown otherwise. */
function escaped(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, "\ufffd")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/'/g, "&#39;");
}

export interface Column {
  readonly head: string;
  readonly number?: boolean;
}

/** A table with a caption; cells are text, or markup. */
export function markupTable(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Part[])[],
): Markup {
  const kind = (i: number) => (columns[i]!.number ? "number" : "text");
  const heads = columns.map(
    ({ head }, i) => markup`<th scope="col" class="${kind(i)}">${head}</th>`,
  );
  const body = rows.map(
    (row) => markup`<tr>${row.map((cell, i) => markup`<td class="${kind(i)}">${cell}</td>`)}</tr>
`,
  );
  return markup`<div class="wide"><table><caption>${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>${body}</tbody></table></div>`;
}
