import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./root.js";

/**
 * Version of an npm package that this project depends on, or null where it is not installed. Read
 * from its folder: not every package exports its package.json.
 */
export function packageVersion(name: string): string | null {
  try {
    return (
      JSON.parse(readFileSync(join(projectRoot, "node_modules", name, "package.json"), "utf8")) as {
        version: string;
      }
    ).version;
  } catch {
    return null;
  }
}
