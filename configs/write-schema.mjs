// Writes configs/schema.json, the JSON Schema of experiment configs for editors, from the schema
// that reads them: node configs/write-schema.mjs
import { writeFileSync } from "node:fs";
import { ensureBuilt } from "../build.mjs";

await ensureBuilt();
const { configJsonSchema } = await import("../dist/src/eval/config/config.js");
writeFileSync(
  new URL("schema.json", import.meta.url),
  `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
);
