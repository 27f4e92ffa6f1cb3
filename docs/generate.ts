// Writes the pages of docs/ that are made of tables in the code.
//
//   npm run docs
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { writeAtomic } from "../src/pipeline/atomic-file.js";
import { projectRoot } from "../src/pipeline/root.js";
import { quirksPage } from "./quirks-page.js";

const pages = { "docs/methodology/quirks.md": quirksPage() };
for (const [name, page] of Object.entries(pages)) {
  const file = join(projectRoot, name);
  await writeAtomic(file, await format(page, { ...(await resolveConfig(file)), filepath: file }));
}
