import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectRoot } from "./root.js";

/**
 * Version of an npm package that this project depends on, or null where it is not installed. Read
 * from its folder: not every package exports its package.json.
 */
export function packageVersion(name: string): string | null {
  // As a package itself, npm may have placed those that it needs beside it.
  for (const folder of [join(projectRoot, "node_modules"), dirname(projectRoot)]) {
    try {
      const text = readFileSync(join(folder, name, "package.json"), "utf8");
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // not here
    }
  }
  return null;
}
