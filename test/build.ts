import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt } from "../build.mjs";

/**
 * Worker threads and child processes run the transpiled code: it is brought up to date before any
 * test. The tests' temporary folders lie in one, which must be empty at the end.
 */
export default async function setup(): Promise<() => void> {
  await ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), "shitu-tests-"));
  process.env.TMPDIR = folder;
  return () => {
    const left = readdirSync(folder);
    rmSync(folder, { recursive: true, force: true });
    if (left.length === 0) return;
    // Vitest prints what a teardown throws, and exits as if nothing were.
    process.exitCode = 1;
    throw new Error(`the tests left in their temporary folder: ${left.join(", ")}`);
  };
}
