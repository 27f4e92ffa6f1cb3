import type { Family } from "./operator.js";
import { families } from "./table.js";

/** The table of supported operators as Markdown, for docs/import.md. */
export function supportTable(): string {
  const lines = ["| family | operator | in PIR | limits |", "| --- | --- | --- | --- |"];
  for (const [family, entries] of Object.entries(families)) lines.push(...rows(family, entries));
  return lines.join("\n");
}

function rows(family: string, entries: Family): string[] {
  return Object.entries(entries).map(([type, { pir, limits }]) => {
    const names = Object.keys(pir).map((name) => `\`${name}\``);
    return `| ${family} | \`${type}\` | ${names.join(", ") || "-"} | ${limits ?? ""} |`;
  });
}
