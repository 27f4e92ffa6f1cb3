#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const installed = basename(dirname(root)) === "node_modules";

// As an npm package beside somebody's own code it sets itself up on the first call; every message
// of that goes to standard error.
if (installed && !existsSync(`${root}/native/build/shitu.node`)) {
  console.error("shitu: first call: setting up, some minutes where Faiss has to be compiled");
  const stdio = ["ignore", process.stderr, "inherit"];
  const { status } = spawnSync(process.execPath, [`${root}/setup.mjs`], { stdio });
  if (status !== 0) process.exit(status ?? 3);
}
try {
  createRequire(import.meta.url).resolve("esbuild");
} catch {
  console.error("shitu: the npm packages are not installed. Run: node setup.mjs");
  process.exit(2);
}
// A reader that closes early (`shitu list | head`) is no error.
for (const [name, stream] of Object.entries({ output: process.stdout, error: process.stderr }))
  stream.on("error", (error) => {
    if (error.code === "EPIPE") process.exit();
    // The exit code 1 has one meaning, and it is not this one.
    if (name === "output")
      process.stderr.write(`shitu: standard output cannot be written (${error.code})\n`);
    process.exit(2);
  });
const { ensureBuilt } = await import("../build.mjs");
await ensureBuilt();
const { main } = await import("../dist/src/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
