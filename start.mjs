#!/usr/bin/env node
// `npm start`: set-up, the small-scale reproduction of the paper's tables, the report, and how to
// open it.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));

/** Runs one step in a process of its own; its output goes where ours goes. */
function step(...args) {
  const { status, signal, error } = spawnSync(
    process.execPath,
    args.map((a, i) => (i === 0 ? join(root, a) : a)),
    { stdio: "inherit", cwd: root },
  );
  if (error) throw error;
  return signal ? 130 : (status ?? 3);
}

const ready = step("setup.mjs");
if (ready !== 0) process.exit(ready);
const reproduced = step("bin/shitu.mjs", "reproduce", "--scale", "mini");
if (reproduced > 1) process.exit(reproduced);
const built = step("bin/shitu.mjs", "report", "--build-only");
if (built === 0) console.log("\nOpen the report with: npm run report");
process.exit(built || reproduced);
