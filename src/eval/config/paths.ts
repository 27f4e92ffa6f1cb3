import { join } from "node:path";
import { workFolder } from "../../pipeline/root.js";

/** Where records go, unless `--runs` or SHITU_RUNS says otherwise. */
export function runsFolder(given?: string): string {
  return given ?? process.env.SHITU_RUNS ?? join(workFolder, "runs");
}

/** Where observations are cached, unless `--cache` or SHITU_CACHE says otherwise. */
export function cacheFolder(given?: string): string {
  return given ?? process.env.SHITU_CACHE ?? join(workFolder, ".cache", "observations");
}
