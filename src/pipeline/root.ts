import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
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

/** Whether this is an npm package beside somebody's own code, and no checkout. */
export const installedAsPackage: boolean = basename(dirname(projectRoot)) === "node_modules";

/** Where records and caches go: the checkout, or the folder of whoever installed the package. */
export const workFolder: string = installedAsPackage ? process.cwd() : projectRoot;
