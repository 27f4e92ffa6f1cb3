#!/usr/bin/env node
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

if (!existsSync(fileURLToPath(new URL("../node_modules/esbuild", import.meta.url)))) {
  console.error("shitu: the npm packages are not installed. Run: node setup.mjs");
  process.exit(2);
}
const { ensureBuilt } = await import("../build.mjs");
await ensureBuilt();
const { main } = await import("../dist/src/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
