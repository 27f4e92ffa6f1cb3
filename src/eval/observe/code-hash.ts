import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const suffix = extname(fileURLToPath(import.meta.url));
const known = new Map<string, string>();

/**
 * Hash of the program's own code under some folders and files (relative to src/eval, or absolute),
 * so that nobody has to remember to raise a version.
 */
export function codeHash(parts: readonly string[]): string {
  const name = parts.join(" ");
  const before = known.get(name);
  if (before !== undefined) return before;
  const hash = createHash("sha256");
  const files = parts.flatMap((part) =>
    extname(part) === "" ? filesUnder(join(here, part)) : [resolve(here, part)],
  );
  for (const file of files.sort()) {
    const content = readFileSync(file);
    hash
      .update(`${relative(here, file).replaceAll("\\", "/")} ${content.byteLength}\n`)
      .update(content);
  }
  const found = hash.digest("hex").slice(0, 24);
  known.set(name, found);
  return found;
}

/** A module by its name without ending, whether it runs as it was written or transpiled. */
export function moduleFile(path: string): string {
  return `${path}${suffix}`;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && e.name.endsWith(suffix))
    .map((e) => join(e.parentPath, e.name));
}
