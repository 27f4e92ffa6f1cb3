import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The project's own folder, found upwards from this file so that source and transpiled code agree.
 */
export const projectRoot: string = (() => {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    try {
      const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
        name?: string;
      };
      if (name === "shitu-bench") return folder;
    } catch {
      // no package.json here: look further up
    }
    if (dirname(folder) === folder)
      throw new Error("shitu-bench: package.json not found above this file");
  }
})();
