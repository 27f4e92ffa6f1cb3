// Writes docs/measured.md from the files in bench/results.
//
//   npm run measured
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { writeAtomic } from "../src/pipeline/atomic-file.js";
import { projectRoot } from "../src/pipeline/root.js";
import { measuredPage } from "./measured-page.js";
import { readResults } from "./result.js";

const file = join(projectRoot, "docs", "measured.md");
const page = measuredPage(readResults());
await writeAtomic(file, await format(page, { ...(await resolveConfig(file)), filepath: file }));
