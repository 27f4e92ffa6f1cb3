import { join } from "node:path";
import { projectRoot } from "../../pipeline/root.js";

/** Where records go, unless `--runs` or SHITU_RUNS says otherwise. */
export function runsFolder(given?: string): string {
  return given ?? process.env.SHITU_RUNS ?? join(projectRoot, "runs");
}

/** Where observations are cached, unless `--cache` or SHITU_CACHE says otherwise. */
export function cacheFolder(given?: string): string {
  return given ?? process.env.SHITU_CACHE ?? join(projectRoot, ".cache", "observations");
}
