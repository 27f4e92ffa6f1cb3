// The npm packages, in step with package-lock.json.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, SetupError } from "./process.mjs";

/** Runs `npm ci` unless node_modules already holds what the lock file names. */
export async function provideNpmPackages(root, say) {
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  const stamp = join(root, "node_modules", ".shitu-lock");
  const hash = createHash("sha256").update(lock).digest("hex");
  if (read(stamp) === hash) return "up to date";
  if (!inStep(JSON.parse(lock), read(join(root, "node_modules", ".package-lock.json")))) {
    say("npm ci");
    try {
      await run("npm", ["ci", "--no-progress"], { cwd: root });
    } catch (error) {
      throw new SetupError(
        "npm ci failed",
        "see the lines above; npm must be able to reach its registry",
        error.log,
      );
    }
  }
  writeFileSync(stamp, hash);
  return "installed";
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

/**
 * Whether npm's own note of what it installed has every package of the lock; packages for other
 * platforms are left out of it.
 */
function inStep(lock, installedText) {
  if (installedText === null) return false;
  const installed = JSON.parse(installedText).packages ?? {};
  return Object.entries(lock.packages ?? {}).every(
    ([path, { version, optional, link }]) =>
      path === "" || optional || link || installed[path]?.version === version,
  );
}
