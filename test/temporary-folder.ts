import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, expect } from "vitest";

/**
 * Every test file, and what it starts, finds a temporary folder of its own in `tmpdir()`; it goes
 * with the file. `build.ts` gives all of them one parent and looks whether anything is left there.
 */
const parent = tmpdir();
const name = basename(expect.getState().testPath ?? "file", ".test.ts");
const folder = mkdtempSync(join(parent, `${name}-`));
process.env.TMPDIR = folder;

const remove = (): void =>
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });

// Of hooks after all tests the first named runs last: the file's own see its folder.
afterAll(() => {
  process.env.TMPDIR = parent;
  remove();
});
// A file whose tests are all skipped, or that cannot be imported, runs no hooks.
process.once("exit", remove);
process.once("SIGTERM", () => process.exit());
