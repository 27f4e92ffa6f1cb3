#!/usr/bin/env node
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

if (!existsSync(fileURLToPath(new URL("../node_modules/esbuild", import.meta.url)))) {
  console.error("shitu: the npm packages are not installed. Run: node setup.mjs");
  process.exit(2);
}
// A reader that closes early (`shitu list | head`) is no error.
process.stdout.on("error", (error) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});
const { ensureBuilt } = await import("../build.mjs");
await ensureBuilt();
const { main } = await import("../dist/src/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
