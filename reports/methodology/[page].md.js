// A page of docs/methodology, or docs/measured.md, with links that lead to pages of the site.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { methodologyPage } from "../build/methodology.js";

const { page } = parseArgs({ options: { page: { type: "string" } } }).values;
const file = { index: "methodology/README", measured: "measured" }[page] ?? `methodology/${page}`;
process.stdout.write(
  methodologyPage(readFileSync(new URL(`../../docs/${file}.md`, import.meta.url), "utf8")),
);
